/**
 * What lies at the provider for a while only, or goes on there: containers in which code runs, and answers that are continued.
 * Sources: https://platform.openai.com/docs/guides/tools-code-interpreter#containers,
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#containers
 * @module
 */
import { listOf, type Members, membersOf } from './contract.ts'

/** How deep the id of a container may be nested in metadata. */
const maxDepth = 8

/** Members that hold the id of a container. */
const containerIds = new Set(['containerId', 'container_id', 'container'])

/** Whether something in `value` names a container by its id. */
function namesContainer(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return false
  if (Array.isArray(value)) return value.some((each) => namesContainer(each, depth + 1))
  return Object.entries(value).some(([name, member]: [string, unknown]) => {
    if (!containerIds.has(name)) return namesContainer(member, depth + 1)
    const id: unknown = typeof member === 'string' ? member : membersOf(member)['id']
    return typeof id === 'string' && id !== ''
  })
}

/** Members of a provider's options by which a call goes on with an earlier one. */
const continuing = ['previousResponseId', 'conversation']

/**
 * Whether a call continues or changes something at its provider, or runs in a container that is named by its id. The tools of functions have
 * schemas of the user's own, in which a container may be anything.
 */
export function isContinued(params: object): boolean {
  const options = membersOf(Reflect.get(params, 'providerOptions'))
  const tools = listOf(Reflect.get(params, 'tools')).map(membersOf)
  return (
    Object.values(options).some((each) => continuing.some((name) => typeof membersOf(each)[name] === 'string') || namesContainer(each)) ||
    tools.some(({ type, args }) => type !== 'function' && namesContainer(args))
  )
}

/** Whether an answer names a container. The provider deletes it soon, and what the answer cites of it. */
export function citesContainer({ content, providerMetadata }: Members): boolean {
  return namesContainer(providerMetadata) || listOf(content).map(membersOf).some(pieceCites)
}

function pieceCites({ providerMetadata, providerExecuted, input }: Members): boolean {
  return namesContainer(providerMetadata) || (providerExecuted === true && namesContainer(parsed(input)))
}

/** The JSON in a text, which the input of a tool is; `undefined` if it is none. */
export function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * OpenAI's responses.
 * Source: https://platform.openai.com/docs/api-reference/responses
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type Endpoint } from '../endpoint.ts'
import { hasError, inputUsage, isJsonText } from './body.ts'
import { openaiIgnored } from './ignored.ts'
import { hasOnly, withPlainText } from './messages.ts'
import { assembleResponse, disassembleResponse, outlineResponse } from './responses-stream.ts'
import { openaiResponsesPlaces } from './places.ts'

/** The roles whose content may be a string or `input_text` parts, with the same meaning. An assistant's parts are `output_text`. */
const roles = ['user', 'system', 'developer']

const unfinished = ['failed', 'incomplete', 'cancelled', 'in_progress', 'queued']

/** Responses. */
export const openaiResponses: Endpoint = {
  provider: 'openai',
  name: 'responses',
  path: '/responses',
  operation: 'responses',
  ignored: openaiIgnored.responses,
  place: openaiResponsesPlaces,
  streaming: { assemble: assembleResponse, outline: outlineResponse, disassemble: disassembleResponse },
  bypassReason,
  normalise,
  skipReason,
  expiresAt: ({ output }, now) => (namesContainer(output) ? now + containerLife : undefined),
  usage: inputUsage,
}

/**
 * Milliseconds for which an answer is served that names a container. The provider deletes a container twenty minutes after its last use, and
 * its files with it; the caller needs time to fetch them.
 * Source: https://platform.openai.com/docs/guides/tools-code-interpreter#containers
 */
const containerLife = 15 * 60_000

/** A request that continues or changes state at the provider has another answer each time. */
function bypassReason(request: JsonObject): string | undefined {
  for (const field of ['previous_response_id', 'conversation']) if (request[field] !== undefined && request[field] !== null) return field
  if (request['background'] === true) return 'background'
  // A container with an id may hold files of earlier code. An automatic one is new.
  return usesContainer(request['tools']) ? 'container' : undefined
}

/** Whether tools run in a container that is named by its id. A function's parameters are the user's own. */
function usesContainer(tools: unknown): boolean {
  if (!Array.isArray(tools)) return false
  return tools.some(
    (tool: unknown) =>
      isJsonObject(tool) && (namesContainer(tool['container'], 1) || isContainerId(tool) || namesContainer(tool['environment'])),
  )
}

function isContainerId({ container, container_id: id }: JsonObject): boolean {
  return [container, id].some((value) => typeof value === 'string' && value !== '')
}

function normalise(request: JsonObject): JsonObject {
  const { input } = request
  if (!Array.isArray(input)) return request
  const plain = withPlainText(input, roles, 'input_text')
  const [only] = plain
  if (plain.length === 1 && isPlainMessage(only) && only['role'] === 'user') return { ...request, input: only['content'] }
  const untyped = plain.some(isTyped) ? plain.map((message) => (isTyped(message) ? withoutType(message) : message)) : plain
  return untyped === input ? request : { ...request, input: untyped }
}

/** Whether an item is a message of one text in its short form, in which `type` is optional and has no effect. */
function isPlainMessage(item: unknown): item is JsonObject {
  if (!isJsonObject(item) || typeof item['content'] !== 'string' || !roles.some((role) => role === item['role'])) return false
  return (item['type'] === undefined || item['type'] === 'message') && hasOnly(item, ['type', 'role', 'content'])
}

function isTyped(item: unknown): item is JsonObject {
  return isPlainMessage(item) && item['type'] === 'message'
}

function withoutType(message: JsonObject): JsonObject {
  return { role: message['role'], content: message['content'] }
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const { output, status } = answer
  if (status !== 'completed') {
    const reason = unfinished.find((name) => name === status)
    return reason ?? (Array.isArray(output) ? 'status' : 'malformed')
  }
  if (!Array.isArray(output)) return 'malformed'
  const items: readonly JsonObject[] = output.filter(isJsonObject)
  const flaw = items.map(flawOf).find((found) => found !== undefined)
  if (flaw !== undefined) return flaw
  if (items.some(refuses)) return 'refusal'
  if (items.some(isCut)) return 'malformed'
  return output.some(saysSomething) ? undefined : 'empty'
}

/**
 * Items that the model writes. In a finished response, others may wait for the caller, as a program does that calls a function; that call is
 * in progress.
 */
const written = ['message', 'function_call', 'custom_tool_call']

/** What is wrong with an item by its own status, or that of its tool: it was cut off, or failed, which it may not do the next time. */
function flawOf(item: JsonObject): string | undefined {
  const { type, status } = item
  if (status === 'failed' || hasError(item)) return 'error'
  return written.some((name) => name === type) && status === 'incomplete' ? status : undefined
}

function refuses({ type, content }: JsonObject): boolean {
  if (type !== 'message' || !Array.isArray(content)) return false
  return content.some((part: unknown) => isJsonObject(part) && part['type'] === 'refusal' && part['refusal'] !== '')
}

/** Whether an item is the call of a tool whose arguments are no JSON, as the tool needs them. */
function isCut({ type, arguments: text }: JsonObject): boolean {
  return (type === 'function_call' || type === 'mcp_call') && !isJsonText(text)
}

/** Members that hold the id of a container. */
const containerIds = new Set(['container_id', 'container'])

/** Whether a tool, an item or something in them names a container by its id: as `container_id`, or as a `container` that is a text. */
function namesContainer(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return false
  if (Array.isArray(value)) return value.some((each) => namesContainer(each, depth + 1))
  return Object.entries(value).some(([name, member]) =>
    containerIds.has(name) && typeof member === 'string' ? member !== '' : namesContainer(member, depth + 1),
  )
}

/** How deep a container's id may be nested: an annotation of a part of an item, with room for more. */
const maxDepth = 8

/** Whether an output item answers. Reasoning alone does not, nor does a message of empty texts. */
function saysSomething(item: unknown): boolean {
  if (!isJsonObject(item) || item['type'] === 'reasoning') return false
  if (item['type'] !== 'message') return true
  const { content } = item
  return Array.isArray(content) && content.some((part: unknown) => isJsonObject(part) && part['text'] !== '' && part['refusal'] !== '')
}

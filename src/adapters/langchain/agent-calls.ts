/**
 * The model calls of LangChain's agents. Unlike LangChain's cache for models, it sees the messages, the tools and the settings themselves.
 * @module
 */
import { mapStoredMessageToChatMessage, type StoredMessage } from '@langchain/core/messages'
import { toJsonSchema } from '@langchain/core/utils/json_schema'
import type { AnswerRules, Cache, OriginCall } from '../../cache/cache.ts'
import type { CallOptions } from '../../call.ts'
import { isMessage, membersOf, type Members, modelIn, namesContainer, skipReason, storedMessage, usageIn } from './messages.ts'

/** What is used of the request of an agent's model call. */
export interface AgentModelRequest {
  readonly model: unknown
  readonly messages: readonly unknown[]
  readonly systemMessage?: unknown
  readonly tools?: readonly unknown[]
  readonly toolChoice?: unknown
  readonly responseFormat?: unknown
  readonly modelSettings?: unknown
  readonly runtime?: unknown
}

/** The hook `wrapModelCall` of LangChain's `createMiddleware`. */
export type WrapModelCall = <Request extends AgentModelRequest, Result>(
  request: Request,
  handler: (request: Request) => Result | PromiseLike<Result>,
) => Promise<Result>

/** What is stored of an answer. */
interface Stored {
  readonly message: StoredMessage
}

const rules: AnswerRules<Stored> = {
  usage: ({ message }) => usageIn(message),
  model: ({ message }) => modelIn(message),
  skipReason: ({ message }) => skipReason(message),
}

/**
 * The hook that caches the model calls of an agent: `createMiddleware({ name: 'llmemo', wrapModelCall: cacheModelCalls(cache) })`. Put it last
 * among the middleware, so that it sees what the others change. Calls of a model that does not say what it is, by `_identifyingParams()`, go
 * past the cache.
 * @param cache a cache of `createCache`
 * @param options options of all its calls
 */
export function cacheModelCalls(cache: Cache, options: CallOptions = {}): WrapModelCall {
  return async (request, handler) => {
    const call = callOf(request)
    if (call === undefined) return handler(request)
    const { signal } = membersOf(request.runtime)
    const own = signal instanceof AbortSignal ? signal : undefined
    let given: { readonly result: unknown } | undefined
    let hasAsked = false
    try {
      const { answer, info } = await cache.call<unknown>({ ...call, defaults: options, rules, signal: own }, async () => {
        hasAsked = true
        given = { result: await handler(request) }
        // A command or a structured answer is not stored.
        return isMessage(given.result) ? { message: storedMessage(given.result) } : given.result
      })
      return resultOf(given !== undefined && info.source === 'origin' ? given.result : messageIn(answer))
    } catch (error) {
      // LangChain aborts a call by the agent that began it. This one had only joined that call.
      const isOthersAbort = !hasAsked && own?.aborted !== true && membersOf(error)['name'] === 'AbortError'
      if (!isOthersAbort) throw error
      return handler(request)
    }
  }
}

function messageIn(answer: unknown): unknown {
  return isStored(answer) ? mapStoredMessageToChatMessage(answer.message) : answer
}

function isStored(answer: unknown): answer is Stored {
  return Object.hasOwn(membersOf(answer), 'message')
}

/** What the model itself returned, or a message from the cache, in the type of the hook's results. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it is
function resultOf<Result>(result: unknown): Result {
  // Only answers to calls of agents are stored under their keys.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return result as Result
}

/** The call as the cache sees it; `undefined` if the model does not say what it is. */
function callOf(request: AgentModelRequest): (OriginCall & { readonly stream?: false }) | undefined {
  const { model, messages, systemMessage, tools = [], toolChoice, responseFormat, modelSettings } = request
  const asked = identityOf(model)
  if (asked === undefined || isContinued(tools, modelSettings)) return undefined
  return {
    provider: asked.provider,
    endpoint: 'chat',
    model: asked.model,
    request: {
      model: asked.identity,
      system: systemMessage === undefined ? null : keyedMessage(systemMessage),
      messages: messages.map(keyedMessage),
      tools: tools.map(keyedTool),
      toolChoice,
      responseFormat: schemaOf(responseFormat),
      modelSettings,
    },
  }
}

/** Whether a call goes on with an earlier one at the provider, or has a tool of the provider's that runs in a container with an id. */
function isContinued(tools: readonly unknown[], modelSettings: unknown): boolean {
  const settings = membersOf(modelSettings)
  const isNamed = ['previous_response_id', 'conversation'].some((name) => typeof settings[name] === 'string')
  return isNamed || tools.some((tool) => membersOf(tool)['schema'] === undefined && namesContainer(tool))
}

interface ModelIdentity {
  readonly provider: string
  readonly model: string
  readonly identity: unknown
}

/** What a model is: its type and parameters, or its name. */
function identityOf(model: unknown): ModelIdentity | undefined {
  if (typeof model === 'string') {
    const [provider = '', ...name] = model.split(':')
    return { provider: provider === '' ? 'langchain' : provider, model: name.join(':'), identity: model }
  }
  const [type, params] = [calledMethod(model, '_llmType'), calledMethod(model, '_identifyingParams')]
  // A class of the user's own that names no parameters has the same ones for all of its models.
  if (typeof type !== 'string' || Object.keys(membersOf(params)).length === 0) return undefined
  const { model: named, model_name: name } = membersOf(params)
  const asked: unknown = named ?? name
  return { provider: type === '' ? 'langchain' : type, model: typeof asked === 'string' ? asked : '', identity: [type, params] }
}

function calledMethod(object: unknown, name: string): unknown {
  const method: unknown = typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
  return typeof method === 'function' ? Reflect.apply(method, object, []) : undefined
}

/** What a model may see of a message, in an order of its own: a message from the cache may list its members otherwise. */
const seenMembers = [
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'status',
  'artifact',
  'role',
  'additional_kwargs',
  'response_metadata',
]

/** A message as a part of the key. LangGraph gives messages ids by chance, which no model sees; a model's own ids are in the metadata. */
function keyedMessage(message: unknown): unknown {
  if (!isMessage(message)) return message
  const { type, data } = storedMessage(message)
  const given: Members = membersOf(data)
  const id = type === 'ai' ? { id: given['id'] } : {}
  return { type, ...id, ...Object.fromEntries(seenMembers.map((name) => [name, given[name]])) }
}

/** A tool as a part of the key: what a model sees of it. */
function keyedTool(tool: unknown): unknown {
  const { name, description, schema, extras } = membersOf(tool)
  return typeof name === 'string' && schema !== undefined ? { name, description, schema: schemaOf(schema), extras } : tool
}

/** A schema as JSON. What is no schema stays as it is: if JSON cannot hold it, the call is not cached. */
function schemaOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  try {
    return toJsonSchema(schema)
  } catch {
    return schema
  }
}

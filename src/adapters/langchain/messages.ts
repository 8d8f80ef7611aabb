/**
 * Messages of LangChain as they are stored, and what they say of the answer: its usage, its model, and how it ended.
 * @module
 */
import type { BaseMessage, StoredMessage } from '@langchain/core/messages'
import type { Usage } from '../../entry.ts'

/** An object with members. */
export type Members = Record<string, unknown>

/** `value` if it is an object with members, else one without any. */
export function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {}
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether `value` is a message. */
export function isMessage(value: unknown): value is BaseMessage {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'toDict') === 'function'
}

/** A message as plain JSON. */
export function storedMessage(message: BaseMessage): StoredMessage {
  return JSON.parse(JSON.stringify(message.toDict()))
}

/** The tokens that an answer used. */
export function usageIn(message: unknown): Usage | undefined {
  const { usage_metadata: usage } = dataOf(message)
  const { input_tokens: input, output_tokens: output, input_token_details: details } = membersOf(usage)
  if (typeof input !== 'number' || typeof output !== 'number') return undefined
  const { cache_read: cacheRead, cache_creation: cacheWrite } = membersOf(details)
  return { input, output, ...(typeof cacheRead === 'number' && { cacheRead }), ...(typeof cacheWrite === 'number' && { cacheWrite }) }
}

/** The model that gave an answer. */
export function modelIn(message: unknown): string | undefined {
  const metadata = membersOf(dataOf(message)['response_metadata'])
  const name: unknown = metadata['model_name'] ?? metadata['model']
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** Names of providers under which a model was cut short, or refused, or failed. Other reasons are those of a complete answer. */
const reasons: Readonly<Record<string, string>> = {
  model_context_window_exceeded: 'length',
  context_length_exceeded: 'length',
  error_limit: 'length',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
  recitation: 'content_filter',
  blocklist: 'content_filter',
  prohibited_content: 'content_filter',
  spii: 'content_filter',
  sensitive: 'content_filter',
  error_toxic: 'content_filter',
  error: 'error',
  failed: 'error',
  incomplete: 'incomplete',
  pause_turn: 'incomplete',
  malformed_function_call: 'malformed',
  malformed_tool_use: 'malformed',
  malformed_model_output: 'malformed',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  content_filter: 'content_filter',
  safety: 'content_filter',
  refusal: 'content_filter',
}

/** Why an answer is not stored. */
export function skipReason(message: unknown): string | undefined {
  const data = dataOf(message)
  const { response_metadata: given, content, tool_calls: calls, invalid_tool_calls: invalid, additional_kwargs: kwargs } = data
  const metadata = membersOf(given)
  const found = ended.map((name) => reasonOf(metadata[name])).find((reason) => reason !== undefined)
  if (found !== undefined) return found
  if (metadata['error'] !== undefined && metadata['error'] !== null) return 'error'
  if (isRefusal(membersOf(kwargs), content)) return 'refusal'
  // A tool cannot be called with arguments that are no JSON.
  if (Array.isArray(invalid) && invalid.length > 0) return 'malformed'
  if (namesContainer(data)) return 'container'
  const isEmpty = content === '' || content === undefined || (Array.isArray(content) && content.length === 0)
  return isEmpty && !(Array.isArray(calls) && calls.length > 0) ? 'empty' : undefined
}

/** Where models say how they ended; `status` is OpenAI's, of responses. */
const ended = ['finish_reason', 'finishReason', 'stop_reason', 'stopReason', 'status']

function reasonOf(reason: unknown): string | undefined {
  return typeof reason === 'string' ? reasons[reason.toLowerCase()] : undefined
}

function isRefusal({ refusal }: Members, content: unknown): boolean {
  if (typeof refusal === 'string' && refusal !== '') return true
  return Array.isArray(content) && content.some((part: unknown) => membersOf(part)['type'] === 'refusal')
}

/**
 * Whether a request or an answer names a container at the provider by its id. The provider deletes it soon, and what an answer cites of it. A
 * tool's input is the user's own, in which a container may be anything.
 */
export function namesContainer(value: unknown): boolean {
  const { tool_calls: _, ...rest } = membersOf(value)
  return /"container(?:_id|Id)?":"[^"]/.test(JSON.stringify(rest)) || /"container":\{"[^}]*"?id":"/.test(JSON.stringify(rest))
}

/** The members of a stored message. */
function dataOf(message: unknown): Members {
  return membersOf(membersOf(message)['data'])
}

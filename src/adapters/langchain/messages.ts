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

/** Names of providers under which a model was cut short, or refused. Other reasons are those of a complete answer. */
const reasons: Readonly<Record<string, string>> = {
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
  const { response_metadata: given, content, tool_calls: calls } = dataOf(message)
  const metadata = membersOf(given)
  const reason: unknown = metadata['finish_reason'] ?? metadata['finishReason'] ?? metadata['stop_reason'] ?? metadata['stopReason']
  const found = typeof reason === 'string' ? reasons[reason.toLowerCase()] : undefined
  if (found !== undefined) return found
  const isEmpty = content === '' || content === undefined || (Array.isArray(content) && content.length === 0)
  return isEmpty && !(Array.isArray(calls) && calls.length > 0) ? 'empty' : undefined
}

/** The members of a stored message. */
function dataOf(message: unknown): Members {
  return membersOf(membersOf(message)['data'])
}

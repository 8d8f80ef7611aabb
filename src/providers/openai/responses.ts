/**
 * OpenAI's responses.
 * Source: https://platform.openai.com/docs/api-reference/responses
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type Endpoint } from '../endpoint.ts'
import { hasError, inputUsage } from './body.ts'
import { openaiIgnored } from './ignored.ts'
import { hasOnly, withPlainText } from './messages.ts'
import { assembleResponse, disassembleResponse } from './responses-stream.ts'
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
  streaming: { assemble: assembleResponse, disassemble: disassembleResponse },
  bypassReason,
  normalise,
  skipReason,
  usage: inputUsage,
}

/** A request that continues or changes state at the provider has another answer each time. */
function bypassReason(request: JsonObject): string | undefined {
  for (const field of ['previous_response_id', 'conversation']) if (request[field] !== undefined && request[field] !== null) return field
  return request['background'] === true ? 'background' : undefined
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
  return output.some(saysSomething) ? undefined : 'empty'
}

/** Whether an output item answers. Reasoning alone does not, nor does a message of empty texts. */
function saysSomething(item: unknown): boolean {
  if (!isJsonObject(item) || item['type'] === 'reasoning') return false
  if (item['type'] !== 'message') return true
  const { content } = item
  return Array.isArray(content) && content.some((part: unknown) => isJsonObject(part) && part['text'] !== '' && part['refusal'] !== '')
}

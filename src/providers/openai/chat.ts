/**
 * OpenAI's chat completions, and those of other servers with the same protocol.
 * Source: https://platform.openai.com/docs/api-reference/chat
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type Endpoint } from '../endpoint.ts'
import { hasError, isJsonText, promptUsage } from './body.ts'
import { assembleChat, disassembleChat, outlineChat } from './chat-stream.ts'
import { adaptUsage, choicesOf, omitsUsage } from './chunks.ts'
import { judgeFinish } from './finish-reasons.ts'
import { openaiIgnored } from './ignored.ts'
import { withPlainText } from './messages.ts'
import { openaiChatPlaces } from './places.ts'
import { chunkUsage } from './stream-usage.ts'

/** The roles whose content may be a string or text parts, with the same meaning. A `function` message has only a string. */
const roles = ['user', 'assistant', 'system', 'developer', 'tool']

/** Chat completions. */
export const openaiChat: Endpoint = {
  provider: 'openai',
  name: 'chat.completions',
  path: '/chat/completions',
  operation: 'chat',
  ignored: openaiIgnored.chat,
  place: openaiChatPlaces,
  streaming: { assemble: assembleChat, outline: outlineChat, disassemble: disassembleChat, adapt: adaptUsage, usageOnRequest: chunkUsage },
  bypassReason: () => undefined,
  normalise(request) {
    const { messages } = request
    if (!Array.isArray(messages)) return request
    const plain = withPlainText(messages, roles, 'text')
    return plain === messages ? request : { ...request, messages: plain }
  },
  missingParts: omitsUsage,
  skipReason,
  expiresAt,
  usage: promptUsage,
}

/** When the audio of an answer can no longer be referred to. */
function expiresAt(answer: JsonObject): number | undefined {
  const times = (choicesOf(answer) ?? []).flatMap((choice) => {
    const message = isJsonObject(choice) ? choice['message'] : undefined
    const audio = isJsonObject(message) ? message['audio'] : undefined
    const seconds = isJsonObject(audio) ? audio['expires_at'] : undefined
    return typeof seconds === 'number' ? [seconds * 1_000] : []
  })
  return times.length === 0 ? undefined : Math.min(...times)
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const choices = choicesOf(answer)
  if (choices === undefined) return 'malformed'
  if (choices.length === 0) return 'empty'
  for (const choice of choices) {
    if (!isJsonObject(choice) || !isJsonObject(choice['message'])) return 'malformed'
    const { message } = choice
    const reason = errorOf(choice, message) ?? judgeFinish(choice['finish_reason']) ?? judgeMessage(message)
    if (reason !== undefined) return reason
    if (saysNothing(message)) return 'empty'
  }
  return undefined
}

/** OpenRouter puts the error of a model's maker into the choice. */
function errorOf(choice: JsonObject, message: JsonObject): string | undefined {
  return hasError(choice) || hasError(message) ? 'error' : undefined
}

function judgeMessage(message: JsonObject): string | undefined {
  if (refuses(message)) return 'refusal'
  return callsOf(message).every(isWhole) ? undefined : 'malformed'
}

/** Why a choice forbids storing that ended well by its own reason; `undefined` if nothing in it does. */
export function judgeChoice(choice: JsonObject): string | undefined {
  const message = isJsonObject(choice['message']) ? choice['message'] : {}
  return errorOf(choice, message) ?? judgeMessage(message)
}

/** Whether a message refuses, as OpenAI says it, or by a part of its content. */
function refuses({ refusal, content }: JsonObject): boolean {
  if (typeof refusal === 'string' && refusal !== '') return true
  return (
    Array.isArray(content) && content.some((part: unknown) => isJsonObject(part) && part['type'] === 'refusal' && part['refusal'] !== '')
  )
}

/** The functions that a message calls, in either form. */
function callsOf({ tool_calls: calls, function_call: call }: JsonObject): unknown[] {
  const tools: readonly unknown[] = Array.isArray(calls) ? calls : []
  return [...tools.map((tool) => (isJsonObject(tool) ? tool['function'] : undefined)), call]
}

/** Whether the arguments of a call are JSON, as the tool needs them. */
function isWhole(call: unknown): boolean {
  return !isJsonObject(call) || isJsonText(call['arguments'])
}

/** Whether a message has no answer in it. Reasoning alone is no answer. */
function saysNothing(message: JsonObject): boolean {
  const { content, refusal, tool_calls: calls, function_call: call, audio } = message
  return ![content, refusal, calls].some(isFilled) && !isJsonObject(call) && !isJsonObject(audio)
}

function isFilled(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0
}

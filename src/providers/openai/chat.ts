/**
 * OpenAI's chat completions, and those of other servers with the same protocol.
 * Source: https://platform.openai.com/docs/api-reference/chat
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type Endpoint } from '../endpoint.ts'
import { hasError, promptUsage } from './body.ts'
import { assembleChat, disassembleChat } from './chat-stream.ts'
import { adaptUsage, choicesOf, judgeFinish, omitsUsage } from './chunks.ts'
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
  streaming: { assemble: assembleChat, disassemble: disassembleChat, adapt: adaptUsage, usageOnRequest: chunkUsage },
  bypassReason: () => undefined,
  normalise(request) {
    const { messages } = request
    if (!Array.isArray(messages)) return request
    const plain = withPlainText(messages, roles, 'text')
    return plain === messages ? request : { ...request, messages: plain }
  },
  missingParts: omitsUsage,
  skipReason,
  usage: promptUsage,
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const choices = choicesOf(answer)
  if (choices === undefined) return 'malformed'
  if (choices.length === 0) return 'empty'
  for (const choice of choices) {
    if (!isJsonObject(choice) || !isJsonObject(choice['message'])) return 'malformed'
    const reason = judgeFinish(choice['finish_reason'])
    if (reason !== undefined) return reason
    if (saysNothing(choice['message'])) return 'empty'
  }
  return undefined
}

/** Whether a message has no answer in it. Reasoning alone is no answer. */
function saysNothing(message: JsonObject): boolean {
  const { content, refusal, tool_calls: calls, function_call: call, audio } = message
  return ![content, refusal, calls].some(isFilled) && !isJsonObject(call) && !isJsonObject(audio)
}

function isFilled(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0
}

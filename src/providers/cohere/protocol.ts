/**
 * Cohere's API, version 2.
 * Source: https://docs.cohere.com/reference/chat, https://docs.cohere.com/v2/docs/streaming, https://docs.cohere.com/reference/embed,
 * https://docs.cohere.com/reference/rerank
 * @module
 */
import type { Usage } from '../../entry.ts'
import { count, isCounted, isJsonObject } from '../../json/object.ts'
import { partsIn, protocolOfEndpoints } from '../define-endpoint.ts'
import { isJsonText } from '../openai/body.ts'
import { judgeFinish } from '../openai/finish-reasons.ts'
import type { Protocol } from '../protocol.ts'
import { rerankOf } from '../rerank.ts'
import { textEmbeddings } from './embeddings.ts'
import { assembleCohere, disassembleCohere } from './chat-stream.ts'

const chat = partsIn({
  provider: 'cohere',
  name: 'chat',
  match: '/v2/chat',
  streaming: {
    assemble: assembleCohere,
    disassemble: disassembleCohere,
    eventName: ({ type }) => (typeof type === 'string' ? type : undefined),
  },
  skipReason({ message, finish_reason: finish }) {
    if (!isJsonObject(message)) return 'malformed'
    const reason = judgeFinish(finish)
    if (reason !== undefined) return reason
    const { content, tool_calls: calls } = message
    if (Array.isArray(calls) && !calls.every(isWhole)) return 'malformed'
    const answers =
      Array.isArray(content) &&
      content.some((block: unknown) => isJsonObject(block) && block['type'] !== 'thinking' && block['text'] !== '')
    return answers || (Array.isArray(calls) && calls.length > 0) ? undefined : 'empty'
  },
  usage: ({ usage }) => tokensIn(usage),
})

const embed = partsIn({
  provider: 'cohere',
  name: 'embed',
  match: '/v2/embed',
  operation: 'embeddings',
  skipReason({ embeddings }) {
    if (!isJsonObject(embeddings)) return 'malformed'
    const lists = Object.values(embeddings)
    return lists.some((list) => Array.isArray(list) && list.length > 0) ? undefined : 'empty'
  },
  usage: ({ meta }) => tokensIn(meta),
  perInput: textEmbeddings,
})

/** The protocol of Cohere. Other servers that rerank have its form. */
export const cohereProtocol: Protocol = protocolOfEndpoints([chat, embed, rerankOf('cohere', () => true)])

/** Whether the arguments of a tool's call are JSON, as the tool needs them. */
function isWhole(call: unknown): boolean {
  const called = isJsonObject(call) ? call['function'] : undefined
  return !isJsonObject(called) || isJsonText(called['arguments'])
}

/** The tokens of a usage or a meta: those that were processed, else those that were billed. */
function tokensIn(value: unknown): Usage | undefined {
  if (!isJsonObject(value)) return undefined
  const counts = [value['tokens'], value['billed_units']].find(
    (each) => isJsonObject(each) && isCounted(each, ['input_tokens', 'output_tokens']),
  )
  return isJsonObject(counts) ? { input: count(counts['input_tokens']), output: count(counts['output_tokens']) } : undefined
}

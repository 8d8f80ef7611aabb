/**
 * Chats in OpenAI's protocol, as the contract drives every SDK that speaks it.
 * @module
 */
import { isJsonObject } from '../../../src/json/object.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import type { ProviderReply, ProviderRequest, StreamPart } from '../../support/provider-server.ts'
import type { ClientUnderTest } from './under-test.ts'

/** All that the contract needs but the SDK's client. */
type Chats = Omit<ClientUnderTest<object>, 'make' | 'ask'>

/** Chats as every SDK reads them. */
export const openaiChat: Chats = {
  params: (prompt, streamed) => ({
    model: 'gpt-test',
    messages: [{ role: 'user', content: prompt }],
    ...(streamed && { stream: true, stream_options: { include_usage: true } }),
  }),
  answer: answering(0),
  refuse,
  textOf: (result) => textAt(result, 'message'),
  textOfEvent: (event) => textAt(event, 'delta'),
  operation: 'chat',
  tokens: 21,
}

/** Chats for an SDK that gives an event only when the next one has come: the server waits one event later. */
export const lateChat: Chats = { ...openaiChat, answer: answering(1) }

/** @param late how many events more are sent before a pause */
function answering(late: number): Chats['answer'] {
  return (request, reply, text, { pause, end = 'complete', stop } = {}) => {
    const finish = stop === 'cut short' ? 'length' : 'stop'
    const headers = { 'x-request-id': 'req_1' }
    if (!isStreamed(request)) return reply.json(completion(text, undefined, finish), { headers })
    const [start, middle, rest] = chunksOf(text, finish)
    const events = [...start, ...middle, ...(end.startsWith('complete') ? rest : [])]
    const at = start.length + late
    const parts: StreamPart[] = pause === undefined ? events : [...events.slice(0, at), pause, ...events.slice(at)]
    return reply.events(parts, { headers, end: end.endsWith('reset') ? 'reset' : 'clean' })
  }
}

function isStreamed({ body }: ProviderRequest): boolean {
  return isJsonObject(body) && body['stream'] === true
}

function refuse(reply: ProviderReply, status: number): void {
  const error = { message: `refused with ${status}`, type: 'some_error', param: 'model', code: `code_${status}` }
  reply.json({ error }, { status, headers: { 'retry-after-ms': '1', 'x-request-id': `req_${status}` } })
}

/** The text of the first choice in an answer or a chunk. */
export function textAt(answer: unknown, member: 'message' | 'delta'): string {
  const choices: unknown = isJsonObject(answer) ? answer['choices'] : undefined
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const message: unknown = isJsonObject(choice) ? choice[member] : undefined
  const content: unknown = isJsonObject(message) ? message['content'] : undefined
  return typeof content === 'string' ? content : ''
}

/**
 * Answers in the protocol of Anthropic, as the tests' provider gives them: whole, and as the events of a stream.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { ProviderReply, ProviderRequest } from './provider-server.ts'

const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test-1' }
const input = { input_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }

/** A whole message of these blocks. */
export function message(content: readonly JsonObject[], stop = 'end_turn', rest: JsonObject = {}): JsonObject {
  return { ...head, content, stop_reason: stop, stop_sequence: null, usage: { ...input, output_tokens: 12 }, ...rest }
}

/** A text block. */
export function text(said: string): JsonObject {
  return { type: 'text', text: said, citations: null }
}

/** The events of a stream of one text: up to its first piece, to its last one, and from there to the end mark. */
export function textEvents(said: string, stop = 'end_turn'): [ServerEvent[], ServerEvent[], ServerEvent[]] {
  const first = said.slice(0, 3)
  return [
    [begun(), event('content_block_start', { index: 0, content_block: text('') }), event('ping', {}), textDelta(first)],
    [textDelta(said.slice(first.length))],
    [event('content_block_stop', { index: 0 }), ...ended(stop)],
  ]
}

/** The events of a stream of these blocks, each as a start and its deltas. */
export function blockEvents(blocks: readonly (readonly [start: JsonObject, ...deltas: JsonObject[]])[], stop: string): ServerEvent[] {
  const events = blocks.flatMap(([start, ...deltas], index) => [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ])
  return [begun(), ...events, ...ended(stop)]
}

/** One event of a stream. */
export function event(type: string, members: JsonObject): ServerEvent {
  return { event: type, data: JSON.stringify({ type, ...members }) }
}

/** Answers with the provider's own form of an error; one that may be retried asks to be retried after a millisecond. */
export function refuse(reply: ProviderReply, status: number, type = 'some_error'): void {
  const error = { type, message: `refused with ${status}` }
  const headers = { 'retry-after-ms': '1', 'request-id': `req_${status}` }
  reply.json({ type: 'error', error, request_id: `req_${status}` }, { status, headers })
}

/** Whether a call is for a stream. */
export function isStreamed({ body }: Pick<ProviderRequest, 'body'>): boolean {
  return isJsonObject(body) && body['stream'] === true
}

function textDelta(piece: string): ServerEvent {
  return event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } })
}

function begun(): ServerEvent {
  const usage = { ...input, output_tokens: 1 }
  return event('message_start', { message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage } })
}

function ended(stop: string): ServerEvent[] {
  return [
    event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 12 } }),
    event('message_stop', {}),
  ]
}

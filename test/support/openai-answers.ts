/**
 * Answers in the protocol of OpenAI, as the tests' provider gives them: whole, and as the events of a stream.
 * @module
 */
import type { JsonObject } from '../../src/json/object.ts'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'

/** A call of a function by the model. */
export interface FunctionCall {
  readonly name: string
  readonly arguments: string
}

const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const head = { id: 'chatcmpl-1', created: 1_750_000_000, model: 'gpt-test-1' }
const responseUsage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 21,
}

/** A whole chat completion. */
export function completion(text: string | null, call?: FunctionCall, finish = call === undefined ? 'stop' : 'tool_calls'): JsonObject {
  const calls = call === undefined ? {} : { tool_calls: [{ id: 'call_1', type: 'function', function: call }] }
  const message = { role: 'assistant', content: text, refusal: null, ...calls }
  return { ...head, object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: finish }], usage }
}

/** The events of a stream of chunks with their usage: up to its first text, to its end mark, and that. */
export function chunksOf(text: string, finish = 'stop'): [ServerEvent[], ServerEvent[], ServerEvent[]] {
  const first = text.slice(0, 3)
  return [
    [delta({ role: 'assistant', content: '', refusal: null }), delta({ content: first })],
    [delta({ content: text.slice(first.length) })],
    [delta({}, finish), chunk({ choices: [], usage }), { data: '[DONE]' }],
  ]
}

/** The events of a stream that calls a function, its arguments in two pieces. */
export function callChunksOf(call: FunctionCall): ServerEvent[] {
  const { name, arguments: given } = call
  const piece = (rest: JsonObject): ServerEvent => delta({ tool_calls: [{ index: 0, ...rest }] })
  return [
    delta({ role: 'assistant', content: null, refusal: null }),
    piece({ id: 'call_1', type: 'function', function: { name, arguments: '' } }),
    piece({ function: { arguments: given.slice(0, 3) } }),
    piece({ function: { arguments: given.slice(3) } }),
    delta({}, 'tool_calls'),
    chunk({ choices: [], usage }),
    { data: '[DONE]' },
  ]
}

function delta(given: JsonObject, finish: string | null = null): ServerEvent {
  return chunk({ choices: [{ index: 0, delta: given, logprobs: null, finish_reason: finish }], usage: null })
}

function chunk(rest: JsonObject): ServerEvent {
  return { data: JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest }) }
}

/** A whole response. */
export function response(text: string): JsonObject {
  return { ...responseHead, status: 'completed', output: [outputMessage(text, 'completed')], usage: responseUsage }
}

/** The events of a stream of a response. */
export function responseEvents(text: string): ServerEvent[] {
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  const begun = { ...responseHead, status: 'in_progress', output: [], usage: null }
  const part = { type: 'output_text', annotations: [], logprobs: [], text: '' }
  const half = Math.ceil(text.length / 2)
  const events: [string, JsonObject][] = [
    ['response.created', { response: begun }],
    ['response.in_progress', { response: begun }],
    ['response.output_item.added', { output_index: 0, item: { ...outputMessage('', 'in_progress'), content: [] } }],
    ['response.content_part.added', { ...place, part }],
    ['response.output_text.delta', { ...place, delta: text.slice(0, half), logprobs: [] }],
    ['response.output_text.delta', { ...place, delta: text.slice(half), logprobs: [] }],
    ['response.output_text.done', { ...place, text, logprobs: [] }],
    ['response.content_part.done', { ...place, part: { ...part, text } }],
    ['response.output_item.done', { output_index: 0, item: outputMessage(text, 'completed') }],
    ['response.completed', { response: response(text) }],
  ]
  return events.map(([type, rest], index) => ({ event: type, data: JSON.stringify({ type, sequence_number: index, ...rest }) }))
}

const responseHead = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_750_000_000,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'gpt-test-1',
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
}

function outputMessage(text: string, status: string): JsonObject {
  const content = [{ type: 'output_text', annotations: [], logprobs: [], text }]
  return { type: 'message', id: 'msg_1', status, role: 'assistant', content }
}

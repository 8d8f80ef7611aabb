import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { ResponseStream } from 'openai/lib/responses/ResponseStream'
import { describe, expect, it } from 'vitest'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, streamOf, verdicts } from '../../support/verdicts.ts'

const streaming = openaiResponses.streaming ?? expect.fail('responses are streamed')

/** The answer that the SDK makes of a stream, by an accumulator that is not ours. */
async function accumulate(events: readonly ServerEvent[]): Promise<JsonObject> {
  return bodyOf(await ResponseStream.fromReadableStream(streamOf(events)).finalResponse())
}

/** The content of the deltas alone, without the events that repeat a text, an item or the answer as a whole. */
function deltasOf(events: readonly ServerEvent[]): ServerEvent[] {
  return events.filter(({ event = '' }) => !/\.(?:done|completed|incomplete)$/.test(event))
}

/** The parts of an output item that are streamed in deltas. */
function streamed(item: unknown): unknown {
  if (!isJsonObject(item)) return item
  const { id, type, content, summary, arguments: args, input, code, name, role, call_id } = item
  return { id, type, summary, arguments: args, input, code, name, role, call_id, content: plain(content) }
}

/** Parts without the members that the SDK adds to them. */
function plain(content: unknown): unknown {
  return Array.isArray(content) ? content.map((part: unknown) => (isJsonObject(part) ? { ...part, parsed: undefined } : part)) : content
}

function outputOf(answer: JsonObject): readonly unknown[] {
  if (!Array.isArray(answer['output'])) throw new TypeError('no output')
  return answer['output']
}

function events(...parts: JsonObject[]): ServerEvent[] {
  return parts.map((part) => ({ event: String(part['type']), data: JSON.stringify(part) }))
}

/** The steps of a stream. How often a text is cut, and a tool's progress, are left out: the answer does not hold them. */
function steps(stream: readonly ServerEvent[]): string[] {
  return stream
    .map(({ event = '', data }) => `${event} ${/"item_id":"[^"]*"/.exec(data)?.[0] ?? ''}`)
    .filter((step, at, all) => step !== all[at - 1] && !/mcp_list_tools\.|mcp_call\.in_progress/.test(step))
}

function skipReason(output: unknown, status: unknown = 'completed', rest: JsonObject = {}): string | undefined {
  return openaiResponses.skipReason({ status, output, ...rest })
}

describe.skipIf(!recordingsFound)('recorded responses', () => {
  const recorded = recordings('openai-responses')
  const verdict = verdicts(openaiResponses, recorded)

  it('B11 S04 S06: each is stored, or not, for its reason', () => {
    expect(verdict).toEqual({
      // Complete: tool calls of every kind are answers, as the caller continues from them.
      'openai-apply-patch-tool-delete.1.stream.jsonl': 'storable',
      'openai-apply-patch-tool.1.json': 'storable',
      'openai-apply-patch-tool.1.stream.jsonl': 'storable',
      'openai-client-tool-search.1.json': 'storable',
      'openai-client-tool-search.1.stream.jsonl': 'storable',
      'openai-code-interpreter-tool.1.json': 'storable',
      'openai-code-interpreter-tool.1.stream.jsonl': 'storable',
      'openai-custom-tool.1.json': 'storable',
      // It has no sequence numbers and no `custom_tool_call_input.done`, but its end mark holds the whole answer.
      'openai-custom-tool.1.stream.jsonl': 'storable',
      'openai-mcp-tool-approval.2.json': 'storable',
      'openai-mcp-tool-approval.2.stream.jsonl': 'storable',
      'openai-mcp-tool-approval.4.json': 'storable',
      'openai-mcp-tool-approval.4.stream.jsonl': 'storable',
      'openai-shell-container-multiturn.1.json': 'storable',
      'openai-shell-container-multiturn.1.stream.jsonl': 'storable',
      'openai-shell-container.1.json': 'storable',
      'openai-shell-container.1.stream.jsonl': 'storable',
      'openai-shell-local-multiturn.1.json': 'storable',
      'openai-shell-local-multiturn.1.stream.jsonl': 'storable',
      'parallel-tool-call-wrapper.1.json': 'storable',
      'programmatic-tool-calling.3.json': 'storable',
      'programmatic-tool-calling.3.stream.jsonl': 'storable',
      // The call is still in progress, as a program waits for it, but the response is completed: the caller is next.
      'programmatic-tool-calling.2.json': 'storable',
      'programmatic-tool-calling.2.stream.jsonl': 'storable',
      'openai-reasoning-encrypted-content.1.json': 'storable',
      // Four responses of one conversation in one stream: none of them is the answer to one request.
      'openai-reasoning-encrypted-content.1.stream.jsonl': 'incomplete stream',
      // The last line, `response.completed`, lacks its closing brace.
      'parallel-tool-call-wrapper.1.stream.jsonl': 'incomplete stream',
      // The account has no money left: an error in the middle of the stream, and `response.failed`.
      'openai-error.1.json': 'error',
      'openai-error.1.stream.jsonl': 'incomplete stream',
      'reasoning-model-temperature-error.json': 'error',
    })
  })

  const complete = recorded.filter(({ name }) => verdict[`${name}.stream.jsonl`] === 'storable')
  // The SDK does not know the events of a streamed patch, and throws.
  const known = complete.filter(({ events: recording = [] }) => !recording.some(({ event = '' }) => event.includes('apply_patch_call')))

  it.each(known)('assembles the stream $name as the SDK does', async ({ events: recording = [] }) => {
    expect(await accumulate(recording)).toMatchObject(streaming.assemble(recording) ?? {})
  })

  it.each(complete)('S04: no part of the stream $name is complete', ({ events: recording = [] }) => {
    for (let end = 0; end < recording.length; end += 1) expect(streaming.assemble(recording.slice(0, end))).toBeUndefined()
  })

  const wholes = recorded.filter(({ name }) => verdict[`${name}.json`] === 'storable')

  it.each(wholes)('S09: streams the whole answer $name so that the SDK and the cache read it back', async ({ whole = '' }) => {
    const answer = bodyOf(JSON.parse(whole))
    const made = streaming.disassemble(answer, { stream: true })
    expect(await accumulate(made)).toMatchObject(answer)
    expect(streaming.assemble(made)).toEqual(answer)
  })

  it.each(wholes)('S09: the deltas made of $name alone hold all of its content', async ({ whole = '' }) => {
    const answer = bodyOf(JSON.parse(whole))
    const read = await accumulate(deltasOf(streaming.disassemble(answer, { stream: true })))
    expect(outputOf(read).map(streamed)).toEqual(outputOf(answer).map(streamed))
  })

  it.each(complete.filter(({ name }) => /mcp|code-interp|container-multi|programmatic/.test(name)))(
    'streams the answer of $name in the events in which it was streamed',
    ({ events: recording = [] }) => {
      const answer = streaming.assemble(recording) ?? {}
      expect(steps(streaming.disassemble(answer, {}))).toEqual(steps(recording))
    },
  )
})

describe('a stream of a response', () => {
  const message = {
    type: 'message',
    id: 'm',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
  }
  const created = { type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } }
  const answer = { id: 'r', status: 'completed', output: [message] }
  const completed = { type: 'response.completed', response: answer }

  it('is complete with `response.completed`, even if `[DONE]` follows', () => {
    expect(streaming.assemble(events(created, completed))).toEqual(answer)
    expect(streaming.assemble([...events(created, completed), { data: '[DONE]' }])).toEqual(answer)
  })

  it('S06: gives an incomplete answer with that status', () => {
    const incomplete = { ...answer, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    const assembled = streaming.assemble(events(created, { type: 'response.incomplete', response: incomplete }))
    expect(assembled).toEqual(incomplete)
    expect(openaiResponses.skipReason(assembled ?? {})).toBe('incomplete')
    expect(streaming.disassemble(incomplete, {}).at(-1)?.event).toBe('response.incomplete')
  })

  it.each<[string, ServerEvent[]]>([
    ['S04 without its end', events(created)],
    ['after an error', events(created, { type: 'error', message: 'x' }, completed)],
    ['after an error event', [...events(created), { event: 'error', data: '{}' }, ...events(completed)]],
    ['that failed', events(created, { type: 'response.failed', response: { id: 'r', status: 'failed' } })],
    ['of two responses', events(created, { type: 'response.completed', response: { ...answer, id: 'other' } })],
    ['that goes on after its end', events(created, completed, { type: 'response.output_text.delta', delta: 'x' })],
    ['with a damaged end', [...events(created), { data: '{"type":"response.completed","response":{"id":"r"' }]],
  ])('is not complete %s', (_, recording) => {
    expect(streaming.assemble(recording)).toBeUndefined()
  })

  it('gets its output from the finished items if its end leaves them out', () => {
    const items = [1, 0].map((at) => ({ type: 'response.output_item.done', output_index: at, item: { ...message, id: `m${at}` } }))
    const end = { type: 'response.completed', response: { ...answer, output: [] } }
    expect(streaming.assemble(events(created, ...items, end))).toEqual({
      ...answer,
      output: [
        { ...message, id: 'm0' },
        { ...message, id: 'm1' },
      ],
    })
  })

  it('is not ended by a text that names its end mark', () => {
    const said = { type: 'response.output_text.delta', delta: JSON.stringify(completed), item: { type: 'error' } }
    expect(streaming.assemble(events(created, said))).toBeUndefined()
    expect(streaming.assemble(events(created, said, completed))).toEqual(answer)
  })
})

describe('streaming a whole response', () => {
  const text = fc.string()
  const score = fc.record({ token: text, logprob: fc.integer({ max: 0 }), bytes: fc.array(fc.nat(255)), top_logprobs: fc.constant([]) })
  const part = fc.oneof(
    fc.record({
      type: fc.constant('output_text'),
      text,
      annotations: fc.array(fc.record({ type: fc.constant('url_citation'), url: fc.webUrl() })),
      logprobs: fc.array(score),
    }),
    fc.record({ type: fc.constant('refusal'), refusal: text }),
  )
  const item = fc.oneof(
    fc.record({ type: fc.constant('message'), role: fc.constant('assistant'), status: fc.constant('completed'), content: fc.array(part) }),
    fc.record({
      type: fc.constant('reasoning'),
      summary: fc.array(fc.record({ type: fc.constant('summary_text'), text })),
      content: fc.array(fc.record({ type: fc.constant('reasoning_text'), text })),
    }),
    fc.record({ type: fc.constant('function_call'), name: text, arguments: text, call_id: fc.uuid(), status: fc.constant('completed') }),
    fc.record({ type: fc.constant('custom_tool_call'), name: text, input: text, call_id: fc.uuid() }),
    fc.record({ type: fc.constant('mcp_call'), name: text, arguments: text, server_label: text, output: text }),
    fc.record({ type: fc.constant('code_interpreter_call'), code: text, outputs: fc.constant(null), status: fc.constant('completed') }),
    fc.record({ type: fc.constant('web_search_call'), status: fc.constant('completed') }),
    fc.record({ type: fc.constant('image_generation_call'), result: text, status: fc.constant('completed') }),
  )
  const response = fc.record({
    id: fc.uuid(),
    object: fc.constant('response'),
    status: fc.constant('completed'),
    model: text,
    output: fc.array(item, { maxLength: 5 }).map((items) => items.map((each, index) => Object.assign({ id: `item_${index}` }, each))),
    usage: fc.record({ input_tokens: fc.nat() }),
  })

  it('S09: is undone by the SDK and by assembling it, and its deltas hold all of its content', async () => {
    await fc.assert(
      fc.asyncProperty(response, async (generated) => {
        const answer = bodyOf(generated)
        const made = streaming.disassemble(answer, {})
        expect(streaming.assemble(made)).toEqual(answer)
        expect(await accumulate(made)).toMatchObject(answer)
        const read = await accumulate(deltasOf(made))
        expect(outputOf(read).map(streamed)).toEqual(outputOf(answer).map(streamed))
      }),
    )
  })

  it('numbers its events, and begins with an empty answer', () => {
    const [first, ...rest] = streaming.disassemble(
      { id: 'r', status: 'completed', output: [{ type: 'message', id: 'm', content: [] }], usage: {} },
      {},
    )
    expect(JSON.parse(first?.data ?? '')).toMatchObject({
      type: 'response.created',
      sequence_number: 0,
      response: { status: 'in_progress', output: [], usage: null },
    })
    expect(rest.map(({ data }) => bodyOf(JSON.parse(data))['sequence_number'])).toEqual(rest.map((_, index) => index + 1))
  })
})

describe('B11: a response', () => {
  const said = { type: 'message', content: [{ type: 'output_text', text: 'x' }] }
  it.each(['failed', 'incomplete', 'cancelled', 'in_progress', 'queued'])('S06 is not stored when %s', (status) => {
    expect(skipReason([said], status)).toBe(status)
  })

  it.each<[string | undefined, unknown]>([
    [undefined, [said]],
    ['refusal', [{ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }]],
    [undefined, [{ type: 'reasoning' }, { type: 'function_call', name: 'f' }]],
    ['empty', []],
    ['empty', [{ type: 'reasoning' }]],
    ['empty', [{ type: 'message', content: [{ type: 'output_text', text: '' }] }]],
    ['empty', [{ type: 'message', content: [] }]],
    ['malformed', undefined],
  ])('is judged %s: %j', (verdict, output) => {
    expect(skipReason(output)).toBe(verdict)
  })

  it('is not stored with an error, or without a status', () => {
    expect(skipReason([said], 'completed', { error: { code: 'x' } })).toBe('error')
    expect(skipReason([said], 'completed', { error: null })).toBeUndefined()
    expect(skipReason([said], 'novel')).toBe('status')
    expect(openaiResponses.skipReason({ id: 'x' })).toBe('malformed')
  })
})

describe('a request for a response', () => {
  it.each<[string | undefined, JsonObject]>([
    ['previous_response_id', { previous_response_id: 'r' }],
    ['conversation', { conversation: { id: 'c' } }],
    ['background', { background: true }],
    [undefined, { previous_response_id: null, conversation: null, background: false }],
    [undefined, { prompt: { id: 'p' }, tools: [{ type: 'web_search' }] }],
  ])('is refused for %s: %j', (reason, request) => {
    expect(openaiResponses.bypassReason(request)).toBe(reason)
  })

  it.each<unknown>([
    [{ role: 'user', content: 'x' }],
    [{ type: 'message', role: 'user', content: 'x' }],
    [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }],
    [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] }],
  ])('means by %j its text', (...input) => {
    const request = { model: 'm', input }
    const before = structuredClone(request)
    expect(openaiResponses.normalise?.(request)).toEqual({ model: 'm', input: 'x' })
    expect(request).toEqual(before)
  })

  it('means the same with the type of a message and without', () => {
    const input = [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'd' }] },
      { role: 'user', content: 'u' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
    ]
    expect(openaiResponses.normalise?.({ input })).toEqual({
      input: [{ role: 'developer', content: 'd' }, { role: 'user', content: 'u' }, input[2]],
    })
  })

  it.each<[string, unknown]>([
    ['a text', 'x'],
    ['a single message that is not the user’s', [{ role: 'developer', content: 'x' }]],
    ['a message with another member', [{ role: 'user', content: 'x', phase: 'commentary' }]],
    ['an image', [{ role: 'user', content: [{ type: 'input_image', image_url: 'u' }] }]],
    ['a call', [{ type: 'function_call_output', call_id: 'c', output: 'x' }]],
    ['nothing', undefined],
  ])('stays the same object with %s', (_, input) => {
    const request = { input }
    expect(openaiResponses.normalise?.(request)).toBe(request)
  })

  it("has its answer's usage read with its details", () => {
    const usage = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
      output_tokens: 50,
      total_tokens: 150,
    }
    expect(openaiResponses.usage({ usage })).toEqual({ input: 100, output: 50, cacheRead: 40, cacheWrite: 10 })
    expect(openaiResponses.usage({ usage: null })).toBeUndefined()
  })
})

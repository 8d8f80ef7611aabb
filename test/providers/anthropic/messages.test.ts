import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf } from '../../support/verdicts.ts'

const marker = { type: 'ephemeral', ttl: '1h' }
const text = { type: 'text', text: 'x' }

const normalise = anthropicMessages.normalise ?? expect.fail('messages are normalised')

/** A fetched page with marks. */
const page = (mark: JsonObject): JsonObject => ({
  type: 'web_fetch_result',
  content: { type: 'document', source: { type: 'content', content: [{ ...text, ...mark }, text] }, ...mark },
})

const tool = (mark: JsonObject): JsonObject => ({ name: 'f', input_schema: { type: 'object' }, ...mark })

/** A request with a mark in each place that may have one. */
const requestMarked = (mark: JsonObject): JsonObject => ({
  ...mark,
  system: [text, { type: 'text', text: 'y', ...mark }],
  tools: [tool({}), tool(mark), { type: 'web_search_20250305', name: 'web_search', ...mark }],
  messages: [
    { role: 'user', content: [{ type: 'image', source: { type: 'base64', data: 'AA' }, ...mark }, text] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {}, ...mark }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ ...text, ...mark }], ...mark }, text] },
    { role: 'user', content: [{ type: 'web_fetch_tool_result', tool_use_id: 's', content: page(mark), ...mark }, text] },
    { role: 'user', content: [{ type: 'search_result', source: 'u', title: 't', content: [{ ...text, ...mark }] }, text] },
    { role: 'system', content: [{ type: 'tool_addition', tool: { type: 'tool_definition', definition: tool(mark) }, ...mark }] },
    { role: 'user', content: [{ type: 'tool_search_tool_result', content: { tool_references: [{ tool_name: 'f', ...mark }] } }] },
  ],
})

/** A marked request with this value in places where it has a meaning. */
const requestWith = (content: unknown): JsonObject => ({
  system: [{ type: 'text', text: 'x', cache_control: marker, content }],
  messages: [{ role: 'user', content: [{ type: 'document', source: content, cache_control: marker }] }],
})

function skipReason(content: unknown, stop: unknown, rest: JsonObject = {}): string | undefined {
  return anthropicMessages.skipReason({ type: 'message', content, stop_reason: stop, ...rest })
}

function usage(counts: JsonObject): unknown {
  return anthropicMessages.usage({ usage: counts })
}

describe('a request for a message', () => {
  it.each<[string | undefined, JsonObject]>([
    // These continue from state at the provider, which another call may have changed.
    ['thread', { thread: { type: 'create' } }],
    ['thread', { thread: { type: 'continue', previous_message_id: 'm' } }],
    ['container', { container: 'container_1' }],
    ['container', { container: { id: 'container_1', skills: [] } }],
    // It fills the provider's own cache, and must reach it.
    ['max_tokens', { max_tokens: 0 }],
    // A new container, with these skills.
    [undefined, { container: { skills: [{ type: 'anthropic', skill_id: 'pptx' }] } }],
    [undefined, { container: null, thread: null, max_tokens: 1 }],
    [undefined, { mcp_servers: [{ type: 'url', url: 'u' }], context_management: { edits: [] }, stream: true }],
  ])('is refused for %s: %j', (reason, request) => {
    expect(anthropicMessages.bypassReason(request)).toBe(reason)
  })

  it.each(['user', 'assistant', 'system'])('T04: is the same with the text of a %s message as a string and as one block', (role) => {
    const blocks = { model: 'm', messages: [{ role, content: [text] }] }
    const marked = { model: 'm', messages: [{ role, content: [{ ...text, cache_control: marker }] }] }
    const string = { model: 'm', messages: [{ role, content: 'x' }] }
    expect(normalise(blocks)).toEqual(string)
    expect(normalise(marked)).toEqual(string)
    expect(normalise(string)).toBe(string)
  })

  it('T04: is the same without the marks of the provider’s cache, in any place', () => {
    const bare = requestMarked({})
    const marked = requestMarked({ cache_control: marker })
    const before = structuredClone(marked)
    expect(normalise(marked)).toEqual(bare)
    expect(normalise(requestMarked({ cache_control: null }))).toEqual(bare)
    expect(marked).toEqual(before)
    expect(normalise(bare)).toBe(bare)
  })

  it.each<[string, JsonObject]>([
    [
      'an argument of that name',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { cache_control: 'no-store' } }] }] },
    ],
    ['a tool that takes such an argument', { tools: [{ name: 'f', input_schema: { properties: { cache_control: { type: 'string' } } } }] }],
    ['a citation', { messages: [{ role: 'user', content: [{ ...text, citations: [] }] }] }],
    ['two texts', { messages: [{ role: 'user', content: [text, text] }] }],
    ['an unknown role', { messages: [{ role: 'tool', content: [text] }] }],
    // The provider defines the two spellings as the same for messages only.
    ['a system prompt of one block', { system: [text] }],
    ['a result of one block', { messages: [{ role: 'user', content: [{ type: 'tool_result', content: [text] }] }] }],
    ['no lists', { system: 'x', messages: 'x' }],
    ['values that are no blocks', { system: [null, 1], messages: [null, 'x', { role: 'user' }], tools: ['x'] }],
  ])('T03: stays the same object with %s', (_, request) => {
    expect(normalise(request)).toBe(request)
  })

  it('T03: differs for two requests that differ in more than marks', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(value, value, (first, second) => {
        fc.pre(!JSON.stringify([first, second]).includes('cache_control'))
        fc.pre(JSON.stringify(first) !== JSON.stringify(second))
        expect(JSON.stringify(normalise(requestWith(first)))).not.toBe(JSON.stringify(normalise(requestWith(second))))
      }),
    )
  })

  it('B10: is not followed to an unlimited depth', () => {
    let nested: JsonObject = { cache_control: marker }
    for (let depth = 0; depth < 100_000; depth += 1) nested = { content: [nested] }
    const request = { messages: [{ role: 'user', content: [nested] }] }
    expect(normalise(request)).toBe(request)
  })
})

describe('B11: a message', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'end_turn'],
    [undefined, 'stop_sequence'],
    [undefined, 'tool_use'],
    // Any caller continues it by sending it back: the provider keeps no state of it.
    [undefined, 'pause_turn'],
    [undefined, 'compaction'],
    ['length', 'max_tokens'],
    ['length', 'model_context_window_exceeded'],
    ['refusal', 'refusal'],
    ['stop_reason', 'a reason to come'],
  ])('S06: is judged %s when it stops by %s', (verdict, stop) => {
    expect(skipReason([text], stop)).toBe(verdict)
  })

  it.each<[string | undefined, unknown]>([
    [undefined, [{ type: 'tool_use', input: {} }]],
    [undefined, [{ type: 'a block to come' }]],
    [undefined, [{ type: 'compaction', content: 'sum' }]],
    ['empty', []],
    ['empty', [{ type: 'text', text: '' }]],
    [
      'empty',
      [
        { type: 'thinking', thinking: 'hm' },
        { type: 'redacted_thinking', data: 'x' },
      ],
    ],
    ['empty', [{ type: 'compaction', content: null }]],
    ['empty', [{ type: 'fallback' }]],
    ['empty', [null]],
    ['malformed', 'Hi'],
    ['malformed', undefined],
  ])('is judged %s with the content %j', (verdict, content) => {
    expect(skipReason(content, 'end_turn')).toBe(verdict)
  })

  it('is judged by its stop reason first, then as empty', () => {
    expect(skipReason([], 'refusal')).toBe('refusal')
    expect(skipReason([], 'max_tokens')).toBe('length')
    expect(skipReason([text], null)).toBe('stop_reason')
  })

  it('is an error by its type or by its members', () => {
    expect(anthropicMessages.skipReason({ type: 'error', error: { type: 'overloaded_error' } })).toBe('error')
    expect(skipReason([text], 'end_turn', { error: { message: 'x' } })).toBe('error')
    expect(skipReason([text], 'end_turn', { error: null })).toBeUndefined()
  })

  it('is not stored if code in a container waits for the next request', () => {
    const rest = { container: { id: 'c', expires_at: 'soon' } }
    expect(skipReason([{ type: 'tool_use', caller: { type: 'code_execution_20260120' } }], 'tool_use', rest)).toBe('container')
    expect(skipReason([text], 'pause_turn', rest)).toBe('container')
    expect(skipReason([text], 'end_turn', rest)).toBeUndefined()
    expect(skipReason([text], 'tool_use', { container: null })).toBeUndefined()
  })
})

describe('the usage of a message', () => {
  it('counts what was read from and written to the provider’s cache among the input', () => {
    const counts = {
      input_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 70,
      cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 },
      output_tokens: 9,
    }
    expect(usage(counts)).toEqual({ input: 175, output: 9, cacheRead: 100, cacheWrite: 30, cacheWriteHour: 40 })
  })

  it.each<[unknown, JsonObject]>([
    // Without details, all written tokens have the usual five minutes.
    [
      { input: 75, output: 9, cacheRead: 0, cacheWrite: 70 },
      { input_tokens: 5, output_tokens: 9, cache_creation_input_tokens: 70, cache_read_input_tokens: 0 },
    ],
    [
      { input: 5, output: 9 },
      { input_tokens: 5, output_tokens: 9, cache_read_input_tokens: null, cache_creation: null },
    ],
    // A stream that wrote more after its start, which had the details.
    [
      { input: 105, output: 9, cacheWrite: 60, cacheWriteHour: 40 },
      { input_tokens: 5, output_tokens: 9, cache_creation_input_tokens: 100, cache_creation: { ephemeral_1h_input_tokens: 40 } },
    ],
    [
      { input: 75, output: 9, cacheWrite: 30, cacheWriteHour: 40 },
      { input_tokens: 5, output_tokens: 9, cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 } },
    ],
    // A stream cannot have written more tokens for one hour than in total.
    [
      { input: 5, output: 9, cacheWrite: 0, cacheWriteHour: 0 },
      { input_tokens: 5, output_tokens: 9, cache_creation_input_tokens: 0, cache_creation: { ephemeral_1h_input_tokens: 40 } },
    ],
    // Nothing is counted, so nothing is known.
    [undefined, {}],
  ])('is %j of %j', (expected, counts) => {
    expect(usage(counts)).toEqual(expected)
  })

  it('is unknown if the message has none', () => {
    expect(anthropicMessages.usage({})).toBeUndefined()
    expect(anthropicMessages.usage({ usage: null })).toBeUndefined()
  })

  it('adds the tokens of a compaction to those of the message, and counts no other iteration twice', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 1000, cache_read_input_tokens: 200, output_tokens: 50 },
      { type: 'message', input_tokens: 5, output_tokens: 9 },
      { type: 'advisor_message', model: 'other', input_tokens: 77, output_tokens: 7 },
    ]
    expect(usage({ input_tokens: 5, output_tokens: 9, cache_creation_input_tokens: 3, iterations })).toEqual({
      input: 1208,
      output: 59,
      cacheRead: 200,
      cacheWrite: 3,
    })
  })

  it.skipIf(!recordingsFound)('is that of the recorded compaction, whole and streamed', () => {
    const { whole = '', events = [] } = recordings('anthropic-messages').find(({ name }) => name === 'anthropic-compaction.1') ?? {}
    const none = { cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0 }
    expect(anthropicMessages.usage(bodyOf(JSON.parse(whole)))).toEqual({ input: 60_385 + 682, output: 592 + 1320, ...none })
    const assembled = anthropicMessages.streaming?.assemble(events) ?? {}
    expect(anthropicMessages.usage(assembled)).toEqual({ input: 60_385 + 612, output: 522 + 2819, ...none })
  })
})

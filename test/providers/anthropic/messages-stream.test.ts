import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { BetaMessageStream } from '@anthropic-ai/sdk/lib/BetaMessageStream'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, streamOf, verdicts } from '../../support/verdicts.ts'

const streaming = anthropicMessages.streaming ?? expect.fail('messages are streamed')

/** The answer that the SDK makes of a stream, by accumulators that are not ours. The one for beta features knows more kinds of blocks. */
async function accumulate(events: readonly ServerEvent[], stream: typeof MessageStream | typeof BetaMessageStream): Promise<JsonObject> {
  // The SDK adds this for structured outputs.
  const { parsed_output: _, ...message } = bodyOf(await stream.fromReadableStream(streamOf(events)).finalMessage())
  return message
}

const betaFeatures = /"(?:context_management|compaction|mcp_tool_use|fallback|iterations)"/

/** The accumulators that know all parts of an answer. */
function accumulators(answer: unknown): (typeof MessageStream | typeof BetaMessageStream)[] {
  return betaFeatures.test(JSON.stringify(answer)) ? [BetaMessageStream] : [BetaMessageStream, MessageStream]
}

function events(...parts: JsonObject[]): ServerEvent[] {
  return parts.map((part) => ({ event: String(part['type']), data: JSON.stringify(part) }))
}

function dataOf(stream: readonly ServerEvent[]): JsonObject[] {
  return stream.map(({ data }) => bodyOf(JSON.parse(data)))
}

/** The steps of a stream. How often a text is cut, and pings, are left out: the answer does not hold them. */
function steps(stream: readonly ServerEvent[]): string[] {
  return dataOf(stream)
    .filter(({ type }) => type !== 'ping')
    .map(({ type, index, delta }) => [type, index, isJsonObject(delta) ? delta['type'] : ''].join(' '))
    .filter((step, at, all) => step !== all[at - 1])
}

/** The names of the counts that a stream begins with. */
function firstCounts(start: JsonObject = {}): string[] {
  const { message: whole } = start
  return Object.keys(isJsonObject(whole) ? Object(whole['usage']) : {}).toSorted()
}

/** A stream cut after each of its messages. */
function messagesIn(stream: readonly ServerEvent[]): ServerEvent[][] {
  const ends = stream.flatMap(({ event }, at) => (event === 'message_stop' ? [at + 1] : []))
  return ends.map((end, at) => stream.slice(at === 0 ? 0 : ends[at - 1], end))
}

const message = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 3, cache_creation: { ephemeral_5m_input_tokens: 0 }, output_tokens: 1 },
}
const begun: JsonObject = { type: 'message_start', message }
const ending: JsonObject = { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } }
const stopped: JsonObject = { type: 'message_stop' }

function block(members: JsonObject, ...deltas: JsonObject[]): JsonObject[] {
  return blockAt(0, members, ...deltas)
}

function blockAt(index: number, members: JsonObject, ...deltas: JsonObject[]): JsonObject[] {
  return [
    { type: 'content_block_start', index, content_block: members },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

const said = block({ type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' })

function contentOf(...blocks: JsonObject[]): unknown {
  return streaming.assemble(events(begun, ...blocks, ending, stopped))?.['content']
}

describe.skipIf(!recordingsFound)('recorded messages', () => {
  const recorded = recordings('anthropic-messages')
  const verdict = verdicts(anthropicMessages, recorded)

  it('B11 S04 S06: each is stored, or not, for its reason', () => {
    expect(verdict).toEqual({
      // A usual answer, whole and streamed to its end.
      'anthropic-text.json': 'storable',
      'anthropic-text.stream.jsonl': 'storable',
      // Thinking and its signature, and then an answer.
      'anthropic-clear-thinking.1.json': 'storable',
      'anthropic-clear-thinking.1.stream.jsonl': 'storable',
      'anthropic-clear-tool-uses.1.json': 'storable',
      'anthropic-clear-tool-uses.1.stream.jsonl': 'storable',
      // A compaction before an answer: the turn ended, and the summary is part of the content.
      'anthropic-compaction.1.json': 'storable',
      'anthropic-compaction.1.stream.jsonl': 'storable',
      // Tools ran at the provider, and the answer ended. A container remains, but the answer does not wait for it.
      'anthropic-code-execution-file-upload.1.json': 'storable',
      'anthropic-mcp.1.json': 'storable',
      'anthropic-mcp.1.stream.jsonl': 'storable',
      'anthropic-web-fetch-tool.1.json': 'storable',
      'anthropic-web-fetch-tool.1.stream.jsonl': 'storable',
      // A tool call is a complete answer, even if the tool takes no arguments.
      'anthropic-json-tool.2.stream.jsonl': 'storable',
      'anthropic-memory-20250818.1.json': 'storable',
      'anthropic-tool-no-args.json': 'storable',
      'anthropic-tool-no-args.stream.jsonl': 'storable',
      'anthropic-tool-search-bm25.1.json': 'storable',
      // Two, and three, messages in one stream: none of them is the answer to one request.
      'anthropic-tool-search-bm25.1.stream.jsonl': 'incomplete stream',
      'anthropic-tool-search-deferred-bm25.stream.jsonl': 'incomplete stream',
      // The provider refused, without any content.
      'anthropic-refusal.json': 'refusal',
      'anthropic-refusal.stream.jsonl': 'refusal',
      // Its start came twice. The SDK's accumulator throws at the second, so a stored copy would fail every caller until it expires.
      'duplicate-message-start.stream.jsonl': 'incomplete stream',
    })
  })

  it('the SDK throws at a duplicate start, too', async () => {
    const { events: stream = [] } = recorded.find(({ name }) => name === 'duplicate-message-start') ?? {}
    await expect(accumulate(stream, MessageStream)).rejects.toThrow('message_start')
  })

  const complete = recorded.filter(({ name, events: stream }) => stream && verdict[`${name}.stream.jsonl`] !== 'incomplete stream')

  it.each(complete)('assembles the stream $name as the SDK does', async ({ events: stream = [] }) => {
    const assembled = streaming.assemble(stream)
    for (const each of accumulators(assembled)) expect(await accumulate(stream, each)).toEqual(assembled)
  })

  it.each(recorded.filter(({ name }) => name.includes('tool-search')))(
    'assembles each of the messages spliced in $name',
    async ({ events: stream = [] }) => {
      for (const part of messagesIn(stream)) {
        const assembled = streaming.assemble(part)
        expect(anthropicMessages.skipReason(assembled ?? {})).toBeUndefined()
        expect(await accumulate(part, BetaMessageStream)).toEqual(assembled)
      }
    },
  )

  it.each(recorded.filter(({ events: stream }) => stream))('S04: no part of the stream $name is complete', ({ events: stream = [] }) => {
    const end = messagesIn(stream)[0]?.length ?? 0
    for (let cut = 0; cut < end; cut += 1) expect(streaming.assemble(stream.slice(0, cut))).toBeUndefined()
  })

  it.each(recorded.filter(({ whole }) => whole))(
    'S09: streams the whole answer $name so that the SDK reads it back, and we do',
    async ({ whole = '' }) => {
      const answer = bodyOf(JSON.parse(whole))
      const made = streaming.disassemble(answer, { stream: true })
      expect(streaming.assemble(made)).toEqual(answer)
      for (const each of accumulators(answer)) expect(await accumulate(made, each)).toEqual(answer)
    },
  )

  it.each(complete)('streams the answer of $name in the events in which it was streamed', ({ events: stream = [] }) => {
    const made = streaming.disassemble(streaming.assemble(stream) ?? {}, {})
    expect(steps(made)).toEqual(steps(stream))
    const [start, end] = [dataOf(made)[0], dataOf(made).at(-2)]
    const [recordedStart, recordedEnd] = [dataOf(stream)[0], dataOf(stream).at(-2)]
    expect(end).toEqual(recordedEnd)
    expect(bodyOf(start?.['message'])).toEqual({
      ...bodyOf(recordedStart?.['message']),
      // Two facts differ from stream to stream: the count when the answer began, and what was known of a refusal by then.
      usage: expect.objectContaining({ output_tokens: 1 }),
      ...(end?.['delta'] instanceof Object && 'stop_details' in end['delta'] ? { stop_details: null } : {}),
    })
    expect(firstCounts(start)).toEqual(firstCounts(recordedStart))
  })
})

describe('a stream of a message', () => {
  it('is complete with `message_stop`; pings and events about something else do not count', () => {
    const other = { type: 'invocation_metrics', latency: 1 }
    const stream = [{ event: 'ping', data: '' }, ...events(begun, { type: 'ping' }, ...said, other, ending, stopped, { type: 'ping' })]
    const { usage } = message
    expect(streaming.assemble([...stream, { data: '[DONE]' }])).toEqual({
      ...message,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      usage: { ...usage, output_tokens: 9 },
    })
  })

  it.each<[string, ServerEvent[]]>([
    ['S04 without anything', []],
    ['S04 without its end', events(begun, ...said, ending)],
    ['S04 without its start', events(...said, ending, stopped)],
    ['S04 with a block that never ended', events(begun, ...said.slice(0, 2), ending, stopped)],
    ['S03 after an error', events(begun, ...said, { type: 'error', error: { type: 'overloaded_error' } }, ending, stopped)],
    [
      'S03 after an error event',
      [...events(begun, ...said), { event: 'error', data: '{"type":"overloaded"}' }, ...events(ending, stopped)],
    ],
    ['S03 with an error after its end', events(begun, ...said, ending, stopped, { type: 'error', error: {} })],
    ['S03 with an error without a name', [...events(begun, ...said), { data: '{"type":"error","error":{}}' }, ...events(ending, stopped)]],
    ['with a damaged event', [...events(begun, ...said), { data: '{"type":"message_delta"' }, ...events(stopped)]],
    ['with an event without a type', events(begun, ...said, {}, ending, stopped)],
    ['that goes on after its end', events(begun, ...said, ending, stopped, ...blockAt(1, { type: 'text', text: '' }))],
    ['of two messages', events(begun, ...said, ending, stopped, begun, ...said, ending, stopped)],
    ['that begins twice', events(begun, begun, ...said, ending, stopped)],
    ['that begins with content', events({ ...begun, message: { ...message, content: [{ type: 'text' }] } }, ending, stopped)],
    ['whose blocks are numbered wrongly', events(begun, { ...said[0], index: 1 }, ...said.slice(1), ending, stopped)],
    ['with a delta of no block', events(begun, { type: 'content_block_delta', index: 0, delta: {} }, ending, stopped)],
    ['with a delta after its block', events(begun, ...said, said[1] ?? {}, ending, stopped)],
    ['with an unknown event about a block', events(begun, ...said, { type: 'content_block_moved', index: 0 }, ending, stopped)],
    [
      'with an unknown event of another name about a block',
      events(begun, ...said, { type: 'block_patch', index: 0, delta: {} }, ending, stopped),
    ],
  ])('is not complete %s', (_, stream) => {
    expect(streaming.assemble(stream)).toBeUndefined()
  })

  it.each<[string, JsonObject[]]>([
    ['unknown', block({ type: 'text', text: '' }, { type: 'audio_delta', audio: 'AA' })],
    ['of another block', block({ type: 'text', text: '' }, { type: 'thinking_delta', thinking: 'x' })],
    ['of no text', block({ type: 'text', text: '' }, { type: 'text_delta' })],
    ['of no input', block({ type: 'text', text: '' }, { type: 'input_json_delta', partial_json: '{}' })],
    ['G34 of an input cut off', block({ type: 'tool_use', input: {} }, { type: 'input_json_delta', partial_json: '{"a":' })],
    ['of a call at a text', block({ type: 'tool_use', input: {} }, { type: 'text_delta', text: 'x' })],
  ])('is not complete with a delta %s, which would be lost', (_, blocks) => {
    expect(contentOf(...blocks)).toBeUndefined()
  })

  it('gives every kind of block its deltas', () => {
    const caller = { type: 'direct' }
    const result = { type: 'web_search_tool_result', tool_use_id: 's', content: [{ type: 'web_search_result', url: 'u' }] }
    expect(
      contentOf(
        ...blockAt(
          0,
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: 'a' },
          { type: 'thinking_delta', thinking: 'b' },
          { type: 'signature_delta', signature: 'first' },
          { type: 'signature_delta', signature: 'last' },
        ),
        ...blockAt(1, { type: 'redacted_thinking', data: 'x' }),
        ...blockAt(
          2,
          { type: 'server_tool_use', id: 's', name: 'web_search', input: {}, caller },
          { type: 'input_json_delta', partial_json: '' },
          { type: 'input_json_delta', partial_json: '{"query":' },
          { type: 'input_json_delta', partial_json: '"q"}' },
        ),
        ...blockAt(3, result),
        ...blockAt(
          4,
          { type: 'text', text: '', citations: [] },
          { type: 'text_delta', text: 'c' },
          { type: 'citations_delta', citation: { url: 'u' } },
          { type: 'text_delta', text: 'd' },
          { type: 'citations_delta', citation: { url: 'v' } },
        ),
        ...blockAt(5, { type: 'tool_use', id: 't', name: 'f', input: {} }, { type: 'input_json_delta', partial_json: '' }),
        ...blockAt(
          6,
          { type: 'compaction', content: null },
          { type: 'compaction_delta', content: 'sum', encrypted_content: 'e', signature: 's' },
        ),
      ),
    ).toEqual([
      { type: 'thinking', thinking: 'ab', signature: 'last' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' }, caller },
      result,
      { type: 'text', text: 'cd', citations: [{ url: 'u' }, { url: 'v' }] },
      { type: 'tool_use', id: 't', name: 'f', input: {} },
      { type: 'compaction', content: 'sum', encrypted_content: 'e', signature: 's' },
    ])
  })

  it('takes the final members from the last delta, and keeps those that it does not name', () => {
    const container = { id: 'c', expires_at: 'then' }
    const end = {
      type: 'message_delta',
      delta: { stop_reason: 'stop_sequence', stop_sequence: '###', container },
      usage: { input_tokens: 7, cache_read_input_tokens: null, server_tool_use: { web_search_requests: 1 }, output_tokens: 9 },
      context_management: { applied_edits: [] },
    }
    const silent = { type: 'message_delta', delta: { container: null }, usage: { output_tokens: 10 } }
    expect(streaming.assemble(events(begun, ...said, end, silent, stopped))).toEqual({
      ...message,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'stop_sequence',
      stop_sequence: '###',
      container,
      context_management: { applied_edits: [] },
      usage: {
        input_tokens: 7,
        cache_creation: { ephemeral_5m_input_tokens: 0 },
        cache_read_input_tokens: null,
        server_tool_use: { web_search_requests: 1 },
        output_tokens: 10,
      },
    })
  })

  it('names the model that took over, as a whole message does', async () => {
    const took = { type: 'fallback', from: { model: 'claude' }, to: { model: 'other' } }
    const stream = events(begun, ...blockAt(0, took), ...blockAt(1, { type: 'text', text: 'Hi' }), ending, stopped)
    expect(streaming.assemble(stream)).toHaveProperty('model', 'other')
    expect(streaming.assemble(stream)).toEqual(await accumulate(stream, BetaMessageStream))
  })

  it('B09: lets no member reach a prototype', () => {
    const poison = '{"type":"compaction_delta","content":"x","__proto__":{"poisoned":1}}'
    const stream = [
      ...events(begun, { type: 'content_block_start', index: 0, content_block: { type: 'compaction', content: null } }),
      { data: `{"type":"content_block_delta","index":0,"delta":${poison}}` },
      ...events({ type: 'content_block_stop', index: 0 }),
      {
        data: '{"type":"message_delta","delta":{"__proto__":{"poisoned":1}},"usage":{"__proto__":{"poisoned":1}},"__proto__":{"poisoned":1}}',
      },
      ...events(ending, stopped),
    ]
    const assembled = streaming.assemble(stream)
    expect(assembled).toHaveProperty('content.0.content', 'x')
    for (const each of [{}, assembled, assembled?.['usage'], Array.isArray(assembled?.['content']) && assembled['content'][0]]) {
      expect(Reflect.get(Object(each), 'poisoned')).toBeUndefined()
    }
  })
})

describe('streaming a whole message', () => {
  const text = fc.string({ unit: 'grapheme' })
  const input = fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 })
  const kinds = {
    text: fc.record(
      { type: fc.constant('text'), text, citations: fc.option(fc.array(fc.record({ type: text, cited_text: text }))) },
      { requiredKeys: ['type', 'text'] },
    ),
    thinking: fc.record({ type: fc.constant('thinking'), thinking: text, signature: text }, { requiredKeys: ['type', 'thinking'] }),
    redacted: fc.record({ type: fc.constant('redacted_thinking'), data: text }),
    call: fc.record(
      { type: fc.constantFrom('tool_use', 'server_tool_use'), id: text, name: text, input, caller: fc.constant({ type: 'direct' }) },
      { requiredKeys: ['type', 'id', 'name', 'input'] },
    ),
    // A block of an unknown kind is sent whole.
    unknown: fc.record({ type: fc.constant('a_block_to_come'), text, thinking: text, citations: fc.array(text), input, content: text }),
    result: fc.record({ type: fc.constantFrom('web_search_tool_result', 'code_execution_tool_result'), content: fc.jsonValue() }),
  }
  const betaKinds = {
    call: fc.record({ type: fc.constant('mcp_tool_use'), id: text, name: text, server_name: text, input }),
    compaction: fc.record(
      { type: fc.constant('compaction'), content: fc.option(text), encrypted_content: fc.option(text), signature: text },
      { requiredKeys: ['type', 'content'] },
    ),
    fallback: fc.record({ type: fc.constant('fallback'), to: fc.constant({ model: 'claude' }) }),
  }
  const members = {
    id: text,
    type: fc.constant('message'),
    role: fc.constant('assistant'),
    model: fc.constant('claude'),
    stop_reason: fc.constantFrom('end_turn', 'tool_use', 'pause_turn', 'max_tokens', 'refusal'),
    stop_sequence: fc.option(text),
    stop_details: fc.option(fc.record({ type: fc.constant('refusal'), category: text })),
    container: fc.option(fc.record({ id: text, expires_at: text })),
    diagnostics: fc.option(fc.jsonValue()),
  }
  const counts = {
    input_tokens: fc.nat(),
    output_tokens: fc.nat(),
    cache_read_input_tokens: fc.option(fc.nat()),
    cache_creation_input_tokens: fc.option(fc.nat()),
    cache_creation: fc.record({ ephemeral_5m_input_tokens: fc.nat() }),
    server_tool_use: fc.option(fc.record({ web_search_requests: fc.nat() })),
    output_tokens_details: fc.option(fc.record({ thinking_tokens: fc.nat() })),
    service_tier: fc.constant('standard'),
  }
  const must = ['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'] as const
  const plain = fc.record(
    {
      ...members,
      content: fc.array(fc.oneof(...Object.values(kinds)), { maxLength: 5 }),
      usage: fc.record(counts, { requiredKeys: ['input_tokens', 'output_tokens'] }),
    },
    { requiredKeys: [...must] },
  )
  const beta = fc.record(
    {
      ...members,
      content: fc.array(fc.oneof(...Object.values(kinds), ...Object.values(betaKinds)), { maxLength: 5 }),
      context_management: fc.option(fc.record({ applied_edits: fc.constant([]) })),
      input_transformations: fc.option(fc.constant([])),
      usage: fc.record(
        { ...counts, iterations: fc.option(fc.array(fc.record({ type: fc.constant('message'), input_tokens: fc.nat() }))) },
        { requiredKeys: ['input_tokens', 'output_tokens'] },
      ),
    },
    { requiredKeys: [...must] },
  )

  it('S09: is undone by both accumulators of the SDK and by assembling it', async () => {
    await fc.assert(
      fc.asyncProperty(plain, async (generated) => {
        const answer = bodyOf(generated)
        const made = streaming.disassemble(answer, {})
        expect(streaming.assemble(made)).toEqual(answer)
        expect(await accumulate(made, MessageStream)).toEqual(answer)
        expect(await accumulate(made, BetaMessageStream)).toEqual(answer)
      }),
    )
  })

  it('S09: is undone with beta features, too', async () => {
    await fc.assert(
      fc.asyncProperty(beta, async (generated) => {
        const answer = bodyOf(generated)
        const made = streaming.disassemble(answer, {})
        expect(streaming.assemble(made)).toEqual(answer)
        expect(await accumulate(made, BetaMessageStream)).toEqual(answer)
      }),
    )
  })

  it('begins with an empty answer, and names every event by its type', () => {
    const answer = {
      ...message,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      container: { id: 'c' },
      usage: { input_tokens: 3, output_tokens: 20, server_tool_use: { web_search_requests: 1 } },
    }
    const before = structuredClone(answer)
    const made = streaming.disassemble(answer, {})
    expect(answer).toEqual(before)
    expect(made.map(({ event }) => event)).toEqual(dataOf(made).map(({ type }) => type))
    expect(dataOf(made)[0]).toEqual({
      type: 'message_start',
      message: { ...message, container: null, usage: { input_tokens: 3, output_tokens: 1 } },
    })
  })
})

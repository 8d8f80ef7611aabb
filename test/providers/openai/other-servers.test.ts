import { describe, expect, it } from 'vitest'
import { cacheInfo, type CacheOptions, createCache, memoryStore, withCache } from '../../../src/index.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import { openaiCompletions } from '../../../src/providers/openai/completions.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { startProvider } from '../../support/provider-server.ts'
import { sdks } from '../../support/openai-sdks.ts'

const streaming = openaiChat.streaming ?? expect.fail('chat is streamed')
const done: ServerEvent = { data: '[DONE]' }

function chunks(...parts: JsonObject[]): ServerEvent[] {
  return parts.map((part) => ({ data: JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...part }) }))
}

function choice(delta: JsonObject, finish: string | null = null): JsonObject {
  return { choices: [{ index: 0, delta, finish_reason: finish }] }
}

const call = (id: string, name: string, rest: JsonObject = {}): JsonObject => ({
  ...rest,
  id,
  type: 'function',
  function: { name, arguments: '{"x":1}' },
})

/** Streams that are complete, though their parts cannot be put together to a whole answer. */
const replayedOnly: Readonly<Record<string, ServerEvent[]>> = {
  'calls without an index': [
    ...chunks(
      choice({ role: 'assistant', tool_calls: [call('a', 'f')] }),
      choice({ tool_calls: [call('b', 'g')] }),
      choice({}, 'tool_calls'),
    ),
    done,
  ],
  'calls that all have the same index': [
    ...chunks(
      choice({ role: 'assistant', tool_calls: [call('a', 'f', { index: 0 })] }),
      choice({ tool_calls: [call('b', 'g', { index: 0 })] }, 'stop'),
    ),
    done,
  ],
  'content in lists, then as text': [
    ...chunks(
      choice({ role: 'assistant', content: '' }),
      choice({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }),
      choice({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: ', so' }] }] }),
      choice({ content: '' }),
      choice({ content: 'Four' }, 'stop'),
    ),
    done,
  ],
  'reasoning without a place': [
    ...chunks(
      choice({ content: 'x', reasoning_details: [{ type: 'reasoning.text', text: 'a' }] }),
      choice({ reasoning_details: [{ type: 'reasoning.text', text: 'b' }] }, 'stop'),
    ),
    done,
  ],
}

async function collect(stream: unknown): Promise<unknown[]> {
  const list: unknown[] = []
  if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream)) throw new TypeError('no stream')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  for await (const chunk of stream as AsyncIterable<unknown>) list.push(chunk)
  return list
}

const chat = (finish: unknown): string | undefined =>
  openaiChat.skipReason({ choices: [{ index: 0, message: { content: 'x' }, finish_reason: finish }] })

const legacy = (finish: unknown): string | undefined => openaiCompletions.skipReason({ choices: [{ text: 'x', finish_reason: finish }] })

const detail = (rest: JsonObject): JsonObject => ({ format: 'anthropic-claude-v1', index: 0, type: 'reasoning.text', ...rest })

const message = (rest: JsonObject): JsonObject => ({
  choices: [{ index: 0, message: { role: 'assistant', ...rest }, finish_reason: 'stop' }],
})

const tool = (text: unknown): JsonObject =>
  message({ tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: text } }] })

const response = (...output: JsonObject[]): JsonObject => ({ status: 'completed', error: null, output })

const params = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

describe.each(sdks)('streams of other servers over $name', ({ make }) => {
  it.each(Object.entries(replayedOnly).flatMap(([name, events]) => ['memory', 'store'].map((place) => [name, place, events] as const)))(
    'G42 %s are replayed from the %s as they are, and serve no whole call',
    async (_, place, events) => {
      const server = await startProvider(({ body }, reply) =>
        isJsonObject(body) && body['stream'] === true
          ? reply.events(events)
          : reply.json({ model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }] }),
      )
      try {
        const options: CacheOptions = place === 'store' ? { store: memoryStore(), maxMemoryBytes: 0 } : {}
        const cache = createCache({ logger: false, ...options })
        const client = withCache(make({ url: server.url }), cache)
        const ask = async (): Promise<unknown[]> => collect(await client.chat.completions.create({ ...params, stream: true }))
        const expected = events.slice(0, -1).map(({ data }): unknown => JSON.parse(data))
        expect(await ask()).toEqual(expected)
        await cache.flush()
        expect(await ask()).toEqual(expected)
        expect(server.requests).toHaveLength(1)
        expect(await client.chat.completions.create(params)).toMatchObject({ choices: [{ message: { content: 'whole' } }] })
        expect(server.requests).toHaveLength(2)
        expect(cache.stats()).toMatchObject({ hits: 1, stored: 2, errors: 0 })
      } finally {
        await server.close()
      }
    },
  )

  it.each<[string, ServerEvent[]]>([
    ['error', [...chunks(choice({ content: 'x' }), { error: { message: 'no' }, choices: [] }), done]],
    ['error', [...chunks({ choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'stop', error: { code: 502 } }] }), done]],
    ['empty', [...chunks({ choices: [] }), done]],
    ['empty', [...chunks(choice({ content: '' }, 'stop')), done]],
    ['incomplete', [...chunks(choice({ content: 'x' })), done]],
    ['length', [...chunks(choice({ content: 'x' }, 'MAX_TOKENS')), done]],
    ['refusal', [...chunks(choice({ refusal: 'I can' }), choice({ refusal: 'not' }, 'stop')), done]],
    [
      'malformed',
      [...chunks(choice({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"a":' } }] }, 'tool_calls')), done],
    ],
    ['malformed', [...chunks(choice({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}{}' } }] }, 'tool_calls')), done]],
  ])('G42 G34 a stream that is not stored says why: %s', async (reason, events) => {
    const server = await startProvider((_, reply) => reply.events(events))
    try {
      const cache = createCache({ logger: false })
      const stream = await withCache(make({ url: server.url }), cache).chat.completions.create({ ...params, stream: true })
      await collect(stream).catch(() => undefined)
      expect([cache.stats().skipped, cacheInfo(stream)]).toMatchObject([{ [reason]: 1 }, { stored: false, reason }])
    } finally {
      await server.close()
    }
  })
})

describe('finish reasons', () => {
  it.each([
    [undefined, ['stop', 'tool_calls', 'function_call', 'eos', 'eos_token', 'stop_sequence', 'end_turn', 'tool_use', 'STOP', 'COMPLETE']],
    ['length', ['length', 'max_tokens', 'MAX_TOKENS', 'model_length']],
    ['content_filter', ['content_filter', 'SAFETY', 'RECITATION', 'PROHIBITED_CONTENT', 'SPII', 'sensitive']],
    ['refusal', ['refusal']],
    ['finish_reason', ['MALFORMED_FUNCTION_CALL', 'OTHER', 'error', 'abort', 'no such reason', '', null, 1, undefined]],
  ])('G42 are %s: %j', (verdict, reasons) => {
    for (const reason of reasons) expect([reason, chat(reason), legacy(reason)]).toEqual([reason, verdict, verdict])
  })
})

describe('reasoning of OpenRouter', () => {
  it('G35 is merged to one signed block', () => {
    const events = chunks(
      choice({ role: 'assistant', content: '', reasoning: 'Let', reasoning_details: [detail({ text: 'Let' })] }),
      choice({ content: '', reasoning: ' me see', reasoning_details: [detail({ text: ' me see' })] }),
      choice({ content: '', reasoning: null, reasoning_details: [detail({ signature: 'c2ln' })] }),
      choice({ content: '', reasoning_details: [{ type: 'reasoning.encrypted', data: 'AAAA', id: 'rs_1', index: 1 }] }),
      choice({ content: 'Four' }, 'stop'),
    )
    expect(streaming.assemble([...events, done])).toHaveProperty('choices.0.message', {
      role: 'assistant',
      content: 'Four',
      refusal: null,
      reasoning: 'Let me see',
      reasoning_details: [
        detail({ text: 'Let me see', signature: 'c2ln' }),
        { type: 'reasoning.encrypted', data: 'AAAA', id: 'rs_1', index: 1 },
      ],
    })
  })

  it.each([
    ['two signatures', [detail({ signature: 'a' }), detail({ signature: 'b' })]],
    ['two encrypted blocks', [detail({ type: 'reasoning.encrypted', data: 'a' }), detail({ type: 'reasoning.encrypted', data: 'b' })]],
  ])('G35 does not serve whole calls if it has %s at one place', (_, pieces) => {
    const events = [...chunks(...pieces.map((piece) => choice({ content: 'x', reasoning_details: [piece] })), choice({}, 'stop')), done]
    expect(streaming.assemble(events)).toBeUndefined()
    expect(streaming.outline?.(events)).toMatchObject({ choices: [{ finish_reason: 'stop' }] })
  })
})

describe('answers that are not fit to be stored', () => {
  it.each<[string | undefined, JsonObject]>([
    ['refusal', message({ content: null, refusal: 'I cannot' })],
    [undefined, message({ content: 'x', refusal: null })],
    [undefined, message({ content: 'x', refusal: '' })],
    ['malformed', tool('{"a":1}{"b":2}')],
    ['malformed', tool('{"a":')],
    [undefined, tool('{"a":1}')],
    [undefined, tool('')],
    [undefined, message({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'f', input: 'SELECT {' } }] })],
    ['malformed', message({ function_call: { name: 'f', arguments: '{"a":' } })],
    ['error', { choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop', error: { code: 502, message: 'no' } }] }],
  ])('G34 chat: %s', (verdict, answer) => {
    expect(openaiChat.skipReason(answer)).toBe(verdict)
  })

  it.each<[string | undefined, JsonObject]>([
    ['refusal', response({ type: 'message', content: [{ type: 'refusal', refusal: 'I cannot' }] })],
    [
      'refusal',
      response({
        type: 'message',
        content: [
          { type: 'output_text', text: 'x' },
          { type: 'refusal', refusal: 'no' },
        ],
      }),
    ],
    [undefined, response({ type: 'message', content: [{ type: 'output_text', text: 'x' }] })],
    ['malformed', response({ type: 'function_call', name: 'f', arguments: '{"a":' })],
    ['malformed', response({ type: 'mcp_call', name: 'f', arguments: '{}{}' })],
    [undefined, response({ type: 'function_call', name: 'f', arguments: '{"a":1}' })],
    [undefined, response({ type: 'custom_tool_call', name: 'f', input: '{"a":' })],
  ])('G34 responses: %s', (verdict, answer) => {
    expect(openaiResponses.skipReason(answer)).toBe(verdict)
  })
})

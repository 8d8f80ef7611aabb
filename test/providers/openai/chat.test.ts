import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, streamOf, verdicts } from '../../support/verdicts.ts'

const streaming = openaiChat.streaming ?? expect.fail('chat is streamed')
const withUsage: JsonObject = { stream: true, stream_options: { include_usage: true } }

/** The answer that the SDK makes of a stream, by an accumulator that is not ours. */
async function accumulate(events: readonly ServerEvent[]): Promise<JsonObject> {
  return bodyOf(await ChatCompletionStream.fromReadableStream(streamOf(events)).finalChatCompletion())
}

function chunks(...parts: JsonObject[]): ServerEvent[] {
  return parts.map((part) => ({ data: JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...part }) }))
}

function choice(delta: JsonObject, finish: string | null = null, index = 0): JsonObject {
  return { choices: [{ index, delta, finish_reason: finish }] }
}

const done: ServerEvent = { data: '[DONE]' }

/** A body without its reasoning. */
function strip(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body, (key, value: unknown) => (key === 'reasoning_content' ? undefined : value)))
}

function token(text: string): JsonObject {
  return { token: text, logprob: -1, bytes: [1], top_logprobs: [] }
}

function adapt(events: readonly ServerEvent[], request: JsonObject): unknown[] {
  return (streaming.adapt?.(events, request) ?? []).map(({ data }): unknown => JSON.parse(data))
}

function skipReason(message: unknown, finish: unknown): string | undefined {
  return openaiChat.skipReason({ choices: [{ index: 0, message, finish_reason: finish }] })
}

describe.skipIf(!recordingsFound)('recorded chat completions', () => {
  const recorded = recordings('openai-chat')

  it('B11 S06: each is stored, or not, for its reason', () => {
    expect(verdicts(openaiChat, recorded)).toEqual({
      // A usual answer, whole and streamed to its end.
      'openai-text.json': 'storable',
      'openai-text.stream.jsonl': 'storable',
      // A tool call is a complete answer. Its text is absent in the stream, and empty in the whole answer.
      'xai-tool-call.json': 'storable',
      'xai-tool-call.stream.jsonl': 'storable',
      // The provider refused the request. For another caller it may succeed.
      'reasoning-model-legacy-parameter-error.json': 'error',
    })
  })

  it.each(recorded.filter(({ events }) => events))('assembles the stream $name as the SDK does', async ({ events = [] }) => {
    const assembled = streaming.assemble(events)
    const sdk = await accumulate(events)
    // The SDK keeps the last part of a member that it does not know, which the next test is about.
    expect(strip(sdk)).toMatchObject(Object(strip(assembled)))
    expect(assembled).toHaveProperty('usage.total_tokens', sdk['usage'] instanceof Object ? Reflect.get(sdk['usage'], 'total_tokens') : 0)
  })

  it('joins reasoning that is streamed in parts to the whole reasoning of the same model', () => {
    const { events = [] } = recorded.find(({ name }) => name === 'xai-tool-call') ?? {}
    const pieces = events
      .filter(({ data }) => data !== '[DONE]')
      .map(({ data }) => /"reasoning_content":("(?:[^"\\]|\\.)*")/.exec(data)?.[1])
    const text = pieces.map((piece) => (piece === undefined ? '' : String(JSON.parse(piece)))).join('')
    expect(text).toMatch(/^First, the user is asking/)
    expect(streaming.assemble(events)).toHaveProperty('choices.0.message.reasoning_content', text)
  })

  const wholes = recorded.filter(({ whole }) => whole?.includes('"choices"'))

  it.each(wholes)('S09: streams the whole answer $name so that the SDK and the cache read it back', async ({ whole = '' }) => {
    const answer = bodyOf(JSON.parse(whole))
    const events = streaming.disassemble(answer, withUsage)
    expect(await accumulate(events)).toMatchObject(answer)
    expect(streaming.assemble(events)).toEqual(answer)
  })

  it.each(recorded.filter(({ events }) => events))('S04: no part of the stream $name is complete', ({ events = [] }) => {
    for (let end = 0; end < events.length; end += 1) expect(streaming.assemble(events.slice(0, end))).toBeUndefined()
  })

  it('gives a caller that did not ask for usage the same stream without it', () => {
    const { events = [] } = recorded.find(({ name }) => name === 'openai-text') ?? {}
    const adapted = streaming.adapt?.(events, { stream: true }) ?? []
    expect(adapted).toHaveLength(events.length - 1)
    expect(adapted.some(({ data }) => data.includes('usage'))).toBe(false)
    const { usage: _, ...rest } = bodyOf(streaming.assemble(events))
    expect(streaming.assemble(adapted)).toEqual(rest)
  })
})

describe('a chat stream is complete', () => {
  const begun = choice({ role: 'assistant', content: 'Hi' })
  const ended = choice({}, 'stop')

  it('with a finish reason for every choice, and its end mark', () => {
    expect(streaming.assemble([...chunks(begun, ended), done])).toEqual({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', refusal: null }, finish_reason: 'stop' }],
    })
  })

  it.each<[string, ServerEvent[]]>([
    ['S04 without the end mark', chunks(begun, ended)],
    ['S04 without a finish reason', [...chunks(begun), done]],
    ['S04 without one for each choice', [...chunks(begun, choice({ content: 'Ho' }, null, 1), ended), done]],
    ['without any choice', [done]],
    ['S03 after an error', [...chunks(begun), { data: '{"error":{"message":"overloaded"}}' }, ...chunks(ended), done]],
    ['S03 after an error event', [...chunks(begun), { event: 'error', data: '{}' }, ...chunks(ended), done]],
    ['after an error of Groq', [...chunks(begun, { choices: [], x_groq: { error: 'over_capacity' } }, ended), done]],
    ['with a damaged chunk', [...chunks(begun), { data: '{"choices":[' }, ...chunks(ended), done]],
    [
      'with two calls at one index',
      [...chunks(choice({ tool_calls: [{ index: 0, id: 'a' }] }), choice({ tool_calls: [{ index: 0, id: 'b' }] }), ended), done],
    ],
    ['with a text that goes on as a list', [...chunks(begun, choice({ content: [{ type: 'text', text: 'x' }] }), ended), done]],
  ])('not %s', (_, events) => {
    expect(streaming.assemble(events)).toBeUndefined()
  })
})

describe('assembling a chat stream', () => {
  it('reads the members that Azure and Groq put in other places', () => {
    const filter = [{ prompt_index: 0, content_filter_results: { hate: { filtered: false } } }]
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    const events = chunks(
      { id: '', model: '', created: 0, choices: [], prompt_filter_results: filter },
      { ...choice({ role: 'assistant', content: 'Hi' }), x_groq: { id: 'req_1' } },
      { ...choice({}, 'stop'), x_groq: { id: 'req_1', usage } },
    )
    expect(streaming.assemble([...events, done])).toMatchObject({
      id: 'c',
      model: 'm',
      created: 1,
      prompt_filter_results: filter,
      x_groq: { id: 'req_1' },
      usage,
    })
  })

  it('merges tool calls of both kinds, the legacy call, audio and log probabilities', () => {
    const events = chunks(
      {
        choices: [
          {
            index: 0,
            delta: { role: 'assistant', content: null },
            logprobs: { content: [token('a')], refusal: null },
            finish_reason: null,
          },
        ],
      },
      choice({ tool_calls: [{ index: 1, id: 'b', type: 'custom', custom: { name: 'sql', input: '' } }] }),
      choice({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      choice({
        tool_calls: [
          { index: 0, function: { arguments: '{"x":' } },
          { index: 1, custom: { input: 'SELECT' } },
        ],
      }),
      choice({
        tool_calls: [
          { index: 0, function: { arguments: '1}' } },
          { index: 1, custom: { input: ' 1' } },
        ],
      }),
      { choices: [{ index: 0, delta: {}, logprobs: { content: [token('b')], refusal: null }, finish_reason: 'tool_calls' }] },
      choice({ function_call: { name: 'g', arguments: '{' } }, null, 1),
      choice({ function_call: { arguments: '}' }, audio: { id: 'au', data: 'AA', transcript: 'o' }, annotations: [1] }, null, 1),
      choice({ audio: { data: 'BB', transcript: 'k', expires_at: 9 }, annotations: [2] }, 'function_call', 1),
    )
    expect(streaming.assemble([...events, done])?.['choices']).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
            { id: 'b', type: 'custom', custom: { name: 'sql', input: 'SELECT 1' } },
          ],
        },
        logprobs: { content: [token('a'), token('b')], refusal: null },
        finish_reason: 'tool_calls',
      },
      {
        index: 1,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          function_call: { name: 'g', arguments: '{}' },
          audio: { id: 'au', data: 'AABB', transcript: 'ok', expires_at: 9 },
          annotations: [1, 2],
        },
        finish_reason: 'function_call',
      },
    ])
  })

  it('lets no member reach a prototype', () => {
    const events = [...chunks(choice({ role: 'assistant', content: 'x' }, 'stop')), done]
    const poisoned = { data: '{"__proto__":{"poisoned":1},"choices":[{"index":0,"delta":{"__proto__":{"poisoned":1},"constructor":"x"}}]}' }
    const assembled = streaming.assemble([poisoned, ...events])
    expect(assembled).toBeDefined()
    expect(Reflect.get({}, 'poisoned')).toBeUndefined()
    expect(Reflect.get(Object(assembled), 'poisoned')).toBeUndefined()
  })
})

describe('streaming a whole chat completion', () => {
  const text = fc.string({ minLength: 1 })
  const scores = fc.array(
    fc.record({ token: text, logprob: fc.integer({ max: 0 }), bytes: fc.constant(null), top_logprobs: fc.constant([]) }),
  )
  const call = fc.oneof(
    fc.record({ id: text, type: fc.constant('function'), function: fc.record({ name: text, arguments: fc.string() }) }),
    fc.record({ id: text, type: fc.constant('custom'), custom: fc.record({ name: text, input: fc.string() }) }),
  )
  const message = fc.record(
    {
      role: fc.constant('assistant'),
      content: fc.option(fc.string(), { nil: null }),
      refusal: fc.option(text, { nil: null }),
      reasoning_content: fc.option(fc.string(), { nil: null }),
      annotations: fc.array(fc.record({ type: fc.constant('url_citation') })),
      tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ['role', 'content', 'refusal'] },
  )
  const answer = fc.record(
    {
      id: text,
      object: fc.constant('chat.completion'),
      created: fc.nat(),
      model: text,
      system_fingerprint: text,
      service_tier: fc.constantFrom('default', 'priority'),
      citations: fc.array(fc.webUrl()),
      usage: fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() }),
      choices: fc
        .array(
          fc.record(
            {
              message,
              logprobs: fc.option(fc.record({ content: fc.option(scores, { nil: null }), refusal: fc.option(scores, { nil: null }) }), {
                nil: null,
              }),
              finish_reason: fc.constantFrom('stop', 'length', 'tool_calls'),
            },
            { requiredKeys: ['message', 'finish_reason'] },
          ),
          { minLength: 1, maxLength: 4 },
        )
        .map((choices) => choices.map((each, index) => Object.assign({ index }, each))),
    },
    { requiredKeys: ['id', 'object', 'created', 'model', 'choices'] },
  )

  it('S09: is undone by assembling it', () => {
    fc.assert(
      fc.property(answer, (generated) => {
        const whole = bodyOf(JSON.parse(JSON.stringify(generated)))
        expect(streaming.assemble(streaming.disassemble(whole, withUsage))).toEqual(whole)
      }),
    )
  })

  it('has usage only for a caller that asked for it, with `usage: null` in the chunks before', () => {
    const whole = {
      id: 'c',
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', refusal: null }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1 },
    }
    const silent = streaming.disassemble(whole, { stream: true })
    expect(silent.some(({ data }) => data.includes('usage'))).toBe(false)
    const asked = streaming
      .disassemble(whole, withUsage)
      .slice(0, -1)
      .map(({ data }) => bodyOf(JSON.parse(data)))
    expect(asked.map(({ usage }) => usage)).toEqual([...asked.slice(1).map(() => null), { prompt_tokens: 1 }])
    expect(asked.at(-1)?.['choices']).toEqual([])
  })
})

describe('adapting a chat stream', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  it('leaves it as it is for a caller that asked for usage', () => {
    const events = chunks({ ...choice({ content: 'x' }), usage: null }, { choices: [], usage })
    expect(streaming.adapt?.(events, withUsage)).toEqual(events)
  })

  it("keeps Azure's first chunk, and a last one with more than usage", () => {
    const first = { choices: [], prompt_filter_results: [] }
    const [bare, cited] = [{ choices: [], citations: ['u'] }, choice({}, 'stop')].map(
      (part) => JSON.parse(chunks(part)[0]?.data ?? '') as unknown,
    )
    expect(
      adapt(chunks({ ...first, usage: null }, { choices: [], citations: ['u'], usage }, { ...choice({}, 'stop'), usage }), {}),
    ).toEqual([JSON.parse(chunks(first)[0]?.data ?? ''), bare, cited])
  })

  it('does not change a text with the word usage', () => {
    const said = ',"usage":null and "usage": 1'
    const [chunk] = adapt(chunks({ ...choice({ content: said }), usage: null }), {})
    expect(chunk).toEqual(JSON.parse(chunks(choice({ content: said }))[0]?.data ?? ''))
  })

  it('removes it with any white space', () => {
    expect(adapt([{ data: '{"choices": [{"index": 0}], "usage": null}' }], {})).toEqual([{ choices: [{ index: 0 }] }])
  })
})

describe('B11: a chat completion', () => {
  it.each<[string | undefined, unknown, unknown]>([
    [undefined, { content: 'x' }, 'stop'],
    ['refusal', { content: null, refusal: 'I cannot' }, 'stop'],
    [undefined, { content: null, tool_calls: [{}] }, 'tool_calls'],
    [undefined, { content: null, function_call: {} }, 'function_call'],
    [undefined, { content: null, audio: { id: 'a' } }, 'stop'],
    ['empty', { content: '' }, 'stop'],
    ['empty', { content: null, tool_calls: [] }, 'stop'],
    ['empty', { content: '', reasoning_content: 'thought' }, 'stop'],
    ['length', { content: 'x' }, 'length'],
    ['length', { content: '' }, 'length'],
    ['content_filter', { content: 'x' }, 'content_filter'],
    ['finish_reason', { content: 'x' }, 'insufficient_system_resource'],
    ['finish_reason', { content: 'x' }, null],
    ['malformed', undefined, 'stop'],
    ['malformed', 'x', 'stop'],
  ])('S06 is judged %s: %j %s', (verdict, message, finish) => {
    expect(skipReason(message, finish)).toBe(verdict)
  })

  it('is judged by every choice', () => {
    const choices = ['stop', 'length'].map((finish, index) => ({ index, message: { content: 'x' }, finish_reason: finish }))
    expect(openaiChat.skipReason({ choices })).toBe('length')
  })

  it('without choices is not stored', () => {
    expect(openaiChat.skipReason({ error: { message: 'x' }, choices: [] })).toBe('error')
    expect(openaiChat.skipReason({ error: 'x' })).toBe('error')
    expect(openaiChat.skipReason({ choices: [] })).toBe('empty')
    expect(openaiChat.skipReason({ id: 'x' })).toBe('malformed')
    expect(openaiChat.skipReason({ choices: 'x' })).toBe('malformed')
  })
})

describe('a chat request', () => {
  it('has one form with its other spelling, and is never changed', () => {
    const request = {
      messages: [
        { role: 'system', content: [{ type: 'text', text: 's' }] },
        { role: 'user', content: 'u' },
        { role: 'tool', tool_call_id: 't', content: [{ type: 'text', text: 'r' }] },
      ],
    }
    const before = structuredClone(request)
    expect(openaiChat.normalise?.(request)).toEqual({
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'u' },
        { role: 'tool', tool_call_id: 't', content: 'r' },
      ],
    })
    expect(request).toEqual(before)
  })

  it.each<[string, unknown]>([
    [
      'two texts',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    ],
    ['a breakpoint', [{ role: 'user', content: [{ type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } }] }]],
    ['an image', [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'u' } }] }]],
    ['a role without parts', [{ role: 'function', name: 'f', content: [{ type: 'text', text: 'a' }] }]],
    ['values that are no messages', ['x', null]],
    ['a text in place of messages', 'x'],
  ])('stays the same object with %s', (_, messages) => {
    const request = { messages }
    expect(openaiChat.normalise?.(request)).toBe(request)
  })

  it('lacks usage only as a stream that does not ask for it', () => {
    expect(openaiChat.missingParts?.({ stream: true })).toEqual(['usage'])
    expect(openaiChat.missingParts?.({ stream: true, stream_options: { include_usage: false } })).toEqual(['usage'])
    expect(openaiChat.missingParts?.(withUsage)).toEqual([])
    expect(openaiChat.missingParts?.({ stream: false })).toEqual([])
  })
})

describe("a chat completion's usage", () => {
  it('is read with its details', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 7 },
    }
    expect(openaiChat.usage({ usage })).toEqual({ input: 100, output: 50, cacheRead: 40, cacheWrite: 10, audioInput: 5, audioOutput: 7 })
  })

  it('counts reasoning that xAI counts in addition to the completion', () => {
    const usage = { prompt_tokens: 307, completion_tokens: 26, total_tokens: 560, completion_tokens_details: { reasoning_tokens: 227 } }
    expect(openaiChat.usage({ usage })).toEqual({ input: 307, output: 253 })
  })

  it('is unknown if the answer has none', () => {
    expect(openaiChat.usage({})).toBeUndefined()
    expect(openaiChat.usage({ usage: null })).toBeUndefined()
  })
})

import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bedrockInvokeMessages } from '../../../src/providers/bedrock/invoke-messages.ts'
import { bedrockInvoke } from '../../../src/providers/bedrock/invoke.ts'
import { bedrockEndpoints, invokeEndpoint } from '../../../src/providers/bedrock/endpoints.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf } from '../../support/verdicts.ts'

const perInput = bedrockInvoke.perInput ?? expect.fail('embeddings are cached per input')
const streaming = bedrockInvokeMessages.streaming ?? expect.fail('messages are streamed')
const metrics = { inputTokenCount: 1, outputTokenCount: 2, invocationLatency: 3, firstByteLatency: 4 }

/** The events of a stream of these chunks, the last with the service's metrics. */
function chunksOf(...chunks: readonly JsonObject[]): ServerEvent[] {
  return chunks.map((chunk, index) => {
    const last = index === chunks.length - 1
    return { event: 'chunk', data: JSON.stringify(last ? { ...chunk, 'amazon-bedrock-invocationMetrics': metrics } : chunk) }
  })
}

function skipReason(body: unknown): string | undefined {
  return bedrockInvoke.skipReason({ body, contentType: 'application/json' })
}

function message(stop: unknown, content: unknown = [{ type: 'text', text: 'x' }]): JsonObject {
  return { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content, stop_reason: stop, stop_sequence: null }
}

function nova(stop: unknown): JsonObject {
  return {
    output: { message: { role: 'assistant', content: [{ text: 'x' }] } },
    stopReason: stop,
    usage: { inputTokens: 1, outputTokens: 2 },
  }
}

function titan(reason: unknown, text = 'x'): JsonObject {
  return { inputTextTokenCount: 3, results: [{ tokenCount: 4, outputText: text, completionReason: reason }] }
}

function chat(finish: unknown, said: JsonObject = { role: 'assistant', content: 'x' }): JsonObject {
  return { choices: [{ index: 0, message: said, finish_reason: finish }] }
}

describe('B11 S06: the body of', () => {
  it.each<[string, string | undefined, unknown]>([
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
    ['Anthropic', undefined, message('end_turn')],
    ['Anthropic', undefined, message('tool_use', [{ type: 'tool_use', id: 't', name: 'n', input: {} }])],
    ['Anthropic', 'length', message('max_tokens')],
    ['Anthropic', 'refusal', message('refusal')],
    ['Anthropic', 'empty', message('end_turn', [])],
    ['Anthropic', 'stop_reason', message(null)],
    ['Anthropic', 'error', { type: 'error', error: { type: 'overloaded_error' } }],
    ["Anthropic's completions", undefined, { type: 'completion', completion: ' x', stop_reason: 'stop_sequence', stop: '\n\nHuman:' }],
    ["Anthropic's completions", 'length', { completion: ' x', stop_reason: 'max_tokens' }],
    // https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
    ['Nova', undefined, nova('end_turn')],
    ['Nova', 'length', nova('max_tokens')],
    ['Nova', 'content_filter', nova('content_filtered')],
    ['Nova', 'malformed_tool_use', nova('malformed_tool_use')],
    ['Nova', 'malformed', { output: { message: { role: 'assistant' } }, stopReason: 'end_turn' }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
    ['Titan', undefined, titan('FINISH')],
    ['Titan', undefined, titan('FINISHED')],
    ['Titan', undefined, titan('STOP_CRITERIA_MET')],
    ['Titan', 'length', titan('LENGTH')],
    ['Titan', 'content_filter', titan('CONTENT_FILTERED')],
    ['Titan', 'stop_reason', titan('RAG_QUERY_WHEN_RAG_DISABLED')],
    ['Titan', 'stop_reason', titan(null)],
    ['Titan', 'empty', titan('FINISH', '')],
    ['Titan', 'empty', { inputTextTokenCount: 3, results: [] }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
    ['Llama', undefined, { generation: 'x', prompt_token_count: 1, generation_token_count: 2, stop_reason: 'stop' }],
    ['Llama', 'length', { generation: 'x', prompt_token_count: 1, generation_token_count: 2, stop_reason: 'length' }],
    ['Llama', 'empty', { generation: '', prompt_token_count: 1, generation_token_count: 0, stop_reason: 'stop' }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral.html
    ["Mistral's completions", undefined, { outputs: [{ text: 'x', stop_reason: 'stop' }] }],
    ["Mistral's completions", 'length', { outputs: [{ text: 'x', stop_reason: 'length' }] }],
    ["Mistral's completions", 'empty', { outputs: [{ text: '', stop_reason: 'stop' }] }],
    ['Mistral', undefined, { choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, stop_reason: 'stop' }] }],
    ['Mistral', undefined, chat('tool_calls', { role: 'assistant', content: '', tool_calls: [{ id: 't' }] })],
    ['DeepSeek', undefined, { choices: [{ text: 'x', stop_reason: 'stop' }] }],
    ["who speaks OpenAI's protocol", undefined, chat('stop')],
    ["who speaks OpenAI's protocol", 'length', chat('length')],
    ["who speaks OpenAI's protocol", 'content_filter', chat('content_filter')],
    ["who speaks OpenAI's protocol", 'empty', chat('stop', { role: 'assistant', content: null })],
    ["who speaks OpenAI's protocol", 'empty', { choices: [] }],
    ["who speaks OpenAI's protocol", 'length', { choices: [...Object.values(chat('stop')), ...Object.values(chat('length'))].flat() }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html
    ['Command', undefined, { generations: [{ id: 'g', text: 'x', finish_reason: 'COMPLETE' }], id: 'i', prompt: 'p' }],
    ['Command', 'length', { generations: [{ text: 'x', finish_reason: 'MAX_TOKENS' }] }],
    ['Command', 'content_filter', { generations: [{ text: 'x', finish_reason: 'ERROR_TOXIC' }] }],
    ['Command', 'error', { generations: [{ text: 'x', finish_reason: 'ERROR' }] }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
    ['Command R', undefined, { text: 'x', generation_id: 'g', finish_reason: 'COMPLETE', chat_history: [] }],
    ['Command R', undefined, { text: '', finish_reason: 'COMPLETE', tool_calls: [{ name: 'n' }] }],
    ['Command R', 'length', { text: 'x', finish_reason: 'MAX_TOKENS' }],
    ['Command R', 'length', { text: 'x', finish_reason: 'error_limit' }],
    ['Command R', 'empty', { text: '', finish_reason: 'COMPLETE', chat_history: [{}] }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
    ['Titan embeddings', undefined, { embedding: [0.1], inputTextTokenCount: 3, embeddingsByType: { float: [0.1] } }],
    ['Titan embeddings', undefined, { embeddingsByType: { binary: [1] }, inputTextTokenCount: 3 }],
    ['Titan embeddings', 'empty', { embedding: [], inputTextTokenCount: 3 }],
    ['Titan embeddings', 'error', { embedding: [0.1], inputTextTokenCount: 3, message: 'the image is too large' }],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
    ['Cohere embeddings', undefined, { embeddings: [[0.1], [0.2]], texts: ['a', 'b'], id: 'i', response_type: 'embeddings_floats' }],
    ['Cohere embeddings', undefined, { embeddings: { float: [[0.1]], int8: [[1]] }, id: 'i', response_type: 'embeddings_by_type' }],
    ['Cohere embeddings', 'empty', { embeddings: [], id: 'i' }],
    ['Cohere embeddings', 'empty', { embeddings: [[0.1], []] }],
    ['Cohere embeddings', 'empty', { embeddings: { float: [] } }],
    ['Nova embeddings', undefined, { embeddings: [{ embeddingType: 'TEXT', embedding: [0.1] }] }],
    ['an image model', undefined, { images: ['AAAA'], seeds: [1], finish_reasons: [null] }],
    ['an image model', 'content_filter', { images: [''], seeds: [1], finish_reasons: ['Filter reason: prompt'] }],
    ['an image model', 'error', { images: ['AAAA'], error: 'some of the images were filtered' }],
    ['an image model', 'empty', { images: [] }],
    // A caller may use any model, so an answer that the service reports as a success is one.
    ['an unknown model', undefined, { results: [{ index: 0, relevance_score: 0.9 }] }],
    ['an unknown model', undefined, { data: [{ embedding: [1] }] }],
    ['an unknown model', undefined, { answer: 'x', finishReason: 'STOP' }],
    ['an unknown model', 'length', { answer: 'x', finishReason: 'LENGTH' }],
    ['an unknown model', 'stop_reason', { answer: 'x', finish_reason: 'odd' }],
    ['an unknown model', 'error', { error: 'x' }],
    ['an unknown model', 'empty', {}],
    ['a list', 'malformed', [{ generated_text: 'x' }]],
    ['nothing', 'malformed', undefined],
    // https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html
    ['a guarded call', 'content_filter', { ...message('end_turn'), 'amazon-bedrock-guardrailAction': 'INTERVENED' }],
    ['a guarded call', 'content_filter', { ...titan('FINISH'), 'amazon-bedrock-guardrailAction': 'GUARDRAIL_INTERVENED' }],
    ['a guarded call', undefined, { ...message('end_turn'), 'amazon-bedrock-guardrailAction': 'NONE', 'amazon-bedrock-trace': {} }],
  ])('%s is judged %s: %j', (_, verdict, body) => {
    expect(skipReason(body)).toBe(verdict)
  })
})

describe('the usage in the body of', () => {
  it.each<[string, JsonObject | undefined, JsonObject]>([
    [
      'Anthropic',
      { input: 1110, output: 5, cacheRead: 1000, cacheWrite: 30, cacheWriteHour: 70 },
      {
        ...message('end_turn'),
        usage: {
          input_tokens: 10,
          output_tokens: 5,
          cache_read_input_tokens: 1000,
          cache_creation_input_tokens: 100,
          cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 70 },
        },
      },
    ],
    ['Nova', { input: 1, output: 2 }, nova('end_turn')],
    ['Titan', { input: 3, output: 4 }, titan('FINISH')],
    ['Titan embeddings', { input: 3, output: 0 }, { embedding: [0.1], inputTextTokenCount: 3 }],
    ['Llama', { input: 1, output: 2 }, { generation: 'x', prompt_token_count: 1, generation_token_count: 2, stop_reason: 'stop' }],
    ['Mistral', { input: 1, output: 2 }, { ...chat('stop'), usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }],
    ["Mistral's completions", undefined, { outputs: [{ text: 'x', stop_reason: 'stop' }] }],
    ['Command', undefined, { generations: [{ text: 'x', finish_reason: 'COMPLETE' }] }],
    [
      'Command R',
      { input: 1, output: 2 },
      { text: 'x', finish_reason: 'COMPLETE', meta: { billed_units: { input_tokens: 1, output_tokens: 2 } } },
    ],
    ['Cohere embeddings', undefined, { embeddings: [[0.1]], id: 'i' }],
    ['an unknown model', undefined, { answer: 'x' }],
  ])('%s is %j', (_, usage, body) => {
    expect(bedrockInvoke.usage({ body })).toEqual(usage)
  })

  it('a value that is no object is unknown', () => {
    expect(bedrockInvoke.usage({ body: [1] })).toBeUndefined()
    expect(bedrockInvoke.usage({})).toBeUndefined()
  })
})

describe('a stream of InvokeModel is complete', () => {
  it.each<[string, JsonObject[]]>([
    [
      'Llama',
      [
        { generation: 'x', stop_reason: null },
        { generation: '', stop_reason: 'stop' },
      ],
    ],
    ['Titan', [{ outputText: 'x', index: 0, completionReason: 'FINISH', inputTextTokenCount: 3, totalOutputTextTokenCount: 4 }]],
    ["Mistral's completions", [{ outputs: [{ text: 'x', stop_reason: null }] }, { outputs: [{ text: '', stop_reason: 'stop' }] }]],
    ['Mistral', [{ choices: [{ index: 0, message: { content: 'x' }, stop_reason: null }] }, { choices: [{ stop_reason: 'stop' }] }]],
    [
      "who speaks OpenAI's protocol",
      [{ choices: [{ delta: { content: 'x' }, finish_reason: null }] }, { choices: [{ delta: {}, finish_reason: 'stop' }] }],
    ],
    ['Command', [{ generations: [{ text: 'x' }] }, { is_finished: true, finish_reason: 'COMPLETE' }]],
    [
      'Command R',
      [
        { event_type: 'text-generation', text: 'x' },
        { event_type: 'stream-end', finish_reason: 'COMPLETE', response: {} },
      ],
    ],
    ['Nova', [{ messageStart: { role: 'assistant' } }, { messageStop: { stopReason: 'end_turn' } }, { metadata: { usage: {} } }]],
    [
      "Anthropic's completions",
      [
        { type: 'completion', completion: 'x', stop_reason: null },
        { completion: '', stop_reason: 'stop_sequence' },
      ],
    ],
  ])('of %s, with its reason and the metrics', (_, chunks) => {
    expect(bedrockInvoke.complete?.(chunksOf(...chunks))).toBe(true)
    // S04: without its last chunk, no stream is complete.
    expect(bedrockInvoke.complete?.(chunksOf(...chunks).slice(0, -1))).toBe(false)
  })

  const text = { generation: 'x', stop_reason: null }
  const stop = { generation: '', stop_reason: 'stop' }

  it.each<[what: string, reason: string | false, events: ServerEvent[]]>([
    ['S04 without any event', false, []],
    ['S04 without metrics', false, [text, stop].map((chunk) => ({ event: 'chunk', data: JSON.stringify(chunk) }))],
    ['S04 with metrics before its end', false, [...chunksOf(text, stop), { event: 'chunk', data: JSON.stringify(text) }]],
    ['without a reason to stop', false, chunksOf(text)],
    ['S06 that ran out of tokens', 'length', chunksOf(text, { generation: '', stop_reason: 'length' })],
    ['S06 that was filtered', 'content_filter', chunksOf({ outputText: 'x', completionReason: 'CONTENT_FILTERED' })],
    ['S06 that stopped for an unknown reason', 'stop_reason', chunksOf(text, { generation: '', stop_reason: 'odd' })],
    ['S06 that a guardrail replaced', 'content_filter', chunksOf(text, { ...stop, 'amazon-bedrock-guardrailAction': 'INTERVENED' })],
    [
      'S06 of no tokens',
      'empty',
      [{ event: 'chunk', data: '{"stop_reason":"stop","amazon-bedrock-invocationMetrics":{"outputTokenCount":0}}' }],
    ],
    [
      'S03 after an exception',
      'error',
      [...chunksOf(text).slice(0, -1), { event: 'modelStreamErrorException', data: '{}' }, ...chunksOf(stop)],
    ],
    ['S03 after a chunk that is an error', 'error', [{ event: 'chunk', data: '{"type":"error"}' }, ...chunksOf(stop)]],
    ['with a damaged chunk', 'malformed', [{ event: 'chunk', data: '{"generation' }, ...chunksOf(stop)]],
  ])('not %s, and says why: %s', (_, reason, events) => {
    expect(bedrockInvoke.complete?.(events)).toBe(reason)
  })
})

describe('a request of InvokeModel', () => {
  it('is the same with the only content type and without', () => {
    const body = { inputText: 'x' }
    expect(bedrockInvoke.normalise?.({ model: 'm', body, accept: 'application/json', contentType: 'application/json' })).toEqual({
      model: 'm',
      body,
    })
    expect(bedrockInvoke.normalise?.({ model: 'm', body, accept: 'image/png', contentType: 'application/json' })).toEqual({
      model: 'm',
      body,
      accept: 'image/png',
    })
    const plain = { model: 'm', body }
    expect(bedrockInvoke.normalise?.(plain)).toBe(plain)
  })

  it('is keyed by the members that may change its answer, and by its mode, as a stream is another answer', () => {
    expect(bedrockInvoke.ignored).toEqual(['requestMetadata', 'serviceTier'])
    expect(bedrockInvoke.streaming).toBeUndefined()
  })

  const messages = [{ role: 'user', content: 'u' }]

  it.each<[string, JsonObject]>([
    ['invoke.messages', { body: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 1, messages } }],
    ['invoke', { body: { anthropic_version: 'bedrock-2023-05-31', prompt: '\n\nHuman: u\n\nAssistant:' } }],
    ['invoke', { body: { messages } }],
    ['invoke', { body: 'x' }],
    ['invoke', {}],
  ])('goes to %s: %j', (name, request) => {
    expect(invokeEndpoint(request).name).toBe(name)
    expect(bedrockEndpoints).toContain(invokeEndpoint(request))
  })

  it("of Anthropic's is normalised, and bypasses the cache, as Anthropic's own", () => {
    const body = {
      anthropic_version: 'v',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'u', cache_control: { type: 'ephemeral' } }] }],
    }
    expect(bedrockInvokeMessages.normalise?.({ model: 'm', body, accept: 'application/json' })).toEqual({
      model: 'm',
      body: { anthropic_version: 'v', messages: [{ role: 'user', content: 'u' }] },
    })
    expect(bedrockInvokeMessages.bypassReason({ body })).toBeUndefined()
    expect(bedrockInvokeMessages.bypassReason({ body: { ...body, container: 'c' } })).toBe('container')
  })
})

describe('a stream of messages by InvokeModel', () => {
  const whole = {
    body: {
      ...message('end_turn'),
      usage: { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 20, cache_creation_input_tokens: 7 },
    },
    contentType: 'application/json',
  }

  it.skipIf(!recordingsFound).each(recordings('anthropic-messages').filter(({ whole: recorded }) => recorded?.includes('"stop_reason"')))(
    'S09: is made of the whole answer $name, and that of it again',
    ({ whole: recorded = '' }) => {
      const answer = { body: bodyOf(JSON.parse(recorded)), contentType: 'application/json' }
      const events = streaming.disassemble(answer, {})
      expect(events.every(({ event }) => event === 'chunk')).toBe(true)
      expect(streaming.assemble(events)).toEqual(answer)
    },
  )

  it('S09: keeps the action of a guardrail, which decides whether it is stored', () => {
    const guarded = {
      ...whole,
      body: { ...whole.body, 'amazon-bedrock-guardrailAction': 'INTERVENED', 'amazon-bedrock-trace': { guardrail: {} } },
    }
    const assembled = bodyOf(streaming.assemble(streaming.disassemble(guarded, {})))
    expect(assembled).toEqual(guarded)
    expect(bedrockInvokeMessages.skipReason(assembled)).toBe('content_filter')
  })

  it("ends with the service's metrics, counted as the service counts", () => {
    const last = streaming.disassemble(whole, {}).at(-1)
    expect(JSON.parse(last?.data ?? '')).toEqual({
      type: 'message_stop',
      'amazon-bedrock-invocationMetrics': {
        inputTokenCount: 10,
        outputTokenCount: 5,
        invocationLatency: 0,
        firstByteLatency: 0,
        cacheReadInputTokenCount: 20,
        cacheWriteInputTokenCount: 7,
      },
    })
  })

  it('S04: is not complete before its last chunk, nor without the metrics in it', () => {
    const events = streaming.disassemble(whole, {})
    for (let end = 0; end < events.length; end += 1) expect(streaming.assemble(events.slice(0, end))).toBeUndefined()
    expect(streaming.assemble([...events.slice(0, -1), { event: 'chunk', data: '{"type":"message_stop"}' }])).toBeUndefined()
    expect(streaming.assemble([...events, { event: 'throttlingException', data: '{}' }])).toBeUndefined()
  })
})

describe("Cohere's embeddings, taken apart", () => {
  const request = {
    model: 'cohere.embed-v4:0',
    body: { texts: ['a', 'b'], input_type: 'search_query', output_dimension: 256 },
    accept: '*/*',
  }

  it('are one request for each text, and one again', () => {
    const singles = perInput.split(request) ?? []
    expect(singles).toEqual([
      { ...request, body: { ...request.body, texts: ['a'] } },
      { ...request, body: { ...request.body, texts: ['b'] } },
    ])
    expect(perInput.unite(request, singles)).toEqual(request)
    expect(perInput.unite(request, singles.slice(1))).toEqual({ ...request, body: { ...request.body, texts: ['b'] } })
  })

  it.each<[string, JsonObject]>([
    ['no texts', { body: { input_type: 'x' } }],
    ['an empty list of texts', { body: { texts: [], input_type: 'x' } }],
    ['texts with a number among them', { body: { texts: ['a', 1], input_type: 'x' } }],
    ['images', { body: { texts: ['a'], images: ['data:'], input_type: 'image' } }],
    ['mixed inputs', { body: { texts: ['a'], inputs: [{}], input_type: 'x' } }],
    ['texts of another model', { body: { texts: ['a', 'b'] } }],
    ["one text, as Titan's", { body: { inputText: 'a' } }],
    ['a stream', { ...request, stream: true }],
    ['no body', {}],
  ])('are not of a request with %s', (_, given) => {
    expect(perInput.split(given)).toBeUndefined()
  })

  it('are a whole answer for each, of each type', () => {
    const singles = perInput.split(request) ?? []
    const rest = { id: 'i', response_type: 'embeddings_by_type' }
    const answer = {
      body: { ...rest, embeddings: { float: [[0.1], [0.2]], int8: [[1], [2]] }, texts: ['a', 'b'] },
      contentType: 'application/json',
    }
    expect(perInput.share(answer, singles)).toEqual([
      { body: { ...rest, embeddings: { float: [[0.1]], int8: [[1]] }, texts: ['a'] }, contentType: 'application/json' },
      { body: { ...rest, embeddings: { float: [[0.2]], int8: [[2]] }, texts: ['b'] }, contentType: 'application/json' },
    ])
  })

  it.each<[string, unknown]>([
    ['too few', { embeddings: [[1]] }],
    ['too many', { embeddings: [[1], [2], [3]] }],
    ['too few of one type', { embeddings: { float: [[1], [2]], int8: [[1]] } }],
    ['none of any type', { embeddings: {} }],
    ['none', {}],
    ['no body', undefined],
  ])('B11: are not shared when there are %s', (_, body) => {
    expect(perInput.share({ body }, perInput.split(request) ?? [])).toBeUndefined()
  })

  it('are put together unchanged', () => {
    const vector = fc.array(fc.integer(), { minLength: 1, maxLength: 3 })
    const row = fc.record({ text: fc.string(), float: vector, int8: vector })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), fc.boolean(), fc.boolean(), (rows, typed, echoed) => {
        const texts = rows.map(({ text }) => text)
        const float = rows.map((each) => each.float)
        const body = {
          id: 'i',
          embeddings: typed ? { float, int8: rows.map(({ int8 }) => int8) } : float,
          ...(echoed ? { texts } : {}),
        }
        const answer = { body, contentType: 'application/json' }
        const shares = perInput.share(answer, perInput.split({ body: { texts, input_type: 'x' } }) ?? []) ?? []
        expect(shares).toHaveLength(rows.length)
        for (const share of shares) expect(bedrockInvoke.skipReason(share)).toBeUndefined()
        expect(perInput.join(shares)).toEqual(answer)
      }),
    )
  })
})

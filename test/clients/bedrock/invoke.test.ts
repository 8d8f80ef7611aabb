import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { InvokeModelCommand, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { chunk, startBedrock } from '../../support/bedrock-server.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import { at, eventsOf, headers, makeBedrock, outcomeOfSend, send } from '../../support/bedrock-sdk.ts'

/** Answers in the forms of the models. Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html */
const families: readonly { readonly name: string; readonly modelId: string; readonly request: object; readonly answer: string }[] = [
  {
    name: 'Anthropic',
    modelId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    request: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] },
    answer:
      '{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5", "content":[{"type":"text","text":"Grüße 🎉"}],' +
      '"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":12}}',
  },
  {
    name: 'Nova',
    modelId: 'amazon.nova-lite-v1:0',
    request: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
    answer:
      '{"output":{"message":{"content":[{"text":"Hi"}],"role":"assistant"}},"stopReason":"end_turn",' +
      '"usage":{"inputTokens":9,"outputTokens":12,"totalTokens":21,"cacheReadInputTokenCount":0}}',
  },
  {
    name: 'Titan text',
    modelId: 'amazon.titan-text-express-v1',
    request: { inputText: 'Hi' },
    answer: '{ "inputTextTokenCount" : 9, "results" : [ {"tokenCount":12,"outputText":"\\u0048i","completionReason":"FINISH"} ] }',
  },
  {
    name: 'Titan embeddings',
    modelId: 'amazon.titan-embed-text-v2:0',
    request: { inputText: 'Hi' },
    answer: '{"embedding":[0.10000000149011612,-1.0E-7,7.586241117678583E-4,0.0],"inputTextTokenCount":2}',
  },
  {
    name: 'Llama',
    modelId: 'meta.llama3-8b-instruct-v1:0',
    request: { prompt: 'Hi' },
    answer: '{"generation":"Hello","prompt_token_count":9,"generation_token_count":12,"stop_reason":"stop"}\n',
  },
  {
    name: 'Mistral',
    modelId: 'mistral.mistral-7b-instruct-v0:2',
    request: { prompt: 'Hi' },
    answer: '{"outputs":[{"text":"Hello","stop_reason":"stop"}]}',
  },
  {
    name: 'Cohere',
    modelId: 'cohere.command-r-v1:0',
    request: { message: 'Hi' },
    answer: '{"response_id":"r","generation_id":"g","text":"Hello","finish_reason":"COMPLETE","chat_history":[]}',
  },
]

const messagesBody = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }
const metrics = { inputTokenCount: 9, outputTokenCount: 12, invocationLatency: 100, firstByteLatency: 50 }
const messagesEvents = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 9, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße ' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '🎉' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 12 } },
  { type: 'message_stop', 'amazon-bedrock-invocationMetrics': metrics },
]

function invoke(modelId: string, body: string | Uint8Array, more: object = {}): InvokeModelCommand {
  return new InvokeModelCommand({ modelId, body, contentType: 'application/json', ...more })
}

function invokeStream(modelId: string, body: object): InvokeModelWithResponseStreamCommand {
  return new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body), contentType: 'application/json' })
}

describe.each(['http1', 'h2'] as const)('InvokeModel over %s', (protocol) => {
  let server: ProviderServer
  let bare: object
  let cache: Cache
  let client: object

  beforeEach(async () => {
    server = await startBedrock(protocol)
    bare = makeBedrock(protocol, { url: server.url })
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  const answering = (text: string): void => {
    server.respond((_, reply) => reply.text(text, { headers: { ...headers, 'content-type': 'application/json' } }))
  }

  it.each(families)('B05 S09: the bytes of $name are the same', async ({ modelId, request, answer }) => {
    answering(answer)
    const command = invoke(modelId, JSON.stringify(request))
    const plain = await send(bare, command)
    const miss = await send(client, command)
    const hit = await send(client, command)
    expect(cacheInfo(hit)).toMatchObject({ hit: true, operation: 'invoke' })
    for (const { body, contentType } of [plain, miss, hit]) {
      expect(body).toBeInstanceOf(Uint8Array)
      expect(Buffer.from(Object(body)).toString('hex')).toBe(Buffer.from(answer).toString('hex'))
      expect(toText(body)).toBe(answer)
      expect(toText(body, 'base64')).toBe(Buffer.from(answer).toString('base64'))
      expect(contentType).toBe('application/json')
      // Both have only their bytes as members.
      expect(Object.keys(Object(body))).toHaveLength(Buffer.byteLength(answer))
    }
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]).toEqual(server.requests[0])
  })

  it('K05: each caller gets bytes of its own', async () => {
    answering('{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')
    const command = invoke('mistral.m', '{"prompt":"Hi"}')
    const results = await Promise.all([send(client, command), send(client, command)])
    for (const { body } of [...results, await send(client, command)]) {
      expect(toText(body)).toBe('{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')
      if (body instanceof Uint8Array) body.fill(0)
    }
    expect(toText((await send(client, command))['body'])).toBe('{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')
    expect(server.requests).toHaveLength(1)
  })

  it('is keyed by the meaning of the body: not by the order of its members, its white space or the type of its array', async () => {
    answering('{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')
    const same = ['{"prompt":"Hi","top_k":5}', '{ "top_k": 5,\n "prompt": "Hi" }', '{"prompt":"\\u0048i","top_k":5}']
    for (const body of same) {
      await send(client, invoke('mistral.m', body))
      await send(client, invoke('mistral.m', Buffer.from(body)))
      await send(client, invoke('mistral.m', new TextEncoder().encode(body), { accept: 'application/json' }))
    }
    expect(server.requests).toHaveLength(1)
    // The provider gets the bytes that the caller gave.
    for (const [model, body] of [
      ['mistral.n', '{"prompt":"Hi","top_k":5}'],
      ['mistral.m', '{"prompt":"Hi","top_k":6}'],
      ['mistral.m', '{"prompt":"hi","top_k":5}'],
    ] as const) {
      expect(cacheInfo(await send(client, invoke(model, body)))).toMatchObject({ hit: false })
    }
    expect(
      cacheInfo(await send(client, invoke('mistral.m', same[0] ?? '', { guardrailIdentifier: 'g', guardrailVersion: '1' }))),
    ).toMatchObject({
      hit: false,
    })
    expect(server.requests).toHaveLength(5)
  })

  it.each([
    ['bytes that are not text', Buffer.from([0xff, 0xfe, 0x7b, 0x7d])],
    ['a text that is not JSON', Buffer.from('hello')],
    ['a byte order mark', Buffer.from('\ufeff{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')],
  ])('B05: an answer of %s reaches the caller as it is, and is not stored', async (_, bytes) => {
    server.respond((_request, reply) => reply.bytes(bytes, { headers }))
    const command = invoke('mistral.m', '{"prompt":"Hi"}')
    for (let time = 0; time < 2; time++) expect(Buffer.from(Object((await send(client, command))['body']))).toEqual(bytes)
    expect(server.requests).toHaveLength(2)
    expect(cache.stats()).toMatchObject({ stored: 0, errors: 0 })
  })

  it('B05: a request with a body that is not JSON bypasses the cache', async () => {
    answering('{"outputs":[{"text":"Hello","stop_reason":"stop"}]}')
    for (const body of ['hello', new Uint8Array([255, 254]), '{"seed":12345678901234567890}']) {
      const result = await send(client, invoke('mistral.m', body, { contentType: 'text/plain' }))
      expect(cacheInfo(result)).toMatchObject({ hit: false, reason: 'not keyable' })
    }
    expect(cache.stats()).toMatchObject({ bypasses: 3, errors: 0 })
  })

  it('K08: a stream of Anthropic’s is replayed as it was, and served whole', async () => {
    const events = messagesEvents.map((event) => chunk(JSON.stringify(event)))
    server.respond((_, reply) => reply.events(events, { headers: { ...headers, 'x-amzn-bedrock-content-type': 'application/json' } }))
    const command = invokeStream('us.anthropic.claude-sonnet-4-5-20250929-v1:0', messagesBody)
    const expected = await outcomeOfSend(bare, command)
    expect(expected.output).toMatchObject({ contentType: 'application/json' })
    expect(await outcomeOfSend(client, command)).toStrictEqual(expected)
    expect(await outcomeOfSend(client, command)).toStrictEqual(expected)
    expect(at(expected.events?.[0], 'chunk', 'bytes')).toBeInstanceOf(Uint8Array)

    const whole = await send(client, invoke('us.anthropic.claude-sonnet-4-5-20250929-v1:0', JSON.stringify(messagesBody)))
    expect(cacheInfo(whole)).toMatchObject({ hit: true, savedTokens: 21 })
    expect(JSON.parse(toText(whole['body']))).toEqual({
      ...messagesEvents[0]?.message,
      content: [{ type: 'text', text: 'Grüße 🎉' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 12 },
    })
    expect(whole['contentType']).toBe('application/json')
    expect(server.requests).toHaveLength(2)
  })

  it('K08: a whole answer of Anthropic’s is served as a stream, which ends with the metrics', async () => {
    const [{ answer, modelId } = expect.fail()] = families
    answering(answer)
    await send(client, invoke(modelId, JSON.stringify(messagesBody)))
    const chunks = (await eventsOf(await send(client, invokeStream(modelId, messagesBody)))).map(jsonOf)
    expect(server.requests).toHaveLength(1)
    const texts = chunks.filter(({ type }) => type === 'content_block_delta').map((each) => at(each, 'delta', 'text'))
    expect(texts.join('')).toBe('Grüße 🎉')
    expect(chunks.at(-1)).toMatchObject({
      type: 'message_stop',
      'amazon-bedrock-invocationMetrics': { inputTokenCount: 9, outputTokenCount: 12 },
    })
  })

  it('S03: a stream of another family is replayed if it is complete, and not stored if it is cut off', async () => {
    const parts = [
      { generation: 'Hel', stop_reason: null },
      { generation: 'lo', stop_reason: null },
      { generation: '', stop_reason: 'stop', 'amazon-bedrock-invocationMetrics': metrics },
    ].map((part) => chunk(JSON.stringify(part)))
    const command = invokeStream('meta.llama3-8b-instruct-v1:0', { prompt: 'Hi' })
    server.respond((_, reply) => reply.events(parts.slice(0, 2), { headers }))
    await outcomeOfSend(client, command)
    server.respond((_, reply) => reply.events(parts, { headers }))
    const expected = await outcomeOfSend(bare, command)
    expect(await outcomeOfSend(client, command)).toStrictEqual(expected)
    expect(await outcomeOfSend(client, command)).toStrictEqual(expected)
    expect(server.requests).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ stored: 1, skipped: { incomplete: 1 } })
  })

  it('Cohere’s embeddings are cached one by one: only the missing ones are requested', async () => {
    server.respond(({ body }, reply) => {
      const texts = at(body, 'texts')
      const list: unknown[] = Array.isArray(texts) ? texts : []
      reply.json(
        { id: `id ${server.requests.length}`, embeddings: list.map(vector), texts: list, response_type: 'embeddings_floats' },
        { headers },
      )
    })
    const embed = async (...texts: string[]): Promise<JsonObject> =>
      send(client, invoke('cohere.embed-english-v3', JSON.stringify({ input_type: 'search_document', texts })))
    const asked = (): unknown[] => server.requests.map(({ body }) => at(body, 'texts'))
    await embed('a', 'bb')
    const second = await embed('bb', 'ccc', 'a', 'dddd')
    expect(asked()).toEqual([
      ['a', 'bb'],
      ['ccc', 'dddd'],
    ])
    expect(JSON.parse(toText(second['body']))).toMatchObject({
      embeddings: ['bb', 'ccc', 'a', 'dddd'].map(vector),
      texts: ['bb', 'ccc', 'a', 'dddd'],
    })
    expect(cacheInfo(second)).toMatchObject({ hit: false, stored: true })
    const third = await embed('dddd', 'a')
    expect(cacheInfo(third)).toMatchObject({ hit: true })
    expect(at(third, '$metadata')).toMatchObject({ attempts: 0, httpStatusCode: 200 })
    expect(JSON.parse(toText(third['body']))).toMatchObject({ embeddings: ['dddd', 'a'].map(vector) })
    expect(asked()).toHaveLength(2)
    expect(cacheInfo(await send(client, invoke('cohere.embed-english-v3', '{"input_type":"search_query","texts":["a"]}')))).toMatchObject({
      hit: false,
    })
  })
})

/** The embedding of a text. */
function vector(text: unknown): number[] {
  return [String(text).length, 0.5]
}

/** The text by `body.transformToString()`, a method of the SDK's own bytes. */
function toText(body: unknown, ...encoding: string[]): string {
  const text: unknown = Reflect.apply(Reflect.get(Object(body), 'transformToString'), body, encoding)
  if (typeof text !== 'string') throw new TypeError('the bytes have no text')
  return text
}

function jsonOf(event: unknown): JsonObject {
  const value: unknown = JSON.parse(Buffer.from(Object(at(event, 'chunk', 'bytes'))).toString())
  if (!isJsonObject(value)) throw new TypeError('no JSON object')
  return value
}

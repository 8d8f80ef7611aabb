import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, cachingFetch, createCache, type CacheOptions, withCache } from '../../../src/index.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { gate, type ProviderReply, type ProviderRequest, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { offLane, sdks, type SdkClient } from '../../support/openai-sdks.ts'

const usage = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 }
const params = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi, wörld' }], stream: true }

/** What OpenAI streams to this request, by the documentation of `stream_options.include_usage`. */
function eventsFor(request: JsonObject): ServerEvent[] {
  const options = request['stream_options']
  const counted = isJsonObject(options) && options['include_usage'] === true
  const legacy = !Object.hasOwn(request, 'messages')
  const head = { id: 'c-1', object: legacy ? 'text_completion' : 'chat.completion.chunk', created: 1_750_000_000, model: request['model'] }
  const chunk = (rest: JsonObject): ServerEvent => ({ data: JSON.stringify({ ...head, ...rest }) })
  const part = (text: string, finish: string | null = null): ServerEvent => {
    const said = legacy ? { text, logprobs: null } : { delta: finish === null ? { content: text } : {}, logprobs: null }
    return chunk({ choices: [{ index: 0, ...said, finish_reason: finish }], ...(counted && { usage: null }), obfuscation: 'x7Q' })
  }
  return [
    ...['Hällo ', 'the "usage" of ', ',"usage":null'].map((text) => part(text)),
    part('', 'stop'),
    ...(counted ? [chunk({ choices: [], usage, obfuscation: '' })] : []),
    { data: '[DONE]' },
  ]
}

function wholeFor(request: JsonObject): JsonObject {
  const message = { role: 'assistant', content: 'Whole', refusal: null }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
  return { id: 'c-2', object: 'chat.completion', created: 1_750_000_000, model: request['model'], choices, usage }
}

function bodyOf({ body }: ProviderRequest): JsonObject {
  return isJsonObject(body) ? body : {}
}

function answer(request: ProviderRequest, reply: ProviderReply): unknown {
  const body = bodyOf(request)
  return body['stream'] === true ? reply.events(eventsFor(body)) : reply.json(wholeFor(body))
}

async function collect(stream: unknown): Promise<unknown[]> {
  const chunks: unknown[] = []
  for await (const chunk of iterable(stream)) chunks.push(chunk)
  return chunks
}

/** The SDKs' own types of streams do not mix. */
function iterable(stream: unknown): AsyncIterable<unknown> {
  if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream)) throw new TypeError('no stream')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return stream as AsyncIterable<unknown>
}

function jsonOf(text: unknown): JsonObject {
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
  return isJsonObject(value) ? value : {}
}

const lines = (all: string): unknown[] =>
  all
    .split(/\r\n|\r|\n/)
    .filter((line) => line.startsWith('data: {'))
    .map((line): unknown => JSON.parse(line.slice(6)))

let server: ProviderServer
beforeEach(async () => {
  server = await startProvider(answer)
})
afterEach(() => server.close())

/** A `fetch` that takes the requests for a public host to the loopback. */
const fetchTo =
  (host: string): typeof fetch =>
  (input, init) =>
    fetch((input instanceof Request ? input.url : input.toString()).replace(`https://${host}/v1`, server.url), init)

const asked = (): unknown[] => server.requests.map((request) => bodyOf(request)['stream_options'])

const asChunks = (request: JsonObject): unknown[] =>
  eventsFor(request)
    .slice(0, -1)
    .map(({ data }): unknown => JSON.parse(data))

const ask = async (openai: SdkClient, more: JsonObject = {}): Promise<unknown[]> =>
  collect(await openai.chat.completions.create({ ...params, ...more }))

describe.each([...sdks, ...sdks.map(offLane)])('streamUsage over $name', ({ make }) => {
  function client(options: CacheOptions = {}, host = 'api.openai.com') {
    const cache = createCache({ logger: false, ...options })
    return { cache, openai: withCache(make({ url: `https://${host}/v1`, fetch: fetchTo(host) }), cache) }
  }
  it('G43 asks api.openai.com for the usage, and gives the caller the chunks as without it, new, joined and stored', async () => {
    const { cache, openai } = client()
    const expected = asChunks(params)
    expect(expected.some((chunk) => isJsonObject(chunk) && 'usage' in chunk)).toBe(false)
    const both = await Promise.all([ask(openai), ask(openai)])
    expect(both).toEqual([expected, expected])
    expect(await ask(openai)).toEqual(expected)
    expect(asked()).toEqual([{ include_usage: true }])
    const stats = cache.stats()
    expect(stats).toMatchObject({ hits: 2, misses: 1, savedTokens: 3_000, spentTokens: 1_500, unpricedHits: 0, unpricedMisses: 0 })
    expect(stats.savedUsd).toBeCloseTo(2 * (1_000 * 0.15e-6 + 500 * 0.6e-6), 9)
  })

  it('G43 serves whole calls, and streams that ask for the usage, of a stream that did not', async () => {
    const { openai } = client()
    await ask(openai)
    const { stream: _, ...whole } = params
    const answered = await openai.chat.completions.create(whole)
    expect(answered).toMatchObject({ object: 'chat.completion', usage, choices: [{ finish_reason: 'stop' }] })
    const withUsage = { stream_options: { include_usage: true } }
    expect(await ask(openai, withUsage)).toEqual(asChunks({ ...params, ...withUsage }))
    expect(server.requests).toHaveLength(1)
  })

  it('G43 serves streams that ask for the usage of one that can only be replayed', async () => {
    const head = { id: 'c-1', object: 'chat.completion.chunk', created: 1, model: params.model }
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    // A call without its index cannot be put together to a whole answer.
    const chunks = (counted: boolean): JsonObject[] => [
      { ...head, choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }], ...(counted && { usage: null }) },
      ...(counted ? [{ ...head, choices: [], usage }] : []),
    ]
    server.respond((request, reply) => {
      const isCounted = bodyOf(request)['stream_options'] !== undefined
      return reply.events([...chunks(isCounted).map((chunk) => ({ data: JSON.stringify(chunk) })), { data: '[DONE]' }])
    })
    const { openai } = client()
    expect(await ask(openai)).toEqual(chunks(false))
    expect(await ask(openai, { stream_options: { include_usage: true } })).toEqual(chunks(true))
    expect(await ask(openai)).toEqual(chunks(false))
    expect(server.requests).toHaveLength(1)
  })

  it('G43 keeps the other options of the stream, and an explicit no', async () => {
    const { openai } = client()
    const options = { stream_options: { include_usage: false, include_obfuscation: false } }
    expect(await ask(openai, options)).toEqual(asChunks(params))
    expect(asked()).toEqual([{ include_usage: true, include_obfuscation: false }])
  })

  it('G43 asks for the usage of legacy completions', async () => {
    const { cache, openai } = client()
    const prompt = { model: 'gpt-3.5-turbo-instruct', prompt: 'Hi', stream: true }
    for (let time = 0; time < 2; time++) expect(await collect(await openai.completions.create(prompt))).toEqual(asChunks(prompt))
    expect(asked()).toEqual([{ include_usage: true }])
    expect(cache.stats()).toMatchObject({ hits: 1, unpricedHits: 0, savedTokens: 1_500 })
  })

  it('G43 leaves a call alone that bypasses the cache', async () => {
    const { openai } = client()
    expect(await collect(await openai.chat.completions.create(params, { bypassCache: true }))).toEqual(asChunks(params))
    expect(asked()).toEqual([undefined])
  })

  it.each([
    ['auto', 'api.openai.com', true],
    ['auto', 'eu.api.openai.com', true],
    ['auto', 'gateway.example', false],
    ['auto', 'api.openai.com.example', false],
    ['auto', 'my-resource.openai.azure.com', false],
    [true, 'gateway.example', true],
    [false, 'api.openai.com', false],
  ] as const)('G43 streamUsage %s at %s asks: %s', async (streamUsage, host, asks) => {
    const { cache, openai } = client({ streamUsage }, host)
    for (let time = 0; time < 2; time++) expect(await ask(openai)).toEqual(asChunks(params))
    expect(asked()).toEqual([asks ? { include_usage: true } : undefined])
    expect(cache.stats().savedTokens).toBe(asks ? 1_500 : 0)
  })

  it('G43 sends the own request to a server that refuses the other, and does not try again', async () => {
    server.respond((request, reply) => {
      if (bodyOf(request)['stream_options'] === undefined) return answer(request, reply)
      return reply.json({ error: { message: 'Unrecognized request argument supplied: stream_options' } }, { status: 400 })
    })
    const { openai } = client({ streamUsage: true }, 'gateway.example')
    const second = { ...params, messages: [{ role: 'user', content: 'Second' }] }
    expect(await ask(openai)).toEqual(asChunks(params))
    expect(await ask(openai, second)).toEqual(asChunks(params))
    expect(asked()).toEqual([{ include_usage: true }, undefined, undefined])
  })

  it('G43 passes on an error that has another reason', async () => {
    server.respond((_, reply) => reply.json({ error: { message: 'too long', code: 'context_length_exceeded' } }, { status: 400 }))
    const { openai } = client()
    await expect(ask(openai)).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' })
    expect(server.requests).toHaveLength(1)
  })

  it('G43 passes each chunk on when it comes', async () => {
    const pause = gate()
    server.respond((request, reply) => {
      const [first, ...rest] = eventsFor(bodyOf(request))
      return reply.events(first === undefined ? [] : [first, pause, ...rest])
    })
    const { openai } = client()
    const stream = await openai.chat.completions.create(params)
    const events = iterable(stream)[Symbol.asyncIterator]()
    expect(await events.next()).toEqual({ done: false, value: asChunks(params)[0] })
    pause.open()
    const { length } = await collect({ [Symbol.asyncIterator]: () => events })
    expect(length).toBe(asChunks(params).length - 1)
  })
})

describe('streamUsage over cachingFetch', () => {
  const url = 'https://api.openai.com/v1/chat/completions'
  const headers = { 'content-type': 'application/json', authorization: 'Bearer k' }

  async function textOf(init: RequestInit): Promise<string> {
    const through = cachingFetch(createCache({ logger: false }), fetchTo('api.openai.com'))
    const response = await through(url, { method: 'POST', headers, ...init })
    return response.text()
  }

  it.each([
    ['text', JSON.stringify(params)],
    ['bytes', new TextEncoder().encode(JSON.stringify(params))],
  ])('G43 takes a body of %s, and a length that the caller gave', async (_, body) => {
    const expected = eventsFor(params).map(({ data }) => `data: ${data}\n\n`)
    const length = String(new TextEncoder().encode(JSON.stringify(params)).byteLength)
    expect(await textOf({ body, headers: { ...headers, 'content-length': length } })).toBe(expected.join(''))
    expect(asked()).toEqual([{ include_usage: true }])
  })

  it('G43 sends another body without the length of the own one', async () => {
    const sent: unknown[] = []
    const own = JSON.stringify(params)
    const through = cachingFetch(createCache({ logger: false }), async (_, init) => {
      const { stream_options: options } = jsonOf(init?.body)
      sent.push([options, new Headers(init?.headers).get('content-length')])
      return new Response('data: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } })
    })
    await through(url, { method: 'POST', body: own, headers: { ...headers, 'content-length': `${own.length}` } })
    expect(sent).toEqual([[{ include_usage: true }, null]])
  })

  it('G43 leaves a request as it is if a header holds a digest of its body', async () => {
    await textOf({ body: JSON.stringify(params), headers: { ...headers, 'content-digest': 'sha-256=:YWJj:' } })
    await textOf({ body: JSON.stringify(params), headers: { ...headers, 'x-amz-content-sha256': 'abc' } })
    expect(asked().every((options) => options === undefined)).toBe(true)
  })

  it.each(['\n', '\r\n', '\r'])('G43 finds the events in a stream with line ends %j, in whatever pieces it comes', async (end) => {
    const text = (request: JsonObject): string =>
      `: hello${end}${end}` +
      eventsFor(request)
        .map(({ data }) => `data: ${data}${end}${end}`)
        .join('')
    for (const size of [1, 7, 10_000]) {
      const inPieces: typeof fetch = async (_, init) => {
        const bytes = new TextEncoder().encode(text(jsonOf(init?.body)))
        const pieces = new ReadableStream<Uint8Array>({
          start(controller) {
            for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size))
            controller.close()
          },
        })
        return new Response(pieces, { headers: { 'content-type': 'text/event-stream' } })
      }
      const cache = createCache({ logger: false })
      const through = cachingFetch(cache, inPieces)
      const response = await through(url, { method: 'POST', headers, body: JSON.stringify(params) })
      const got = await response.text()
      expect(lines(got)).toEqual(lines(text(params)))
      expect(got.startsWith(`: hello${end}`)).toBe(true)
      expect(cacheInfo(response)).toMatchObject({ stored: true })
    }
  })
})

describe('streamUsage', () => {
  it.each(['yes', 1, null])('G43 %j is refused', (streamUsage) => {
    const options: CacheOptions = Object.assign({}, { streamUsage: true }, { streamUsage })
    expect(() => createCache(options)).toThrow(/streamUsage.*'auto', true or false/)
  })
})

import { isJsonObject } from '../../../src/json/object.ts'
import OpenAI, { APIConnectionTimeoutError, InternalServerError } from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import { Stream } from 'openai/streaming'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { callChunksOf, chunksOf, completion, response, responseEvents } from '../../support/openai-answers.ts'
import { failureOf, outcomeOf, read } from '../../support/outcome.ts'
import { timedOut, timeout } from '../../support/timed-out.ts'

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Where is Berlin?' }]
const chat = { model: 'gpt-test', messages }
const streamed = { ...chat, stream: true as const, stream_options: { include_usage: true } }
const headers = { 'x-request-id': 'req_of_the_origin', 'openai-version': '2020-10-01', 'x-ratelimit-remaining-requests': '7' }

/** Answers chats and responses, whole or streamed, with `text`. */
function answering(text: string): ProviderHandler {
  return ({ path, body }, reply) => {
    const isStream = isJsonObject(body) && body['stream'] === true
    if (path.endsWith('/responses'))
      return isStream ? reply.events(responseEvents(text), { headers }) : reply.json(response(text), { headers })
    return isStream ? reply.events(chunksOf(text).flat(), { headers }) : reply.json(completion(text), { headers })
  }
}

describe('the contract of openai 7 on hits', () => {
  let server: ProviderServer
  let bare: OpenAI
  let cache: Cache
  let client: OpenAI

  const make = (options: object = {}): OpenAI =>
    new OpenAI({ baseURL: server.url, apiKey: 'test-key', maxRetries: 0, logLevel: 'off', ...options })

  beforeEach(async () => {
    server = await startProvider(answering('In Germany.'))
    bare = make()
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  describe('a response', () => {
    it('is given by withResponse(), with its address, its request id and the headers that still hold', async () => {
      const first = await client.chat.completions.create(chat).withResponse()
      const second = await client.chat.completions.create(chat).withResponse()
      const plain = await bare.chat.completions.create(chat).withResponse()
      expect(server.requests).toHaveLength(2)
      expect(first.data).toStrictEqual(plain.data)
      expect(second.data).toStrictEqual(plain.data)
      expect(second.response).toBeInstanceOf(Response)
      for (const { response: each, request_id } of [first, second]) {
        expect(request_id).toBe('req_of_the_origin')
        expect([each.url, each.status, each.ok]).toEqual([plain.response.url, 200, true])
        expect(each.headers.get('content-type')).toBe(plain.response.headers.get('content-type'))
        expect(each.headers.get('openai-version')).toBe('2020-10-01')
      }
      // The rest of the rate limit is true of the origin's own answer only.
      expect(first.response.headers.get('x-ratelimit-remaining-requests')).toBe('7')
      expect(second.response.headers.has('x-ratelimit-remaining-requests')).toBe(false)
      expect(second.response.headers.get('cache-status')).toMatch(/^llmemo; hit; ttl=\d+; detail=memory$/)
      expect(cacheInfo(second.response)).toBe(cacheInfo(second.data))
      expect(isHit(second.response)).toBe(true)
    })

    it('is given by asResponse(), its body unread', async () => {
      await client.chat.completions.create(chat)
      const found = await client.chat.completions.create(chat).asResponse()
      const plain = await bare.chat.completions.create(chat).asResponse()
      expect(found.bodyUsed).toBe(false)
      expect(await found.text()).toBe(await plain.text())
      expect(isHit(found)).toBe(true)
      expect(server.requests).toHaveLength(2)
    })

    it('gives its result its _request_id', async () => {
      const first = await client.chat.completions.create(chat)
      const second = await client.chat.completions.create(chat)
      expect([first._request_id, second._request_id]).toEqual(['req_of_the_origin', 'req_of_the_origin'])
      expect(Object.keys(second)).not.toContain('_request_id')
    })

    it('is given for a stream too', async () => {
      await outcomeOf(() => client.chat.completions.create(streamed))
      const { data, response: found, request_id } = await client.chat.completions.create(streamed).withResponse()
      expect(request_id).toBe('req_of_the_origin')
      expect(found.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect([isHit(data), isHit(found)]).toEqual([true, true])
      data.controller.abort()
    })
  })

  describe('structured answers', () => {
    const text = JSON.stringify({ city: 'Berlin' })
    const city = z.object({ city: z.string() })
    beforeEach(() => server.respond(answering(text)))

    it('are parsed by zod', async () => {
      const params = { ...chat, response_format: zodResponseFormat(city, 'city') }
      const plain = await bare.chat.completions.parse(params)
      const results = [await client.chat.completions.parse(params), await client.chat.completions.parse(params)]
      expect(results).toStrictEqual([plain, plain])
      expect(results[1]?.choices[0]?.message.parsed).toEqual({ city: 'Berlin' })
      expect(results.map(isHit)).toEqual([false, true])
      expect(server.requests).toHaveLength(2)
    })

    it('are parsed without zod', async () => {
      const params = { ...chat, response_format: { type: 'json_object' as const } }
      const plain = await bare.chat.completions.parse(params)
      const results = [await client.chat.completions.parse(params), await client.chat.completions.parse(params)]
      expect(results).toStrictEqual([plain, plain])
      expect(results.map(isHit)).toEqual([false, true])
    })

    it('are parsed of a response', async () => {
      const params = { model: 'gpt-test', input: 'Where?', text: { format: zodTextFormat(city, 'city') } }
      const plain = await bare.responses.parse(params)
      const results = [await client.responses.parse(params), await client.responses.parse(params)]
      expect(results).toStrictEqual([plain, plain])
      expect(results[1]?.output_parsed).toEqual({ city: 'Berlin' })
      expect(results[1]?.output_text).toBe(text)
      expect(results.map(isHit)).toEqual([false, true])
      expect(server.requests).toHaveLength(2)
    })
  })

  describe('a stream helper', () => {
    it('S09: of a chat emits the same events on a miss and on a hit as on the bare client', async () => {
      const plain = await streamChat(bare)
      expect(plain.events.length).toBeGreaterThan(12)
      expect(await streamChat(client)).toStrictEqual({ ...plain, info: false })
      expect(await streamChat(client)).toStrictEqual({ ...plain, info: true })
      expect(server.requests).toHaveLength(2)
    })

    it('S09: of a parsed tool call emits the same events', async () => {
      server.respond((_request, reply) => reply.events(callChunksOf({ name: 'weather', arguments: '{"city":"Berlin"}' })))
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {}, strict: true } }]
      const run = async (each: OpenAI) => {
        const helper = each.chat.completions.stream({ ...streamed, tools })
        const events = listen(helper, chatEvents)
        await helper.done()
        return { events, names: events.map(([name]) => name) }
      }
      const plain = await run(bare)
      expect(plain.names).toContain('tool_calls.function.arguments.done')
      expect(await run(client)).toStrictEqual(plain)
      expect(await run(client)).toStrictEqual(plain)
      expect(server.requests).toHaveLength(2)
    })

    it('S09: of a response emits the same events', async () => {
      const plain = await streamResponse(bare)
      expect(plain.final.output_text).toBe('In Germany.')
      expect(await streamResponse(client)).toStrictEqual({ ...plain, info: false })
      expect(await streamResponse(client)).toStrictEqual({ ...plain, info: true })
      expect(server.requests).toHaveLength(2)
    })

    it('that is aborted in the middle of a replay ends as on the bare client', async () => {
      const paused = gate()
      server.respond((_request, reply) => {
        const [start, ...rest] = chunksOf('In Germany.')
        return reply.events([...start, paused, ...rest.flat()], { headers })
      })
      const plain = await abortAtText(bare)
      paused.open()
      await outcomeOf(() => client.chat.completions.create(streamed))
      expect(plain.failure).toBeDefined()
      expect(await abortAtText(client)).toStrictEqual(plain)
      expect(server.requests).toHaveLength(2)
    })

    it('runs tools, and a second run does not call the provider', async () => {
      server.respond(({ body }, reply) => {
        const last: unknown = isJsonObject(body) && Array.isArray(body['messages']) ? body['messages'].at(-1) : undefined
        const isAnswered = isJsonObject(last) && last['role'] === 'tool'
        return reply.json(isAnswered ? completion('It rains.') : completion(null, { name: 'weather', arguments: '{"city":"Berlin"}' }))
      })
      const plain = await runTools(bare)
      expect(plain).toMatchObject({ final: 'It rains.', asked: [{ city: 'Berlin' }], info: undefined })
      expect(plain.messages).toHaveLength(4)
      expect(await runTools(client)).toStrictEqual({ ...plain, info: false })
      expect(server.requests).toHaveLength(4)
      expect(await runTools(client)).toStrictEqual({ ...plain, info: true })
      expect(server.requests).toHaveLength(4)
    })
  })

  describe('S12: a replayed stream', () => {
    const events = chunksOf('In Germany.').flat()
    const chunks = events.slice(0, -1).map(({ data }: ServerEvent): unknown => JSON.parse(data))
    beforeEach(async () => {
      await outcomeOf(() => client.chat.completions.create(streamed))
    })
    afterEach(() => {
      if (server.requests.length !== 1) throw new Error('the provider was asked again')
    })

    it('is split by tee() into two complete ones', async () => {
      const [left, right] = (await client.chat.completions.create(streamed)).tee()
      const other = read(right)
      expect(await read(left)).toEqual(chunks)
      expect(await other).toEqual(chunks)
    })

    it('goes through a ReadableStream and back', async () => {
      const stream = await client.chat.completions.create(streamed)
      const back = Stream.fromReadableStream<unknown>(stream.toReadableStream(), new AbortController())
      expect(await read(back)).toEqual(chunks)
    })

    it('goes through a ReadableStream to a helper', async () => {
      const stream = await client.chat.completions.create(streamed)
      expect(await ChatCompletionStream.fromReadableStream(stream.toReadableStream()).finalContent()).toBe('In Germany.')
    })

    it('can be read only once', async () => {
      const stream = await client.chat.completions.create(streamed)
      expect(await read(stream)).toEqual(chunks)
      await expect(read(stream)).rejects.toThrow('Cannot iterate over a consumed stream')
    })

    it('ends its loop without an error when its controller aborts', async () => {
      const stream = await client.chat.completions.create(streamed)
      const seen: unknown[] = []
      for await (const chunk of stream) if (seen.push(chunk) === 2) stream.controller.abort()
      expect(seen).toEqual(chunks.slice(0, 2))
    })

    it('ends when its reader returns', async () => {
      const stream = await client.chat.completions.create(streamed)
      const iterator = stream[Symbol.asyncIterator]()
      expect(await iterator.next()).toEqual({ done: false, value: chunks[0] })
      expect(await iterator.return?.()).toMatchObject({ done: true })
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(stream.controller.signal.aborted).toBe(true)
    })

    it('ends when its reader throws', async () => {
      const stream = await client.chat.completions.create(streamed)
      const iterator = stream[Symbol.asyncIterator]()
      await iterator.next()
      await expect(iterator.throw?.(new RangeError('mine'))).rejects.toThrow('mine')
      expect(stream.controller.signal.aborted).toBe(true)
    })
  })

  describe('timeouts and retries', () => {
    it('R03 I1: a provider that hangs gives the same error as on the bare client, after the same time-out and as many tries', async () => {
      server.respond((_request, reply) => reply.hold())
      const slow = make({ timeout, maxRetries: 1 })
      const cached = withCache(slow, cache)
      const [plain, ours] = await timedOut(server, [2, 2], () =>
        Promise.all([slow, cached].map((each) => outcomeOf(() => each.chat.completions.create(chat)))),
      )
      expect(plain?.error?.class).toBe(APIConnectionTimeoutError)
      expect(ours).toStrictEqual(plain)
      expect(server.requests).toHaveLength(4)
      await server.untilAborted(4)
      server.respond(answering('In Germany.'))
      expect((await client.chat.completions.create(chat)).choices[0]?.message.content).toBe('In Germany.')
    })

    it('are those of the call', async () => {
      server.respond((_request, reply) => reply.json({ error: { message: 'busy' } }, { status: 503, headers: { 'retry-after-ms': '1' } }))
      const failed = await outcomeOf(() => client.chat.completions.create(chat, { maxRetries: 3 }))
      expect(failed.error).toMatchObject({ name: 'Error', message: '503 busy', members: { status: 503 } })
      expect(failed.error?.class).toBe(InternalServerError)
      expect(server.requests).toHaveLength(4)
      expect(server.requests.map(({ headers: sent }) => sent['x-stainless-retry-count'])).toEqual(['0', '1', '2', '3'])
    })
  })

  describe('the options of fetch', () => {
    it('fetchOptions.cache means the same as the mode', async () => {
      const noStore = { fetchOptions: { cache: 'no-store' as const } }
      expect(cacheInfo(await client.chat.completions.create(chat, noStore))).toMatchObject({ hit: false, reason: 'no-store' })
      await client.chat.completions.create(chat)
      expect(isHit(await client.chat.completions.create(chat))).toBe(true)
      expect(cacheInfo(await client.chat.completions.create(chat, noStore))).toMatchObject({ hit: false, reason: 'no-store' })
      expect(cacheInfo(await client.chat.completions.create(chat, { fetchOptions: { cache: 'reload' } }))).toMatchObject({ stored: true })
      expect(server.requests).toHaveLength(4)
    })

    it('fetchOptions of the whole client too, unless the call has its own', async () => {
      const never = withCache(make({ fetchOptions: { cache: 'no-store' } }), cache)
      expect(cacheInfo(await never.chat.completions.create(chat))).toMatchObject({ reason: 'no-store' })
      const options = { cache: { mode: 'default' as const } }
      await never.chat.completions.create(chat, options)
      expect(isHit(await never.chat.completions.create(chat, options))).toBe(true)
    })
  })

  describe('a clone by withOptions()', () => {
    it('is wrapped as well, over the same cache', async () => {
      await client.chat.completions.create(chat)
      const clone = client.withOptions({ timeout: 5_000, maxRetries: 4 })
      expect(isHit(await clone.chat.completions.create(chat))).toBe(true)
      expect([clone.timeout, clone.maxRetries]).toEqual([5_000, 4])
      const again = clone.withOptions({ maxRetries: 5 })
      expect(isHit(await again.chat.completions.create(chat))).toBe(true)
      expect([again.timeout, again.maxRetries]).toEqual([5_000, 5])
      expect(server.requests).toHaveLength(1)
    })

    it('calls the fetch that it is given', async () => {
      const urls: unknown[] = []
      const own = client.withOptions({
        fetch: (input, init) => {
          urls.push(input)
          return fetch(input, init)
        },
      })
      expect([isHit(await own.chat.completions.create(chat)), isHit(await own.chat.completions.create(chat))]).toEqual([false, true])
      expect(urls).toEqual([`${server.url}/chat/completions`])
    })
  })

  describe('state at the provider', () => {
    it.each([
      [{ previous_response_id: 'resp_0' }, 'previous_response_id'],
      [{ conversation: 'conv_1' }, 'conversation'],
      [{ background: true }, 'background'],
    ])('is not cached: %j', async (field, reason) => {
      const params = { model: 'gpt-test', input: 'And then?', ...field }
      for (const each of [await client.responses.create(params), await client.responses.create(params)]) {
        expect(cacheInfo(each)).toMatchObject({ hit: false, source: 'origin', stored: false, reason, operation: 'responses' })
        expect(each).toMatchObject({ output_text: 'In Germany.' })
      }
      expect(server.requests).toHaveLength(2)
      expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypasses: 2, bypassReasons: { [reason]: 2 } })
    })
  })

  describe('cacheInfo()', () => {
    it('finds the facts of a result, a stream, a helper and a Response, and of nothing else', async () => {
      const result = await client.chat.completions.create(chat)
      const stream = await client.chat.completions.create(streamed)
      const helper = client.chat.completions.stream(streamed)
      expect(cacheInfo(helper)).toBeUndefined()
      await helper.done()
      const found = await client.chat.completions.create(chat).asResponse()
      expect([result, stream, helper, found].map((each) => cacheInfo(each)?.hit)).toEqual([false, true, true, true])
      for (const other of [undefined, null, 'text', 7, {}, [], new Response(), await bare.chat.completions.create(chat)]) {
        expect(cacheInfo(other)).toBeUndefined()
      }
    })

    it('says at the end of a stream whether it was stored', async () => {
      const stream = await client.chat.completions.create(streamed)
      const info = cacheInfo(stream)
      expect(info).toMatchObject({ hit: false, stored: false, ttl: 0 })
      await read(stream)
      expect(info).toMatchObject({ hit: false, stored: true, ttl: 3_600 })
    })
  })
})

/** A chat by its stream helper: every event, the end, and whether it was a hit. */
async function streamChat(each: OpenAI) {
  const helper = each.chat.completions.stream(streamed)
  const events = listen(helper, chatEvents)
  const final = await helper.finalChatCompletion()
  await helper.done()
  return { events, final, info: cacheInfo(helper)?.hit }
}

/** A response by its stream helper: every event, the end, and whether it was a hit. */
async function streamResponse(each: OpenAI) {
  const helper = each.responses.stream({ model: 'gpt-test', input: 'Where?' })
  const events = listen(helper, ['event', 'response.output_text.delta', 'response.completed', 'error', 'abort', 'end'])
  const final = await helper.finalResponse()
  await helper.done()
  return { events, final, info: cacheInfo(helper)?.hit }
}

/** A chat by its stream helper, aborted at its first text. */
async function abortAtText(each: OpenAI) {
  const helper = each.chat.completions.stream(streamed)
  helper.on('content', () => helper.abort())
  const events = listen(helper, ['content', 'abort', 'end'])
  return { failure: await helper.done().then(undefined, failureOf), events: events.map(([name]) => name) }
}

/** A conversation in which the model asks for the weather, and the SDK runs the tool. */
async function runTools(each: OpenAI) {
  const asked: unknown[] = []
  const weather = {
    name: 'weather',
    description: 'the weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
    parse: JSON.parse,
    function: (given: unknown) => {
      asked.push(given)
      return 'rain'
    },
  }
  const runner = each.chat.completions.runTools({ ...chat, tools: [{ type: 'function', function: weather }] })
  return { final: await runner.finalContent(), asked, messages: runner.messages, info: cacheInfo(runner)?.hit }
}

const chatEvents = [
  'chunk',
  'chatCompletion',
  'content',
  'message',
  'finalMessage',
  'finalContent',
  'finalChatCompletion',
  'totalUsage',
  'content.delta',
  'content.done',
  'refusal.delta',
  'refusal.done',
  'tool_calls.function.arguments.delta',
  'tool_calls.function.arguments.done',
  'functionToolCall',
  'error',
  'abort',
  'end',
]

/** Whether a call came from the cache. */
function isHit(result: unknown): boolean | undefined {
  return cacheInfo(result)?.hit
}

/** Every event of a helper with a copy of its arguments. */
function listen(helper: object, names: readonly string[]): [string, unknown][] {
  const events: [string, unknown][] = []
  const on: unknown = Reflect.get(helper, 'on')
  if (typeof on !== 'function') throw new TypeError('this is no helper')
  for (const name of names) {
    Reflect.apply(on, helper, [name, (...given: unknown[]) => events.push([name, JSON.parse(JSON.stringify(given.map(shown)))])])
  }
  return events
}

function shown(value: unknown): unknown {
  return value instanceof Error ? [value.name, value.message] : value
}

/**
 * Streams under fault: S01 to S12, with the real SDK over real sockets, or over a `fetch` of the test's own where bytes are counted or cut.
 */
import { createServer } from 'node:http'
import OpenAI, { APIError, APIUserAbortError, OpenAIError } from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cacheInfo, type CacheOptions, cachingFetch, createCache, DeadlineError, type Fetch, withCache } from '../../src/index.ts'
import { formatEvents, type ServerEvent } from '../../src/base/server-sent-events.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { gate, type ProviderReply, type StreamPart, startProvider } from '../support/provider-server.ts'

type Chunk = OpenAI.ChatCompletionChunk

const prompt = 'a SECRET prompt'
const model = 'gpt-5-mini'

function chunk(delta: object, finish: string | null = null): ServerEvent {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return { data: JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_750_000_000, model, choices }) }
}

const done: ServerEvent = { data: '[DONE]' }
const usage: ServerEvent = {
  data: JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_750_000_000,
    model,
    choices: [],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
  }),
}

/** An answer as OpenAI streams it: role, pieces of text, finish reason, end mark. */
function answer(pieces: readonly string[], finish = 'stop'): ServerEvent[] {
  return [
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...pieces.map((content) => chunk({ content })),
    chunk({}, finish),
    usage,
    done,
  ]
}

const pieces = ['an ', 'answer ', 'with a SECRET ', 'word in ', 'it']
/** What the SDK gives for it: every event but the end mark. */
const chunks = chunksOf(answer(pieces))

function chunksOf(events: readonly ServerEvent[]): unknown[] {
  return events.filter((event) => event !== done).map(({ data }): unknown => JSON.parse(data))
}

/** Lets the event loop go round: what is on its way on a local socket, or in promises, goes on. */
async function rounds(count = 5): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** A cache that tells everything it says to the outside, to be searched for what must not be there. */
function watchedCache(options: CacheOptions = {}) {
  const clock = new ManualClock()
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  const cache = createCache({ clock, logger: { warn: say, info: say }, ...options })
  const names = ['hit', 'miss', 'bypass', 'store', 'skip', 'evict', 'invalidate', 'error', 'state', 'drop'] as const
  for (const name of names) cache.on(name, (event) => say(JSON.stringify(event) + ('error' in event ? String(event.error) : '')))
  onTestFinished(async () => {
    await rounds()
    expect(clock.timers, 'I8 no flight is open: each has its timer').toBe(0)
    expect(said.join('\n'), 'I7').not.toMatch(/SECRET/)
  })
  return { cache, clock }
}

/** A provider that streams, a bare client of it, and a cached one. */
async function setUp(options: CacheOptions = {}) {
  const provider = await startProvider()
  onTestFinished(() => provider.close())
  const { cache, clock } = watchedCache(options)
  const bare = new OpenAI({ apiKey: 'sk-test', baseURL: provider.url, maxRetries: 0, logLevel: 'off' })
  const client = withCache(bare, cache)
  const stream = (parts: readonly StreamPart[], end?: 'clean' | 'reset' | 'never'): void =>
    provider.respond((_, reply) => reply.events(parts, end === undefined ? {} : { end }))
  return { provider, cache, clock, bare, client, stream }
}

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: prompt }]
const params = { model, messages, stream: true, stream_options: { include_usage: true } } as const

type Client = Pick<OpenAI, 'chat'>

function ask(client: Client, options?: OpenAI.RequestOptions) {
  return client.chat.completions.create(params, options)
}

/** What a caller sees of a stream: its chunks, and how it ended. */
async function outcomeOf(stream: AsyncIterable<Chunk> | Promise<AsyncIterable<Chunk>>) {
  const got: unknown[] = []
  try {
    for await (const each of await stream) got.push(each)
    return { chunks: got, end: 'end' }
  } catch (error) {
    const { constructor, message } = error instanceof Error ? error : new Error(String(error))
    return { chunks: got, end: { constructor, message } }
  }
}

async function read(stream: AsyncIterable<Chunk>): Promise<unknown[]> {
  const got: unknown[] = []
  for await (const each of stream) got.push(each)
  return got
}

describe('S01 a consumer that breaks', () => {
  // All chunks are given before the end mark, so that also a break at the last one comes before the answer is complete.
  it.each(chunks.map((_, index) => index + 1))('at chunk %i cancels the provider, and nothing is stored', async (count) => {
    const { provider, cache, client, stream } = await setUp()
    const held = gate()
    stream([...answer(pieces).slice(0, count), held], 'never')
    const got: unknown[] = []
    for await (const each of await ask(client)) {
      got.push(each)
      if (got.length === count) break
    }
    expect(got).toEqual(chunks.slice(0, count))
    await provider.untilAborted(1)
    held.open()
    stream(answer(pieces))
    const again = await ask(client)
    expect(await read(again)).toEqual(chunks)
    expect(cacheInfo(again)?.hit).toBe(false)
    expect(provider.requests).toHaveLength(2)
    expect(cache.stats()).toMatchObject({ stored: 1, skipped: { aborted: 1 } })
  })
})

/** An endless upstream whose chunks of a kilobyte are counted as they are asked for. */
function countedUpstream(total: number) {
  const counts = { calls: 0, pulled: 0, cancelled: 0 }
  const line = new TextEncoder().encode(formatEvents([chunk({ content: 'x'.repeat(870) })]).padEnd(1_024, '\n'))
  const upstream: Fetch = async (_, init) => {
    counts.calls++
    let sent = 0
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          init?.signal?.addEventListener('abort', () => {
            counts.cancelled++
            controller.error(init.signal?.reason)
          })
        },
        pull(controller) {
          if (sent++ < total) {
            counts.pulled++
            controller.enqueue(line.slice())
          } else {
            controller.enqueue(new TextEncoder().encode(formatEvents([chunk({}, 'stop'), done])))
            controller.close()
          }
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  return { counts, upstream, size: line.byteLength }
}

const url = 'https://api.openai.com/v1/chat/completions'
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) }

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error('no body')
  return response.body.getReader()
}

describe('S02 a consumer that stops reading', () => {
  it('holds the provider back at once: the cache reads nothing on its behalf', async () => {
    const { cache } = watchedCache()
    const { counts, upstream } = countedUpstream(1_000)
    const reader = readerOf(await cachingFetch(cache, upstream)(url, init))
    await reader.read()
    await rounds()
    expect(counts.pulled).toBe(1)
    await reader.cancel()
    expect(counts.cancelled).toBe(1)
  })

  it('holds a real provider back: it cannot write on', async () => {
    const { provider, client } = await rawProvider(128)
    const stream = await ask(client)
    for await (const _ of stream) {
      await provider.untilQuiet()
      expect(provider.written).toBeLessThan(provider.total / 2)
      break
    }
    await provider.untilClosed
  })

  it('is no longer joined after the deadline, and may still read on', async () => {
    const { cache, clock } = watchedCache({ flightDeadline: '15m' })
    const { counts, upstream } = countedUpstream(3)
    const fetch = cachingFetch(cache, upstream)
    const reader = readerOf(await fetch(url, init))
    await reader.read()
    clock.advance(15 * 60_000)
    expect(clock.timers).toBe(0)
    const fresh = await fetch(url, init)
    expect(counts.calls).toBe(2)
    await fresh.text()
    expect((await readToEnd(reader)).chunks).toBe(3)
    expect(cache.stats()).toMatchObject({ stored: 1, skipped: { deadline: 1 } })
  })

  it('does not hold up another for ever: the other one gets everything, and the one that stopped gets an error', async () => {
    const { cache, clock } = watchedCache({ maxEntryBytes: 4_096 })
    const { counts, upstream } = countedUpstream(50)
    const fetch = cachingFetch(cache, upstream)
    const [slow, fast] = [readerOf(await fetch(url, init)), readerOf(await fetch(url, init))]
    const finished = readToEnd(fast)
    await rounds()
    // The bound, and the one item that went beyond it.
    expect(counts.pulled).toBeLessThanOrEqual(5)
    clock.advance(60_000)
    expect((await finished).chunks).toBe(51)
    await expect(slow.read()).rejects.toBeInstanceOf(DeadlineError)
    expect(counts.calls).toBe(1)
    expect(cache.stats().stored).toBe(0)
  })
})

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let count = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) count++
  return { chunks: count }
}

describe('S03 an error of the provider mid-stream', () => {
  const events = answer(pieces)
  const failing: [string, (reply: ProviderReply) => unknown][] = [
    ['an error event', (reply) => reply.events([...events.slice(0, 3), { data: '{"error":{"message":"overloaded","code":"busy"}}' }])],
    ['a named error event', (reply) => reply.events([...events.slice(0, 3), { event: 'error', data: '{"message":"overloaded"}' }])],
    ['an event that is no JSON', (reply) => reply.events([...events.slice(0, 3), { data: '{"id":' }])],
    [
      'an error event and then the end mark',
      (reply) => reply.events([...events.slice(0, 3), { data: '{"error":{"message":"no"}}' }, done]),
    ],
    ['a reset after three chunks', (reply) => reply.events(events.slice(0, 3), { end: 'reset' })],
    ['a reset before the end mark', (reply) => reply.events(events.slice(0, -1), { end: 'reset' })],
    ['a reset after the head', (reply) => reply.events([], { end: 'reset' })],
    ['a socket that is destroyed unanswered', (reply) => reply.reset()],
  ]

  it.each(failing)('%s reaches the consumer as with the bare client, and nothing is stored', async (_, fail) => {
    const { provider, cache, bare, client } = await setUp()
    provider.respond((_request, reply) => fail(reply))
    const expected = await outcomeOf(ask(bare))
    expect(expected.end, 'the bare client fails').not.toBe('end')
    expect(await outcomeOf(ask(client))).toEqual(expected)
    provider.respond((_request, reply) => reply.events(events))
    expect(await outcomeOf(ask(client))).toEqual({ chunks, end: 'end' })
    expect(provider.requests).toHaveLength(3)
    expect(cache.stats().stored).toBe(1)
  })

  it('reaches all readers of the stream, after the same chunks', async () => {
    const { provider, bare, client, stream } = await setUp()
    stream(events.slice(0, 4), 'reset')
    const expected = await outcomeOf(ask(bare))
    const held = gate()
    stream([...events.slice(0, 2), held, ...events.slice(2, 4)], 'reset')
    const shared = await Promise.all([ask(client), ask(client), ask(client)])
    held.open()
    expect(await Promise.all(shared.map(outcomeOf))).toEqual([expected, expected, expected])
    expect(provider.requests).toHaveLength(2)
  })

  it('of the status is the error of the SDK, and the next call asks again', async () => {
    const { provider, client, stream } = await setUp()
    provider.respond((_, reply) => reply.json({ error: { message: 'slow down' } }, { status: 429 }))
    await expect(ask(client)).rejects.toBeInstanceOf(APIError)
    await expect(ask(client)).rejects.toMatchObject({ status: 429 })
    stream(events)
    expect(await read(await ask(client))).toEqual(chunks)
    expect(provider.requests).toHaveLength(3)
  })
})

describe('S04 a clean end', () => {
  const events = answer(pieces)
  it.each([
    ['without any end mark', events.slice(0, 4)],
    ['without [DONE]', events.slice(0, -1)],
    ['with [DONE] but no finish reason', [...events.slice(0, 4), done]],
    ['with nothing at all', []],
    ['with [DONE] alone', [done]],
  ])('%s is an end to the consumer, as with the bare client, and is not stored', async (_, parts) => {
    const { provider, cache, bare, client, stream } = await setUp()
    stream(parts)
    const expected = await outcomeOf(ask(bare))
    expect(expected.end).toBe('end')
    const cut = await ask(client)
    expect(await outcomeOf(cut)).toEqual(expected)
    expect(cacheInfo(cut)).toMatchObject({ hit: false, stored: false, reason: expect.any(String) })
    stream(events)
    expect(await read(await ask(client))).toEqual(chunks)
    expect(provider.requests).toHaveLength(3)
    expect(cache.stats().stored).toBe(1)
  })
})

describe("S05 a caller's abort", () => {
  const controller = new AbortController()
  const ways: [string, OpenAI.RequestOptions, (stream: { controller: AbortController }) => void][] = [
    ['by the controller of the stream', {}, (stream) => stream.controller.abort()],
    ['by a signal of its own', { signal: controller.signal }, () => controller.abort()],
  ]

  it.each(ways)('%s ends its loop quietly, cancels the provider, and nothing is stored', async (_, options, abort) => {
    const { provider, cache, client, stream } = await setUp()
    const events = answer(pieces)
    stream([...events.slice(0, 2), gate()], 'never')
    const got: unknown[] = []
    const aborted = await ask(client, options)
    for await (const each of aborted) {
      got.push(each)
      if (got.length === 2) abort(aborted)
    }
    expect(got).toEqual(chunks.slice(0, 2))
    await provider.untilAborted(1)
    expect(cacheInfo(aborted)).toMatchObject({ stored: false, reason: 'aborted' })
    stream(events)
    expect(await read(await ask(client))).toEqual(chunks)
    expect(cache.stats().stored).toBe(1)
  })

  it('before the answer begins is the SDK’s own error, and the provider is cancelled', async () => {
    const { provider, cache, client, stream } = await setUp()
    provider.respond((_, reply) => reply.hold())
    const own = new AbortController()
    const waiting = ask(client, { signal: own.signal })
    await provider.untilRequests(1)
    own.abort()
    await expect(waiting).rejects.toBeInstanceOf(APIUserAbortError)
    await provider.untilAborted(1)
    stream(answer(pieces))
    expect(await read(await ask(client))).toEqual(chunks)
    expect(cache.stats().stored).toBe(1)
  })

  it('on a replay ends its loop quietly too, and spoils nothing', async () => {
    const { provider, client, stream } = await setUp()
    stream(answer(pieces))
    await read(await ask(client))
    const replayed = await ask(client)
    const got: unknown[] = []
    for await (const each of replayed) if (got.push(each) === 2) replayed.controller.abort()
    expect(got).toEqual(chunks.slice(0, 2))
    expect(await read(await ask(client))).toEqual(chunks)
    expect(provider.requests).toHaveLength(1)
  })
})

describe('S06 a finish reason', () => {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }
  const text = pieces.map((content) => chunk({ content }))
  const answers: [string, boolean, ServerEvent[]][] = [
    ['stop', true, [...text, chunk({}, 'stop')]],
    ['tool_calls', true, [chunk({ tool_calls: [call] }), chunk({}, 'tool_calls')]],
    ['stop, of a refusal', false, [chunk({ refusal: 'No.' }), chunk({}, 'stop')]],
    ['length', false, [...text, chunk({}, 'length')]],
    ['content_filter', false, [...text, chunk({}, 'content_filter')]],
    ['stop, of an empty answer', false, [chunk({}, 'stop')]],
    ['that is not known', false, [...text, chunk({}, 'moon_phase')]],
  ]

  it.each(answers)('%s: stored is %s', async (_, stored, events) => {
    const { provider, client, stream } = await setUp()
    stream([chunk({ role: 'assistant', content: null }), ...events, done])
    const first = await ask(client)
    const got = await read(first)
    expect(got).toEqual(chunksOf([chunk({ role: 'assistant', content: null }), ...events]))
    expect(cacheInfo(first)?.stored).toBe(stored)
    expect(await read(await ask(client))).toEqual(got)
    expect(provider.requests).toHaveLength(stored ? 1 : 2)
  })

  it('is for the user to judge: a policy that stores length', async () => {
    const { provider, client, stream } = await setUp({ policy: ({ reason }) => reason === undefined || reason === 'length' })
    for (const [finish, calls] of [
      ['length', 1],
      ['content_filter', 3],
    ] as const) {
      stream(answer(pieces, finish))
      const options = { cache: { context: finish } }
      for (let time = 0; time < 2; time++) await read(await client.chat.completions.create(params, options))
      expect(provider.requests).toHaveLength(calls)
    }
  })

  it('is for the user to judge, but the policy is not asked about an incomplete answer', async () => {
    const { cache, client, stream } = await setUp({ policy: () => true })
    stream(answer(pieces).slice(0, -1))
    await read(await ask(client))
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { incomplete: 1 } })
  })
})

describe('S07 a transport error after the end mark', () => {
  it('does not unmake the answer: it is stored, once', async () => {
    const { provider, cache, bare, client, stream } = await setUp()
    stream(answer(pieces), 'reset')
    const expected = await outcomeOf(ask(bare))
    expect(await outcomeOf(ask(client))).toEqual(expected)
    expect(cache.stats().stored).toBe(1)
    const replayed = await ask(client)
    expect(await outcomeOf(replayed)).toEqual({ chunks, end: 'end' })
    expect(cacheInfo(replayed)?.hit).toBe(true)
    expect(provider.requests).toHaveLength(2)
  })

  it('reaches a caller that reads the bytes itself; the answer is stored without the piece behind its end mark', async () => {
    const { provider, cache, stream } = await setUp()
    const fetch = cachingFetch(cache)
    const target = `${provider.url}/chat/completions`
    stream([...answer(pieces), { data: 'a rest' }], 'reset')
    await expect((await fetch(target, init)).text()).rejects.toThrow('terminated')
    expect(cache.stats().stored).toBe(1)
    const replayed = await (await fetch(target, init)).text()
    expect(replayed.startsWith(formatEvents(answer(pieces)))).toBe(true)
    expect(provider.requests).toHaveLength(1)
  })
})

/** A provider that writes that many MiB of chunks, as fast as its socket takes them, and counts. */
async function rawProvider(mebibytes: number, options: CacheOptions = {}) {
  const text = 'x'.repeat(64 * 1_024)
  const line = formatEvents([chunk({ content: text })])
  const count = mebibytes * 16
  const closed = Promise.withResolvers<void>()
  const state = { written: 0, total: count * line.length, requests: 0 }
  const server = createServer((_, response) => {
    state.requests++
    response.on('close', () => closed.resolve())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const write = async (): Promise<void> => {
      for (let index = 0; index < count && !response.destroyed; index++) {
        await new Promise((resolve) => response.write(line, resolve))
        state.written += line.length
      }
      response.end(formatEvents([chunk({}, 'stop'), done]))
    }
    void write()
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const { cache } = watchedCache(options)
  const client = withCache(new OpenAI({ apiKey: 'sk-test', baseURL: `http://127.0.0.1:${address.port}/v1`, maxRetries: 0 }), cache)
  /** Resolves when nothing was written while the event loop went round many times: the socket takes no more. */
  const untilQuiet = async (): Promise<void> => {
    for (let before = -1; before !== state.written;) {
      before = state.written
      await rounds(200)
    }
  }
  const provider = {
    get written() {
      return state.written
    },
    get requests() {
      return state.requests
    },
    total: state.total,
    text,
    count,
    untilQuiet,
    untilClosed: closed.promise,
  }
  return { provider, cache, client }
}

describe('S08 an answer larger than may be stored', () => {
  it('is passed on whole, while what is held of it stays within the bound', async () => {
    const { cache } = watchedCache({ maxEntryBytes: 16_384 })
    const { counts, upstream, size } = countedUpstream(2_000)
    const fetch = cachingFetch(cache, upstream)
    const [slow, fast] = [readerOf(await fetch(url, init)), readerOf(await fetch(url, init))]
    const finished = readToEnd(fast)
    let bytes = 0
    for (let part = await slow.read(); !part.done; part = await slow.read()) {
      bytes += part.value.byteLength
      expect(counts.pulled * size - bytes).toBeLessThanOrEqual(16_384 + 2 * size)
      if (bytes % (100 * size) === 0) await rounds(1)
    }
    expect(bytes).toBeGreaterThan(2_000 * size)
    expect((await finished).chunks).toBe(2_001)
    expect(counts.calls).toBe(1)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'too large': 1 } })
    expect(cache.memory().bytes).toBe(0)
  })

  it('reaches a slow consumer of a fast provider unharmed, over sockets', async () => {
    const { provider, cache, client } = await rawProvider(100, { maxEntryBytes: 1_048_576 })
    let consumed = 0
    let most = 0
    for await (const { choices } of await ask(client)) {
      if (choices[0]?.delta.content !== provider.text) continue
      consumed++
      if (consumed % 100 !== 0) continue
      await provider.untilQuiet()
      most = Math.max(most, provider.written - (provider.total / provider.count) * consumed)
    }
    // Half of it: far more than the buffers of two sockets, far less than what a recorder without a bound would have drawn.
    expect(most).toBeLessThan(provider.total / 2)
    expect(consumed).toBe(provider.count)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'too large': 1 } })
  })
})

/** A `fetch` that answers with these bytes in these pieces. */
function cutUpstream(bytes: Uint8Array, cuts: readonly number[]): Fetch {
  return async () => {
    const ends = [...cuts, bytes.byteLength]
    const parts = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of parts) if (part.byteLength > 0) controller.enqueue(part)
        controller.close()
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
}

describe('S09 a replay', () => {
  const difficult = answer(['Grüße ', '日本語', ' 👩‍👩‍👧 ', '\u0000\u2028\uFEFF ', 'line\nbreak\r\n'])
  const bytes = new TextEncoder().encode(formatEvents(difficult))

  it('is the same whichever byte the network cut the answer at', async () => {
    const { cache } = watchedCache()
    const expected = formatEvents(difficult)
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const fetch = cachingFetch(cache, cutUpstream(bytes, [cut]))
      const own = { ...init, body: JSON.stringify({ ...params, seed: cut }) }
      expect(await (await fetch(url, own)).text()).toBe(expected)
      const replayed = await fetch(url, own)
      expect(cacheInfo(replayed)?.hit).toBe(true)
      expect(await replayed.text()).toBe(expected)
    }
  })

  it.each([1, 2, 3, 7])('gives the SDK the same chunks though the answer came in pieces of %i bytes', async (length) => {
    const { cache } = watchedCache()
    const cuts = Array.from({ length: Math.floor(bytes.byteLength / length) }, (_, index) => index * length)
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: cutUpstream(bytes, cuts) }), cache)
    expect(await read(await ask(client))).toEqual(chunksOf(difficult))
    const replayed = await ask(client)
    expect(await read(replayed)).toEqual(chunksOf(difficult))
    expect(cacheInfo(replayed)).toMatchObject({ hit: true, savedTokens: 13 })
  })

  const tools = [
    chunk({ role: 'assistant', content: null }),
    chunk({ tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"Köln"}' } }] }),
    chunk({}, 'tool_calls'),
    usage,
    done,
  ]

  it('keeps the deltas of tool calls and the usage, in order; asked for whole, it is what the deltas add up to', async () => {
    const { provider, client, stream } = await setUp()
    stream(tools)
    expect(await read(await ask(client))).toEqual(chunksOf(tools))
    expect(await read(await ask(client))).toEqual(chunksOf(tools))
    const { stream: _, stream_options: __, ...plain } = params
    const whole = await client.chat.completions.create(plain)
    expect(whole.choices[0]?.message.tool_calls).toEqual([
      { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
      { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
    ])
    expect(whole.usage).toEqual({ prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 })
    expect(provider.requests).toHaveLength(1)
  })

  it('is paced by the delay that the user gives: no chunk before its time, all of them in order', async () => {
    const gates = Array.from({ length: tools.length }, gate)
    const asked: number[] = []
    const delay = async (index: number): Promise<void> => {
      asked.push(index)
      await gates[index]
    }
    const { client, stream } = await setUp({ replay: { delay } })
    stream(tools)
    await read(await ask(client))
    expect(asked, 'a first answer comes at the pace of its provider').toEqual([])
    const got: unknown[] = []
    const reading = (async () => {
      for await (const each of await ask(client)) got.push(each)
    })()
    for (const [index, each] of gates.entries()) {
      await rounds()
      expect(got).toEqual(chunksOf(tools).slice(0, index))
      each.open()
    }
    await reading
    expect(got).toEqual(chunksOf(tools))
    expect(asked).toEqual([...tools.keys()])
  })
})

describe('S10 a caller that joins mid-stream', () => {
  it.each([1, 3, 6])('after %i chunks gets the whole answer from its first chunk, of the one call', async (count) => {
    const { provider, cache, client, stream } = await setUp()
    const held = gate()
    const events = answer(pieces)
    stream([...events.slice(0, count), held, ...events.slice(count)])
    const leader = (await ask(client))[Symbol.asyncIterator]()
    const first: unknown[] = []
    while (first.length < count) first.push((await leader.next()).value)
    const joiner = await ask(client)
    held.open()
    for (let next = await leader.next(); next.done !== true; next = await leader.next()) first.push(next.value)
    expect(first).toEqual(chunks)
    expect(await read(joiner)).toEqual(chunks)
    expect(cacheInfo(joiner)).toMatchObject({ hit: true, source: 'flight' })
    expect(provider.requests).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stored: 1 })
  })
})

describe('S11 a leader that leaves', () => {
  it('leaves the stream to the callers that joined: it goes on, and is stored', async () => {
    const { provider, cache, client, stream } = await setUp()
    const held = gate()
    const events = answer(pieces)
    stream([...events.slice(0, 2), held, ...events.slice(2)])
    const leader = await ask(client)
    const joiners = [await ask(client), await ask(client)]
    for await (const each of leader) {
      expect(each).toEqual(chunks[0])
      break
    }
    await rounds()
    expect(provider.aborted).toBe(0)
    held.open()
    expect(await Promise.all(joiners.map(read))).toEqual([chunks, chunks])
    const later = await ask(client)
    expect(await read(later)).toEqual(chunks)
    expect(cacheInfo(later)).toMatchObject({ hit: true, source: 'memory' })
    expect(provider.requests).toHaveLength(1)
    expect(provider.aborted).toBe(0)
    expect(cache.stats()).toMatchObject({ stored: 1, skipped: {} })
  })

  it('and the joiners after it: the provider is cancelled once', async () => {
    const { provider, cache, client, stream } = await setUp()
    stream([...answer(pieces).slice(0, 2), gate()], 'never')
    const shared = [await ask(client), await ask(client)]
    for (const each of shared) {
      await rounds()
      expect(provider.aborted).toBe(0)
      for await (const _ of each) break
    }
    await provider.untilAborted(1)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { aborted: 1 } })
  })
})

describe('S12 the SDK’s own ways with a stream', () => {
  type Stream = Awaited<ReturnType<typeof ask>>
  const ways: [string, (stream: Stream) => Promise<unknown>][] = [
    [
      'double iteration',
      async (stream) => {
        const first = await read(stream)
        return [first, await outcomeOf(stream)]
      },
    ],
    [
      'tee, one after the other',
      async (stream) => {
        const [left, right] = stream.tee()
        return [await read(left), await read(right)]
      },
    ],
    ['tee, both at once', async (stream) => Promise.all(stream.tee().map(read))],
    [
      'tee, of which one leaves',
      async (stream) => {
        const [left, right] = stream.tee()
        for await (const _ of left) break
        return read(right)
      },
    ],
    [
      'return() after a chunk',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]()
        const first = await iterator.next()
        return [first, await iterator.return?.(), await iterator.next(), stream.controller.signal.aborted]
      },
    ],
    [
      'return() before any chunk',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]()
        return [await iterator.return?.(), await iterator.next()]
      },
    ],
    [
      'throw() after a chunk',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]()
        const first = await iterator.next()
        const thrown: unknown = await iterator.throw?.(new RangeError('mine')).catch((error: unknown) => error)
        return [first, thrown, await iterator.next(), stream.controller.signal.aborted]
      },
    ],
    ['toReadableStream()', async (stream) => new Response(stream.toReadableStream()).text()],
  ]

  it.each(ways)('%s: a replay and a first answer behave as with the bare client', async (_, use) => {
    const { provider, bare, client, stream } = await setUp()
    stream(answer(pieces))
    const expected = await use(await ask(bare))
    const first = await ask(client)
    expect(await use(first)).toEqual(expected)
    // A reader that left early stored nothing. A reader that never began lets go only by this abort.
    first.controller.abort()
    await read(await ask(client))
    const calls = provider.requests.length
    const replayed = await ask(client)
    expect(await use(replayed)).toEqual(expected)
    expect(cacheInfo(replayed)?.hit).toBe(true)
    expect(await read(await ask(client))).toEqual(chunks)
    expect(provider.requests).toHaveLength(calls)
  })

  it('double iteration is the SDK’s own error on a replay too', async () => {
    const { client, stream } = await setUp()
    stream(answer(pieces))
    await read(await ask(client))
    const replayed = await ask(client)
    await read(replayed)
    await expect(read(replayed)).rejects.toBeInstanceOf(OpenAIError)
  })
})

/**
 * Answers that a caller does not read, or drops: how long their flights take callers, and what the callers get.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CacheInfo } from '../../../src/call.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type SdkPromise, sdks as openaiSdks } from '../../support/openai-sdks.ts'
import { isStream } from '../../support/outcome.ts'
import { gate, type ProviderServer, type ReplyHead, startProvider } from '../../support/provider-server.ts'

type Ask = (streamed?: boolean, prompt?: string) => Pick<SdkPromise, 'then' | 'asResponse'>

const messages = (prompt: string) => [{ role: 'user', content: prompt }]

/** Every client that calls a `fetch`: how it asks, and how its provider answers. */
const clients = [
  ...openaiSdks.map(({ name, make }) => ({
    name,
    asking: (url: string, cache?: Cache): Ask => {
      const bare = make({ url })
      const client = cache === undefined ? bare : withCache(bare, cache)
      const usage = { stream: true, stream_options: { include_usage: true } }
      return (streamed = false, prompt = 'Hi') =>
        client.chat.completions.create({ model: 'm', messages: messages(prompt), ...(streamed && usage) })
    },
    whole: completion('whole answer'),
    parts: chunksOf('streamed answer'),
  })),
  ...anthropicSdks.map(({ name, make }) => ({
    name,
    asking: (url: string, cache?: Cache): Ask => {
      const bare = make({ url })
      const client = cache === undefined ? bare : withCache(bare, cache)
      return (streamed = false, prompt = 'Hi') =>
        client.messages.create({ model: 'm', max_tokens: 9, messages: messages(prompt), ...(streamed && { stream: true }) })
    },
    whole: message([text('whole answer')]),
    parts: textEvents('streamed answer'),
  })),
]

async function eventsOf(stream: unknown): Promise<unknown[]> {
  if (!isStream(stream)) throw new TypeError('no stream')
  const events: unknown[] = []
  for await (const event of stream) events.push(event)
  return events
}

async function outcomeOf(ask: Ask): Promise<object> {
  try {
    return { value: await ask() }
  } catch (error) {
    return { error: String(error) }
  }
}

function factsOf(result: unknown): CacheInfo | undefined {
  return cacheInfo(result)
}

describe.each(clients)('an answer of $name', ({ asking, whole, parts }) => {
  let server: ProviderServer
  let clock: ManualClock
  let cache: Cache
  let ask: Ask
  const [start, middle, rest] = parts
  const json: ReplyHead = { headers: { 'content-type': 'application/json' } }

  beforeEach(async () => {
    server = await startProvider()
    clock = new ManualClock()
    cache = createCache({ clock, logger: false })
    ask = asking(server.url, cache)
  })
  afterEach(() => server.close())

  it('G58 I8 without a body ends its flight at once, and the next call asks for itself', async () => {
    server.respond((_request, reply) => reply.text('', { headers: { ...json.headers, 'content-length': '0' } }))
    const bare = await outcomeOf(asking(server.url))
    expect(await outcomeOf(ask)).toStrictEqual(bare)
    await settled()
    expect(clock.timers).toBe(0)
    server.respond((_request, reply) => reply.json(whole))
    expect(await ask()).toStrictEqual(whole)
    expect(server.requests).toHaveLength(3)
    expect(cache.stats().skipped).toMatchObject({ empty: 1 })
  })

  it('G58 I8 that no caller reads takes no more callers after seconds, and can be read later', async () => {
    server.respond((_request, reply) => reply.json(whole))
    const unread = await ask().asResponse()
    expect(server.requests).toHaveLength(1)
    clock.advance(10_000)
    expect(clock.timers).toBe(0)
    const second = await ask()
    expect(second).toStrictEqual(whole)
    expect(server.requests).toHaveLength(2)
    expect(factsOf(second)).toMatchObject({ hit: false, source: 'origin', stored: true })
    expect(await unread.json()).toStrictEqual(whole)
  })

  it('G58 I8 as a stream that no caller reads takes no more callers after seconds, and can be read later', async () => {
    const released = gate()
    server.respond((_request, reply) => reply.events([...start, released, ...middle, ...rest]))
    const unread = await ask(true)
    clock.advance(10_000)
    expect(clock.timers).toBe(0)
    const other = await ask(true)
    expect(server.requests).toHaveLength(2)
    released.open()
    const events = await eventsOf(other)
    expect(events.length).toBeGreaterThan(2)
    expect(await eventsOf(unread)).toStrictEqual(events)
    expect(clock.timers).toBe(0)
  })

  it('G58 takes callers for as long as one reads it, however slowly the provider gives it', async () => {
    const [one, two] = [gate(), gate()]
    server.respond((_request, reply) => reply.events([...start, one, ...middle, two, ...rest]))
    const leader = eventsOf(await ask(true))
    await settled()
    clock.advance(60_000)
    const joiner = await ask(true)
    one.open()
    await settled()
    clock.advance(60_000)
    two.open()
    expect(await eventsOf(joiner)).toStrictEqual(await leader)
    expect(server.requests).toHaveLength(1)
    expect(factsOf(joiner)).toMatchObject({ hit: true, source: 'flight', stored: true })
  })

  it.each([false, true])(
    'G58 that breaks before it gave a joiner anything: the joiner asks for itself (streamed: %s)',
    async (streamed) => {
      const broken = gate()
      server.respond(async (_request, reply) => {
        if (server.requests.length > 1) return streamed ? reply.events(parts.flat()) : reply.json(whole)
        return reply.events([broken], { ...(!streamed && json), end: 'reset' })
      })
      const asked = Array.from({ length: 3 }, async () => {
        const result = await ask(streamed)
        return { answer: streamed ? await eventsOf(result) : result, facts: factsOf(result) }
      })
      await server.untilRequests(1)
      await settled()
      broken.open()
      const [leader, ...joiners] = await Promise.allSettled(asked)
      expect(leader).toMatchObject({ status: 'rejected', reason: { message: 'terminated' } })
      for (const joiner of joiners) {
        expect(joiner).toMatchObject({ status: 'fulfilled', value: { facts: { stored: true } } })
      }
      // A stored answer is complete, and the joiners got the same.
      const stored = await ask(streamed)
      const expected = { value: { answer: streamed ? await eventsOf(stored) : whole } }
      expect(joiners).toMatchObject([expected, expected])
      // Those that ask for themselves share one flight again.
      expect(server.requests).toHaveLength(2)
      expect(cache.stats()).toMatchObject({ misses: 2, hits: 2, stored: 1 })
    },
  )

  it('G58 that breaks later ends with its error for each caller, as it did', async () => {
    const broken = gate()
    server.respond((_request, reply) => reply.events([...start, broken], { end: 'reset' }))
    const streams = [await ask(true), await ask(true)]
    const read = streams.map(async (stream) => eventsOf(stream))
    await settled()
    broken.open()
    for (const each of await Promise.allSettled(read)) expect(each).toMatchObject({ reason: { message: 'terminated' } })
    expect(server.requests).toHaveLength(1)
  })

  it('G58 that breaks twice ends with the first error', async () => {
    server.respond((_request, reply) => reply.events([settled()], { ...json, end: 'reset' }))
    const asked = await Promise.allSettled([ask(), ask()].map(async (each) => each))
    for (const each of asked) expect(each).toMatchObject({ status: 'rejected', reason: { message: 'terminated' } })
    expect(server.requests.length).toBeLessThanOrEqual(2)
    expect(clock.timers).toBe(0)
  })

  it('G58 as a stream that is dropped gives back its socket once it is collected', async () => {
    const held = gate()
    server.respond((_request, reply) => reply.events([...start, held]))
    await dropStreams(ask, 20)
    await collected(() => server.aborted === 20)
    expect(cache.stats()).toMatchObject({ misses: 20 })
    held.open()
  })

  it('G58 that no caller reads gives its lease to other processes', async () => {
    const store = memoryStore({ clock })
    const caches = [0, 1].map(() => createCache({ clock, logger: false, store, sharedFlights: true }))
    server.respond((_request, reply) => reply.json(whole))
    const asks = caches.map((each) => asking(server.url, each))
    const unread = await asks[0]?.().asResponse()
    clock.advance(10_000)
    await settled()
    expect(await asks[1]?.()).toStrictEqual(whole)
    expect(await unread?.json()).toStrictEqual(whole)
    await Promise.all(caches.map((each) => each.close()))
  })
})

/** Lets what goes over loopback sockets settle. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Opens streams and drops them unread. A function of its own, so that nothing on the stack of the test holds a stream. */
async function dropStreams(ask: Ask, number: number): Promise<void> {
  for (let index = 0; index < number; index++) await ask(true, `question ${index}`)
}

async function collected(isDone: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new TypeError('no garbage collector to call')
  while (!isDone()) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

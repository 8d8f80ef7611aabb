/**
 * What every wrapped client must do, whichever SDK it is of: one suite that each SDK's test calls, over real sockets.
 * @module
 */
import { memoryStore } from '../../src/stores/memory-store.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CacheInfo } from '../../src/call.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import type { Store } from '../../src/store.ts'
import { failureOf, isStream, type Outcome, outcomeOf } from '../support/outcome.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { gate, type ProviderReply, type ProviderRequest, type ProviderServer, startProvider } from '../support/provider-server.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

/** How the provider answers a call. */
export interface AnswerOptions {
  /** Waited for in the middle of a stream, after its first event that holds text and before its last one. */
  readonly pause?: Promise<unknown>
  /**
   * How a stream ends: with the protocol's end mark; cleanly without it; by a reset of the socket without it, or after it.
   * @default 'complete'
   */
  readonly end?: 'complete' | 'cut' | 'reset' | 'complete then reset'
  /**
   * Why the model stopped: it had said all, or it had reached the most tokens that it may make.
   * @default 'said all'
   */
  readonly stop?: 'said all' | 'cut short'
}

/** A client to put to the test. */
export interface ClientUnderTest<Client extends object> {
  /** Starts what plays the provider. @default an HTTP/1.1 server that streams server-sent events */
  readonly start?: typeof startProvider
  /** A bare client for the provider at `url`, which is `http://127.0.0.1:PORT/v1`. */
  readonly make: (options: { readonly url: string; readonly maxRetries: number }) => Client
  /** The parameters of a call for `prompt`. */
  readonly params: (prompt: string, streamed: boolean) => object
  /** Makes a call with request options: `cache`, `bypassCache`, `signal`. Gives the result, or the stream. */
  readonly ask: (client: Client, params: object, options: object) => PromiseLike<unknown>
  /** Answers as the provider would, whole or streamed as `request` asks, with `text` in at least three events. */
  readonly answer: (request: ProviderRequest, reply: ProviderReply, text: string, options?: AnswerOptions) => unknown
  /** Answers with the provider's own form of an error; one that may be retried asks to be retried after a millisecond. */
  readonly refuse: (reply: ProviderReply, status: number) => void
  /** The text in a whole result. */
  readonly textOf: (result: unknown) => string
  /** The text in an event of a stream; `''` when there is none. */
  readonly textOfEvent: (event: unknown) => string
  /** The operation of the calls that {@link ask} makes, where no other is named. */
  readonly operation: string
  /** The tokens of one answer, input and output, as {@link answer} tells them. */
  readonly tokens: number
}

const members = [
  'age',
  'hit',
  'key',
  'operation',
  'reason',
  'savedMs',
  'savedTokens',
  'savedUsd',
  'scope',
  'source',
  'stale',
  'stored',
  'ttl',
]

/** More bytes than the buffers of a loopback connection hold, of both its ends together. */
const beyondBuffers = 12 * 2 ** 20

/** What a reader may do with a stream besides reading it once. */
const waysWithStream: [string, (stream: AsyncIterable<unknown>, textOf: (event: unknown) => string) => Promise<unknown>][] = [
  [
    'a second iteration',
    async (stream, textOf) => {
      const [first, second] = [await outcomeOf(async () => stream), await outcomeOf(async () => stream)]
      // Of the text: the first event, which has none, is given once more by Bedrock's SDK, as it keeps it after a look at it.
      return [first, second.error, second.events?.map(textOf).join('')]
    },
  ],
  [
    'return() after an event',
    async (stream) => {
      const iterator = stream[Symbol.asyncIterator]()
      return [await iterator.next(), await iterator.return?.(), await iterator.next()]
    },
  ],
  [
    'return() before any event',
    async (stream) => {
      const iterator = stream[Symbol.asyncIterator]()
      return [await iterator.return?.(), await iterator.next()]
    },
  ],
]

/** The number of the question in a request of any protocol. */
function numberIn({ body }: ProviderRequest): string | undefined {
  return /question (\d+)/.exec(JSON.stringify(body))?.[1]
}

/** Lets the event loop go round: what is on its way on a local socket, or in promises, goes on. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** Declares the suite for the client that `setup` makes. */
export function describeClient<Client extends object>(name: string, setup: ClientUnderTest<Client>): void {
  const { start = startProvider } = setup
  const textOf = (outcome: Promise<Outcome>): Promise<string> => textIn(setup, outcome)

  describe(`${name} as a cached client`, () => {
    let server: ProviderServer
    let clock: ManualClock
    let bare: Client

    beforeEach(async () => {
      server = await start((request, reply) => setup.answer(request, reply, `answer ${server.requests.length}`))
      clock = new ManualClock()
      bare = setup.make({ url: server.url, maxRetries: 2 })
    })
    afterEach(async () => {
      await server.close()
      // I5 I8: every flight has a deadline, so a flight that is open has its timer.
      expect(clock.timers).toBe(0)
    })

    const cacheWith = (options: CacheOptions = {}): Cache => createCache({ clock, logger: false, ...options })
    const wrap = (options?: CacheOptions): Client => clientOf(withCache(bare, cacheWith(options)), bare)
    const ask = (client: Client, prompt = 'Hi', options: object = {}, streamed = false): PromiseLike<unknown> =>
      setup.ask(client, setup.params(prompt, streamed), options)
    const text = (client: Client, prompt?: string, options?: object, streamed?: boolean): Promise<string> =>
      textOf(outcomeOf(() => ask(client, prompt, options, streamed)))
    const facts = async (client: Client, options?: object, prompt?: string): Promise<CacheInfo> =>
      infoOf(await ask(client, prompt, options))
    const wrapIn = (cache: Cache): Client => clientOf(withCache(bare, cache), bare)
    /** The flights that run behind the callers' backs are over, each of which has a timer. */
    const untilLanded = async (): Promise<void> => {
      while (clock.timers > 0) await rounds(1)
    }

    describe.each([
      ['whole', false],
      ['streamed', true],
    ])('%s', (_, streamed) => {
      const outcome = (client: Client, options?: object): Promise<Outcome> => outcomeOf(() => ask(client, 'Hi', options, streamed))
      /** The text of a call's result, and its facts once it is read to its end. */
      const readOf = async (client: Client): Promise<{ text: string; info: CacheInfo }> => {
        const result = await ask(client, 'Hi', {}, streamed)
        const said = await textOf(outcomeOf(() => Promise.resolve(result)))
        return { text: said, info: infoOf(result) }
      }

      it('S09: gives on a miss and on a hit what the bare client gives, and asks the provider once', async () => {
        server.respond((request, reply) => setup.answer(request, reply, 'Grüße – 你好 🎉\nand\r\nmore'))
        const client = wrap()
        const expected = await outcome(bare)
        expect(await textOf(Promise.resolve(expected))).toBe('Grüße – 你好 🎉\nand\r\nmore')
        expect(await outcome(client)).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
        expect(await outcome(client)).toStrictEqual(expected)
        expect(await outcome(client)).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
      })

      it('asks the provider exactly what the bare client asks', async () => {
        await outcome(bare)
        await outcome(wrap(), { cache: { operation: 'qa', context: 'secret context', tags: ['secret tag'], scope: 'secret scope' } })
        const [first, second] = server.requests.map(({ method, path, body, headers }) => ({ method, path, body, headers }))
        expect(second).toEqual(first)
      })

      it('tells the facts of a miss and of a hit in `_cache`, which no listing shows', async () => {
        const client = wrap({ ttl: '10m' })
        const plain = await ask(bare, 'Hi', {}, streamed)
        if (isStream(plain)) for await (const event of plain) void event
        const miss = await ask(client, 'Hi', {}, streamed)
        const info = infoOf(miss)
        expect(Object.keys(info).toSorted()).toEqual(members)
        if (isStream(miss)) for await (const event of miss) void event
        const { key, scope } = info
        expect(key).toMatch(/^[0-9a-f]{64}$/)
        const common = { key, scope, operation: setup.operation, age: 0, ttl: 600, stale: false, stored: true, reason: undefined }
        expect({ ...info }).toEqual({ ...common, hit: false, source: 'origin', savedUsd: 0, savedTokens: 0, savedMs: 0 })

        clock.advance(5_000)
        const hit = await ask(client, 'Hi', {}, streamed)
        expect({ ...infoOf(hit) }).toEqual({
          ...common,
          hit: true,
          source: 'memory',
          age: 5,
          ttl: 595,
          savedTokens: setup.tokens,
          savedMs: expect.any(Number),
          savedUsd: null,
        })
        for (const result of [miss, hit]) {
          expect(Object.keys(Object(result))).toEqual(Object.keys(Object(plain)))
          expect(Object.getOwnPropertyDescriptor(result, '_cache')).toMatchObject({ enumerable: false })
          expect(cacheInfo(result)).toBe(infoOf(result))
        }
        expect(Object.hasOwn(Object(plain), '_cache')).toBe(false)
        expect(cacheInfo(plain)).toBeUndefined()
      })

      it('K01: asks once for 100 equal calls at once', async () => {
        const released = gate()
        server.respond(async (request, reply) => {
          await released
          return setup.answer(request, reply, 'one answer')
        })
        const cache = cacheWith()
        const client = clientOf(withCache(bare, cache), bare)
        const asked = Array.from({ length: 100 }, () => outcome(client))
        await server.untilRequests(1)
        released.open()
        const outcomes = await Promise.all(asked)
        const expected = await outcome(bare)
        for (const each of outcomes) expect(each).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
        expect(cache.stats()).toMatchObject({ hits: 99, misses: 1, stored: 1, errors: 0 })
      })

      it('K04: the first caller aborts, the others get their answer', async () => {
        const released = gate()
        server.respond(async (request, reply) => {
          await released
          return setup.answer(request, reply, 'for the others')
        })
        const client = wrap()
        const controller = new AbortController()
        const first = outcome(client, { signal: controller.signal })
        const others = [outcome(client), outcome(client)]
        await server.untilRequests(1)
        controller.abort()
        expect((await first).error).toBeDefined()
        released.open()
        for (const other of others) expect(await textOf(other)).toBe('for the others')
        expect(await textOf(outcome(client))).toBe('for the others')
        expect(server.requests).toHaveLength(1)
        expect(server.aborted).toBe(0)
      })

      it('K04: all callers abort, and so does the call to the provider, once', async () => {
        server.respond((_request, reply) => reply.hold())
        const client = wrap()
        const controllers = [new AbortController(), new AbortController(), new AbortController()]
        const asked = controllers.map(({ signal }) => outcome(client, { signal }))
        await server.untilRequests(1)
        for (const controller of controllers) controller.abort()
        for (const each of asked) expect((await each).error).toBeDefined()
        await server.untilAborted(1)
        server.respond((request, reply) => setup.answer(request, reply, 'a new one'))
        expect(await textOf(outcome(client))).toBe('a new one')
        expect(server.requests).toHaveLength(2)
      })

      it('S05: an abort before the call, during it, or before a hit is the error that the bare client gives', async () => {
        const client = wrap()
        const aborted = { signal: AbortSignal.abort() }
        const expected = await outcome(bare, aborted)
        expect(expected.error).toBeDefined()
        expect(await outcome(client, aborted)).toStrictEqual(expected)
        expect(server.requests).toHaveLength(0)

        server.respond((_request, reply) => reply.hold())
        const during = async (each: Client): Promise<Outcome> => {
          const controller = new AbortController()
          const asked = server.requests.length
          const outcomeThen = outcome(each, { signal: controller.signal })
          await server.untilRequests(asked + 1)
          controller.abort()
          return outcomeThen
        }
        expect(await during(client)).toStrictEqual(await during(bare))
        await server.untilAborted(2)

        server.respond((request, reply) => setup.answer(request, reply, 'answer'))
        await outcome(client)
        const asked = server.requests.length
        expect(await outcome(client, aborted)).toStrictEqual(expected)
        expect(server.requests).toHaveLength(asked)
      })

      it.each([400, 401, 404, 429, 500])(
        'K02 I1: status %i is the same error after as many requests, and is not stored',
        async (status) => {
          server.respond((_request, reply) => setup.refuse(reply, status))
          const client = wrap()
          const expected = await outcome(bare)
          const asked = server.requests.length
          expect(expected.error).toBeDefined()
          expect(await outcome(client)).toStrictEqual(expected)
          expect(server.requests).toHaveLength(2 * asked)
          server.respond((request, reply) => setup.answer(request, reply, 'good again'))
          expect(await textOf(outcome(client))).toBe('good again')
          expect(await textOf(outcome(client))).toBe('good again')
          expect(server.requests).toHaveLength(2 * asked + 1)
        },
      )

      it('I1: an error that passes is retried by the SDK, and the answer after it is stored', async () => {
        server.respond((request, reply) =>
          server.requests.length === 1 ? setup.refuse(reply, 429) : setup.answer(request, reply, 'at the second try'),
        )
        const client = wrap()
        expect(await textOf(outcome(client))).toBe('at the second try')
        expect(await textOf(outcome(client))).toBe('at the second try')
        expect(server.requests).toHaveLength(2)
      })

      it('I1: a refused connection is the same error', async () => {
        const closed = await start()
        await closed.close()
        const unreachable = setup.make({ url: closed.url, maxRetries: 0 })
        const expected = await outcome(unreachable)
        expect(expected.error).toBeDefined()
        expect(await outcome(clientOf(withCache(unreachable, cacheWith()), unreachable))).toStrictEqual(expected)
      })

      it('S06: an answer that was cut short is handed out, and stored only where the policy says so', async () => {
        server.respond((request, reply) => setup.answer(request, reply, `cut ${server.requests.length}`, { stop: 'cut short' }))
        const client = wrap()
        expect(await readOf(client)).toMatchObject({ text: 'cut 1', info: { hit: false, stored: false, reason: 'length' } })
        expect(await readOf(client)).toMatchObject({ text: 'cut 2', info: { hit: false } })
        const lenient = wrap({ policy: () => true })
        expect(await readOf(lenient)).toMatchObject({ text: 'cut 3', info: { hit: false, stored: true, reason: undefined } })
        expect(await readOf(lenient)).toMatchObject({ text: 'cut 3', info: { hit: true } })
      })

      it('S08: an answer larger than an entry may be is unharmed, and is not stored', async () => {
        const long = 'too long '.repeat(100)
        server.respond((request, reply) => setup.answer(request, reply, long))
        const cache = cacheWith({ maxEntryBytes: 512 })
        const expected = await outcome(bare)
        expect(await outcome(wrapIn(cache))).toStrictEqual(expected)
        expect(await readOf(wrapIn(cache))).toMatchObject({ text: long, info: { hit: false, stored: false, reason: 'too large' } })
        expect(server.requests).toHaveLength(3)
        expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'too large': 2 } })
      })

      it('K03 I8: a provider that never answers is given up at the deadline, and a new caller begins anew', async () => {
        server.respond((_request, reply) => reply.hold())
        const impatient = setup.make({ url: server.url, maxRetries: 0 })
        const client = clientOf(withCache(impatient, cacheWith({ flightDeadline: '1m' })), impatient)
        const waiting = [outcome(client), outcome(client)]
        await server.untilRequests(1)
        clock.advance(60_000)
        for (const each of waiting) expect((await each).error).toBeDefined()
        await server.untilAborted(1)
        expect(clock.timers).toBe(0)
        server.respond((request, reply) => setup.answer(request, reply, 'a new one'))
        expect(await textOf(outcome(client))).toBe('a new one')
        expect(server.requests).toHaveLength(2)
      })

      it.each(['throws', 'rejects'] as const)('K06: a store whose read %s costs nobody his answer', async (manner) => {
        const store = new ScriptedStore()
        store.reads = manner
        const cache = cacheWith({ store })
        const client = wrapIn(cache)
        const texts = await Promise.all([1, 2, 3].map(() => textOf(outcome(client))))
        expect(texts).toEqual(['answer 1', 'answer 1', 'answer 1'])
        expect(await textOf(outcome(client))).toBe('answer 1')
        expect(server.requests).toHaveLength(1)
        expect(cache.stats().errors).toBeGreaterThan(0)
        await cache.flush()
        store.reads = 'works'
        expect(await textOf(outcome(wrap({ store })))).toBe('answer 1')
        expect(server.requests).toHaveLength(1)
      })

      it('K09: an answer that is on its way when everything is invalidated is handed out and not stored', async () => {
        const released = gate()
        server.respond(async (request, reply) => {
          const said = `answer ${server.requests.length}`
          await released
          return setup.answer(request, reply, said)
        })
        const cache = cacheWith()
        const client = wrapIn(cache)
        const filling = readOf(client)
        await server.untilRequests(1)
        expect(await cache.invalidate({ all: true })).toBe(true)
        released.open()
        expect(await filling).toMatchObject({ text: 'answer 1', info: { hit: false, stored: false, reason: 'invalidated' } })
        expect(await readOf(client)).toMatchObject({ text: 'answer 2', info: { hit: false, stored: true } })
        expect(await readOf(client)).toMatchObject({ text: 'answer 2', info: { hit: true } })
      })

      it('K10: a refresh that fails leaves the old answer in its place, and no caller hears of it', async () => {
        const cache = cacheWith({ ttl: '10m', staleWhileRevalidate: '1h' })
        const client = wrapIn(cache)
        await outcome(client)
        clock.advance(600_000)
        server.respond((_request, reply) => setup.refuse(reply, 500))
        const old = { text: 'answer 1', info: { hit: true, stale: true } }
        expect(await readOf(client)).toMatchObject(old)
        await server.untilRequests(2)
        await untilLanded()
        await rounds(10)
        expect(cache.stats()).toMatchObject({ errorKinds: { refresh: 1 }, stored: 1 })
        expect(await readOf(client)).toMatchObject(old)

        server.respond((request, reply) => setup.answer(request, reply, 'a new one'))
        clock.advance(60_000)
        expect(await readOf(client)).toMatchObject(old)
        await untilLanded()
        await rounds(10)
        expect(await readOf(client)).toMatchObject({ text: 'a new one', info: { hit: true, stale: false } })
      })

      it('K11: a listener that asks the same question does not wait for itself', async () => {
        const cache = cacheWith()
        const client = wrapIn(cache)
        let within: Promise<string> | undefined
        cache.on('miss', () => {
          within ??= textOf(outcome(client))
        })
        expect(await textOf(outcome(client))).toMatch(/^answer [12]$/)
        expect(await within).toMatch(/^answer [12]$/)
        const asked = server.requests.length
        expect(await textOf(outcome(client))).toMatch(/^answer [12]$/)
        expect(server.requests).toHaveLength(asked)
      })

      it('K12: of two different answers that are stored under one key at once, a third reader gets one, whole', async () => {
        const released = gate()
        const answers = ['a short one', 'a long one '.repeat(500)]
        server.respond(async (request, reply) => {
          const said = answers[server.requests.length - 1] ?? ''
          await released
          return setup.answer(request, reply, said)
        })
        const store = memoryStore({ clock })
        const caches = [cacheWith({ store }), cacheWith({ store })]
        const asked = caches.map((cache) => textOf(outcome(wrapIn(cache))))
        await server.untilRequests(2)
        released.open()
        expect((await Promise.all(asked)).toSorted()).toEqual(answers.toSorted())
        await Promise.all(caches.map((cache) => cache.flush()))
        const third = await readOf(wrap({ store }))
        expect(answers).toContain(third.text)
        expect(third.info).toMatchObject({ hit: true, source: store.name })
        expect(server.requests).toHaveLength(2)
      })

      it('serves the other mode from the same entry', async () => {
        const client = wrap()
        expect(await textOf(outcome(client))).toBe('answer 1')
        expect(await text(client, 'Hi', {}, !streamed)).toBe('answer 1')
        expect(server.requests).toHaveLength(1)
      })
    })

    const open = async (client: Client, options?: object): Promise<AsyncIterable<unknown>> => {
      const stream = await ask(client, 'Hi', options, true)
      if (!isStream(stream)) throw new TypeError('the call gives no stream')
      return stream
    }
    /** What a stream comes to whose caller aborts it at its first text. */
    const abortedOf = async (client: Client): Promise<Outcome> => {
      const controller = new AbortController()
      const stream = await open(client, { signal: controller.signal })
      const events: unknown[] = []
      try {
        for await (const event of stream) {
          events.push(event)
          if (setup.textOfEvent(event) !== '') controller.abort()
        }
        return { events }
      } catch (error) {
        return { events, error: failureOf(error) }
      }
    }

    describe('a stream', () => {
      it('S01: is broken off: the provider hears of it, and nothing is stored', async () => {
        const paused = gate()
        server.respond((request, reply) => setup.answer(request, reply, 'half and half', { pause: paused }))
        const client = wrap()
        for await (const event of await open(client)) if (setup.textOfEvent(event) !== '') break
        await server.untilAborted(1)
        paused.open()
        server.respond((request, reply) => setup.answer(request, reply, 'all of it'))
        expect(await text(client, 'Hi', {}, true)).toBe('all of it')
        expect(await text(client, 'Hi', {}, true)).toBe('all of it')
        expect(server.requests).toHaveLength(2)
      })

      it('S05: is aborted in the middle, as the bare one is, and nothing is stored', async () => {
        const paused = gate()
        server.respond((request, reply) => setup.answer(request, reply, 'half and half', { pause: paused }))
        const client = wrap()
        expect(await abortedOf(client)).toStrictEqual(await abortedOf(bare))
        await server.untilAborted(2)
        paused.open()
        server.respond((request, reply) => setup.answer(request, reply, 'all of it'))
        expect(await text(client, 'Hi', {}, true)).toBe('all of it')
        expect(server.requests).toHaveLength(3)
      })

      it.each(['cut', 'reset'] as const)('S03 S04: ends by a %s: as with the bare client, and it is not stored', async (end) => {
        server.respond((request, reply) => setup.answer(request, reply, 'half and half', { end }))
        const client = wrap()
        const expected = await outcomeOf(() => ask(bare, 'Hi', {}, true))
        expect(await outcomeOf(() => ask(client, 'Hi', {}, true))).toStrictEqual(expected)
        server.respond((request, reply) => setup.answer(request, reply, 'all of it'))
        expect(await text(client, 'Hi', {}, true)).toBe('all of it')
        expect(await text(client, 'Hi', {}, true)).toBe('all of it')
        expect(server.requests).toHaveLength(3)
      })

      it('S10: a caller who comes in the middle gets it from the beginning, and S11: to its end though the first one leaves', async () => {
        const paused = gate()
        server.respond((request, reply) => setup.answer(request, reply, 'half and half', { pause: paused }))
        const client = wrap()
        let later: Promise<string> | undefined
        for await (const event of await open(client)) {
          if (setup.textOfEvent(event) === '') continue
          const stream = await open(client)
          expect(infoOf(stream)).toMatchObject({ hit: true, source: 'flight' })
          later = textOf(outcomeOf(() => Promise.resolve(stream)))
          break
        }
        paused.open()
        expect(await later).toBe('half and half')
        expect(await text(client, 'Hi', {}, true)).toBe('half and half')
        expect(server.requests).toHaveLength(1)
        expect(server.aborted).toBe(0)
      })

      it('S02: whose reader stops reading is not pulled from the provider, and his leaving frees the flight', async () => {
        const long = 'x'.repeat(beyondBuffers)
        let sent = false
        server.respond(async (request, reply) => {
          await setup.answer(request, reply, long)
          sent = true
        })
        const cache = cacheWith()
        for await (const event of await open(wrapIn(cache))) {
          if (setup.textOfEvent(event) === '') continue
          await rounds(500)
          expect(sent).toBe(false)
          expect(clock.timers).toBe(1)
          break
        }
        await server.untilAborted(1)
        expect(clock.timers).toBe(0)
        expect(cache.stats()).toMatchObject({ stored: 0, skipped: { aborted: 1 } })
      })

      it('S08: that has become too large to be kept is unharmed, and is not joined any more', async () => {
        const paused = gate()
        server.respond((request, reply) => setup.answer(request, reply, 'half and half', { pause: paused }))
        const client = wrap({ maxEntryBytes: 8 })
        const texts: string[] = []
        let later: Promise<string> | undefined
        for await (const event of await open(client)) {
          texts.push(setup.textOfEvent(event))
          if (texts.at(-1) === '' || later !== undefined) continue
          later = text(client, 'Hi', {}, true)
          await server.untilRequests(2)
          paused.open()
        }
        expect([texts.join(''), await later]).toEqual(['half and half', 'half and half'])
        expect(server.requests).toHaveLength(2)
      })

      it('S07: is reset after its end mark: as with the bare client, and it is stored, once', async () => {
        server.respond((request, reply) => setup.answer(request, reply, 'all of it', { end: 'complete then reset' }))
        const cache = cacheWith()
        const client = wrapIn(cache)
        const expected = await outcomeOf(() => ask(bare, 'Hi', {}, true))
        expect(await outcomeOf(() => ask(client, 'Hi', {}, true))).toStrictEqual(expected)
        expect(cache.stats()).toMatchObject({ stored: 1 })
        expect(await outcomeOf(() => ask(client, 'Hi', {}, true))).toStrictEqual({ events: expected.events })
        expect(await text(client)).toBe('all of it')
        expect(server.requests).toHaveLength(2)
        expect(cache.stats()).toMatchObject({ stored: 1 })
      })

      it.each(waysWithStream)('S12: takes %s as the bare one does, on a miss and on a hit', async (_, way) => {
        server.respond((request, reply) => setup.answer(request, reply, 'all of it'))
        const client = wrap()
        const controller = new AbortController()
        const { signal } = controller
        const expected = await way(await open(bare, { signal }), setup.textOfEvent)
        expect(await way(await open(client, { signal }), setup.textOfEvent)).toStrictEqual(expected)
        // Of one who never began to read, no SDK says that he has left.
        controller.abort()
        await text(client, 'Hi', {}, true)
        const hit = await open(client)
        expect(infoOf(hit)).toMatchObject({ hit: true, source: 'memory' })
        expect(await way(hit, setup.textOfEvent)).toStrictEqual(expected)
      })
    })

    it('K07: 200 different questions at once get an answer each, and the store is read a few at a time', async () => {
      server.respond((request, reply) => setup.answer(request, reply, `answer to ${numberIn(request)}`))
      const inner = memoryStore({ clock })
      let [reading, peak] = [0, 0]
      const store: Store = {
        name: 'counted',
        get: (key) => inner.get(key),
        async getMany(keys) {
          peak = Math.max(peak, ++reading)
          await rounds(1)
          reading--
          return Promise.all(keys.map(async (key) => inner.get(key)))
        },
        set: (key, value, options) => inner.set(key, value, options),
        delete: (key) => inner.delete(key),
      }
      const cache = cacheWith({ store })
      const client = wrapIn(cache)
      const numbers = Array.from({ length: 200 }, (_, number) => number)
      const texts = await Promise.all(numbers.map((number) => text(client, `question ${number}`)))
      expect(texts).toEqual(numbers.map((number) => `answer to ${number}`))
      expect(server.requests).toHaveLength(200)
      expect(peak).toBeGreaterThan(1)
      expect(peak).toBeLessThanOrEqual(64)
      await cache.flush()
      expect(cache.stats()).toMatchObject({ misses: 200, stored: 200, errors: 0 })
    })

    it('K08: a stream and a whole answer that are asked for at once are each what they should be', async () => {
      const client = wrap()
      const asked = [false, true, false, true].map((streamed) => outcomeOf(() => ask(client, 'Hi', {}, streamed)))
      for (const [index, outcome] of (await Promise.all(asked)).entries()) {
        expect(Object.keys(outcome)).toEqual([index % 2 === 0 ? 'value' : 'events'])
        expect(await textOf(Promise.resolve(outcome))).toMatch(/^answer [12]$/)
      }
      expect(server.requests).toHaveLength(2)
    })

    describe('a result', () => {
      it('K05: is the caller’s own: changing it changes nobody else’s, nor the next hit', async () => {
        const client = wrap()
        const expected = await outcomeOf(() => ask(bare))
        server.respond((request, reply) => setup.answer(request, reply, 'answer 1'))
        const [first, second] = await Promise.all([ask(client), ask(client)])
        spoil(first)
        expect({ value: second }).toStrictEqual(expected)
        const hit = await ask(client)
        expect({ value: hit }).toStrictEqual(expected)
        spoil(hit)
        expect({ value: await ask(client) }).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
      })

      it('is written as JSON as it was', async () => {
        const client = wrap()
        const expected = JSON.stringify(await ask(bare))
        server.respond((request, reply) => setup.answer(request, reply, 'answer 1'))
        expect(JSON.stringify(await ask(client))).toBe(expected)
        expect(JSON.stringify(await ask(client))).toBe(expected)
      })
    })

    describe('the mode', () => {
      it('default: serves what is fresh, asks for what is not', async () => {
        const client = wrap({ ttl: '10m' })
        expect(await text(client, 'Hi', { cache: { mode: 'default' } })).toBe('answer 1')
        clock.advance(599_000)
        expect(await text(client)).toBe('answer 1')
        clock.advance(1_000)
        expect(await text(client)).toBe('answer 2')
        expect(await text(client)).toBe('answer 2')
      })

      it.each([{ cache: { mode: 'no-store' } }, { bypassCache: true }, { bypassCache: true, cache: { mode: 'reload' } }])(
        'no-store: neither reads nor writes: %j',
        async (options) => {
          const client = wrap()
          expect(await text(client, 'Hi', options)).toBe('answer 1')
          expect(await text(client)).toBe('answer 2')
          expect(await text(client, 'Hi', options)).toBe('answer 3')
          expect(await text(client)).toBe('answer 2')
          expect(await facts(client, options)).toMatchObject({ hit: false, source: 'origin', stored: false, reason: 'no-store', key: '' })
        },
      )

      it('default with bypassCache: false is as if it were not said', async () => {
        const client = wrap()
        await ask(client)
        expect(await facts(client, { bypassCache: false })).toMatchObject({ hit: true })
      })

      it('reload: does not read, but writes', async () => {
        const client = wrap()
        expect(await text(client)).toBe('answer 1')
        expect(await text(client, 'Hi', { cache: { mode: 'reload' } })).toBe('answer 2')
        expect(await text(client)).toBe('answer 2')
      })

      it.each([false, true])('only-if-cached: is an error on a miss, at once and without the provider (streamed: %s)', async (streamed) => {
        const cache = cacheWith()
        const client = clientOf(withCache(bare, cache), bare)
        const options = { cache: { mode: 'only-if-cached' } }
        const { error } = await outcomeOf(() => ask(client, 'Hi', options, streamed))
        expect(error?.message).toMatch(/llmemo: no answer is stored for this request/)
        expect(server.requests).toHaveLength(0)
        // Not even the cache is asked again: what is not there now will not be there at the SDK's next try.
        expect(cache.stats()).toMatchObject({ bypasses: 1, bypassReasons: { 'not cached': 1 } })
        await text(client, 'Hi', {}, streamed)
        expect(await text(client, 'Hi', options, streamed)).toBe('answer 1')
        expect(server.requests).toHaveLength(1)
      })

      it('reload: asks for itself, though another asks for the same just now', async () => {
        const released = gate()
        server.respond(async (request, reply) => {
          const text = `answer ${server.requests.length}`
          await released
          return setup.answer(request, reply, text)
        })
        const client = wrap()
        const first = text(client)
        await server.untilRequests(1)
        const second = text(client, 'Hi', { cache: { mode: 'reload' } })
        await server.untilRequests(2)
        released.open()
        expect(await Promise.all([first, second])).toEqual(['answer 1', 'answer 2'])
      })

      it('force-cache: serves what is stale, as long as it is kept', async () => {
        const client = wrap({ ttl: '10m', stale: '1h' })
        const options = { cache: { mode: 'force-cache' } }
        expect(await text(client, 'Hi', options)).toBe('answer 1')
        clock.advance(600_000)
        expect(await facts(client, options)).toMatchObject({ hit: true, stale: true, age: 600, ttl: 0 })
        expect(await text(client)).toBe('answer 2')
        clock.advance(600_000 + 3_600_000)
        expect(await text(client, 'Hi', options)).toBe('answer 3')
      })
    })

    describe('of its options', () => {
      it('a TTL of the call’s own, else of its operation, else the default one is used', async () => {
        const client = wrap({ ttl: { default: '1h', summarize: '2h' } })
        const ttlOf = async (prompt: string, cache: object): Promise<number> => (await facts(client, { cache }, prompt)).ttl
        expect(await ttlOf('a', {})).toBe(3_600)
        expect(await ttlOf('b', { operation: 'summarize' })).toBe(7_200)
        expect(await ttlOf('c', { operation: 'summarize', ttl: '30s' })).toBe(30)
        expect(await ttlOf('d', { ttl: 1.5 })).toBe(2)
        clock.advance(30_000)
        expect(await facts(client, { cache: { operation: 'summarize' } }, 'c')).toMatchObject({ hit: false, operation: 'summarize' })
      })

      it('tags take answers back', async () => {
        const cache = cacheWith()
        const client = clientOf(withCache(bare, cache), bare)
        await text(client, 'a', { cache: { tags: ['doc:1', 'doc:2'] } })
        await text(client, 'b', { cache: { tags: ['doc:2'] } })
        await text(client, 'c')
        expect(await cache.invalidate({ tags: ['doc:1'] })).toBe(true)
        expect(await text(client, 'a', { cache: { tags: ['doc:1', 'doc:2'] } })).toBe('answer 4')
        expect(await text(client, 'b', { cache: { tags: ['doc:2'] } })).toBe('answer 2')
        expect(await text(client, 'c')).toBe('answer 3')
      })

      it('context, variant and scope make entries of their own', async () => {
        const client = wrap()
        const calls = [{}, { context: { project: 'atlas' } }, { context: 'atlas' }, { variant: 1 }, { scope: 'a' }, { scope: 'b' }]
        const texts = await sequence(calls, (cache) => text(client, 'Hi', { cache }))
        expect(texts).toEqual(calls.map((_, index) => `answer ${index + 1}`))
        expect(await sequence(calls, (cache) => text(client, 'Hi', { cache }))).toEqual(texts)
        expect(await text(client, 'Hi', { cache: { operation: 'qa', tags: ['x'], ttl: 5 } })).toBe('answer 1')
      })

      it('I3: a scope is the call’s own, else the cache’s, else a digest that tells the credential to nobody', async () => {
        const client = wrap({ scope: 'tenant-1' })
        expect(await facts(client)).toMatchObject({ scope: 'tenant-1' })
        expect(await facts(client, { cache: { scope: 'tenant-2' } })).toMatchObject({ scope: 'tenant-2', hit: false })
        expect(await facts(client, { cache: { scope: 'tenant-1' } })).toMatchObject({ hit: true })
        expect((await facts(wrap())).scope).toMatch(/^[0-9a-f]{64}$|^$/)
      })

      it.each([
        ['cache', { cache: 'no-store' }],
        ['cache', { cache: null }],
        ['cache.tll', { cache: { tll: '5m' } }],
        ['cache.ttl', { cache: { ttl: 'soon' } }],
        ['cache.ttl', { cache: { ttl: 0 } }],
        ['cache.ttl', { cache: { ttl: 'soon' }, bypassCache: true }],
        ['cache.mode', { cache: { mode: 'no-cash' } }],
        ['cache.operation', { cache: { operation: '' } }],
        ['cache.tags', { cache: { tags: 'doc:1' } }],
        ['cache.scope', { cache: { scope: 7 } }],
        ['cache.variant', { cache: { variant: 1.5 } }],
        ['bypassCache', { bypassCache: 'yes' }],
      ])('a wrong one is an error at the call, which names %s: %j', async (option, options) => {
        const asked = ask(wrap(), 'Hi', options)
        await expect(Promise.resolve(asked)).rejects.toMatchObject({
          name: 'InvalidOptionError',
          code: 'INVALID_OPTION',
          message: expect.stringContaining(`"${option}"`),
        })
        expect(server.requests).toHaveLength(0)
      })
    })

    describe('the caller’s own things', () => {
      it.each([false, true])('T04: parameters and options are not changed (streamed: %s)', async (streamed) => {
        const client = wrap()
        const params = deepFreeze(setup.params('Hi', streamed))
        const options = deepFreeze({ cache: { tags: ['a'], context: { of: ['this'] }, ttl: '5m' }, bypassCache: false })
        for (let time = 0; time < 2; time++) expect((await outcomeOf(() => setup.ask(client, params, options))).error).toBeUndefined()
        expect(server.requests).toHaveLength(1)
      })

      it('the bare client stays bare', async () => {
        const before = Object.getOwnPropertyDescriptors(bare)
        const client = wrap()
        await ask(client)
        expect(Object.getOwnPropertyDescriptors(bare)).toEqual(before)
        expect(Object.getPrototypeOf(client)).toBe(Object.getPrototypeOf(bare))
        expect(await text(bare)).toBe('answer 2')
        expect(await text(bare)).toBe('answer 3')
      })

      it('a client that is wrapped already is wrapped anew', async () => {
        const [inner, outer] = [cacheWith(), cacheWith()]
        const once = clientOf(withCache(bare, inner), bare)
        const twice = clientOf(withCache(once, outer), bare)
        expect(await text(twice)).toBe('answer 1')
        expect(await facts(twice)).toMatchObject({ hit: true })
        expect(inner.stats()).toMatchObject({ hits: 0, misses: 0 })
        expect(outer.stats()).toMatchObject({ hits: 1, misses: 1 })
        expect(await text(once)).toBe('answer 2')
      })

      it('T09: two wrapped clients share a cache, and what they did is counted together', async () => {
        const cache = cacheWith()
        const clients = [withCache(bare, cache), withCache(setup.make({ url: server.url, maxRetries: 0 }), cache)]
        expect(await sequence(clients, (client) => text(clientOf(client, bare)))).toEqual(['answer 1', 'answer 1'])
        expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, hitRate: 0.5, savedTokens: setup.tokens, spentTokens: setup.tokens })
      })
    })
  })
}

/** A wrapped client by the type of the bare one: what the suite does with either is the same. */
function clientOf<Client extends object>(wrapped: object, bare: Client): Client {
  if (Object.getPrototypeOf(wrapped) !== Object.getPrototypeOf(bare)) throw new TypeError('the wrapped client is of another class')
  // Just checked: it is of the same class.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return wrapped as Client
}

/** The text of what a call came to. @throws {Error} when it came to an error */
async function textIn(setup: Pick<ClientUnderTest<never>, 'textOf' | 'textOfEvent'>, outcome: Promise<Outcome>): Promise<string> {
  const { value, events, error } = await outcome
  if (error !== undefined) throw new Error(`the call failed: ${error.message}`)
  return events === undefined ? setup.textOf(value) : events.map(setup.textOfEvent).join('')
}

function infoOf(result: unknown): CacheInfo {
  const info: unknown = Reflect.get(Object(result), '_cache')
  const known = cacheInfo(result)
  if (known === undefined || info !== known) throw new TypeError('the result has no `_cache`')
  return known
}

/** One call after the other, as their order matters. */
async function sequence<Item, Result>(items: readonly Item[], make: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await make(item))
  return results
}

/** Changes everything in a result that can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name)
    spoil(member)
    if (typeof member !== 'object') Reflect.set(value, name, 'spoilt')
  }
  Reflect.set(value, 'more', 'spoilt')
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(Object(member))
  return Object.freeze(value)
}

/**
 * What every test of the contract starts from: a server that plays the provider, a clock, a bare client, and ways to call them.
 * @module
 */
import { afterEach, beforeEach, expect } from 'vitest'
import type { CacheInfo } from '../../../src/call.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { failureOf, isStream, type Outcome, outcomeOf } from '../../support/outcome.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import type { ClientUnderTest } from './under-test.ts'

/** The parts of a test. `server`, `clock` and `bare` are other ones in each test. */
export interface ClientFixture<Client extends object> {
  readonly setup: ClientUnderTest<Client>
  /** Starts another server that plays the provider. */
  readonly start: () => Promise<ProviderServer>
  readonly server: ProviderServer
  readonly clock: ManualClock
  /** The client before it is wrapped. */
  readonly bare: Client
  /** A cache on the fixture's clock. */
  readonly cacheWith: (options?: CacheOptions) => Cache
  /** The bare client, wrapped with a cache of its own. */
  readonly wrap: (options?: CacheOptions) => Client
  /** The bare client, wrapped with this cache. */
  readonly wrapIn: (cache: Cache) => Client
  /** Makes a call. Gives the result, or the stream. */
  readonly ask: (client: Client, prompt?: string, options?: object, streamed?: boolean) => PromiseLike<unknown>
  /** Makes a call and gives the text of its whole answer. */
  readonly text: (client: Client, prompt?: string, options?: object, streamed?: boolean) => Promise<string>
  /** The text of an outcome. Rejects if the outcome is an error. */
  readonly textOf: (outcome: Promise<Outcome>) => Promise<string>
  /** Makes a call for a whole answer and gives the facts about it. */
  readonly facts: (client: Client, options?: object, prompt?: string) => Promise<CacheInfo>
  /** Waits for flights that no caller waits for. Each flight has a timer until it ends. */
  readonly untilLanded: () => Promise<void>
  /** Makes a call for a stream. */
  readonly open: (client: Client, options?: object) => Promise<AsyncIterable<unknown>>
  /** The outcome of a stream whose caller aborts at its first text. */
  readonly abortedOf: (client: Client) => Promise<Outcome>
}

/** What tests of one mode need besides: all answers whole, or all streamed. */
export interface Mode<Client extends object> {
  readonly streamed: boolean
  /** The outcome of a call in this mode. */
  readonly outcome: (client: Client, options?: object) => Promise<Outcome>
  /** The text of a call's result, and its facts once it is read to its end. */
  readonly readOf: (client: Client) => Promise<{ text: string; info: CacheInfo }>
}

/** Declares what happens before and after each test, and gives the parts to the tests. */
export function clientFixture<Client extends object>(setup: ClientUnderTest<Client>): ClientFixture<Client> {
  const { start = startProvider } = setup
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

  const fixture: ClientFixture<Client> = {
    setup,
    start: () => start(),
    get server() {
      return server
    },
    get clock() {
      return clock
    },
    get bare() {
      return bare
    },
    cacheWith: (options = {}) => createCache({ clock, logger: false, ...options }),
    wrap: (options) => fixture.wrapIn(fixture.cacheWith(options)),
    wrapIn: (cache) => clientOf(withCache(bare, cache), bare),
    ask: (client, prompt = 'Hi', options = {}, streamed = false) => setup.ask(client, setup.params(prompt, streamed), options),
    text: (client, prompt, options, streamed) => fixture.textOf(outcomeOf(() => fixture.ask(client, prompt, options, streamed))),
    async textOf(outcome) {
      const { value, events, error } = await outcome
      if (error !== undefined) throw new Error(`the call failed: ${error.message}`)
      return events === undefined ? setup.textOf(value) : events.map(setup.textOfEvent).join('')
    },
    facts: async (client, options, prompt) => infoOf(await fixture.ask(client, prompt, options)),
    async untilLanded() {
      while (clock.timers > 0) await rounds(1)
    },
    async open(client, options) {
      const stream = await fixture.ask(client, 'Hi', options, true)
      if (!isStream(stream)) throw new TypeError('the call gives no stream')
      return stream
    },
    async abortedOf(client) {
      const controller = new AbortController()
      const stream = await fixture.open(client, { signal: controller.signal })
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
    },
  }
  return fixture
}

/** The parts for tests of one mode. */
export function modeOf<Client extends object>({ ask, textOf }: ClientFixture<Client>, streamed: boolean): Mode<Client> {
  return {
    streamed,
    outcome: (client, options) => outcomeOf(() => ask(client, 'Hi', options, streamed)),
    async readOf(client) {
      const result = await ask(client, 'Hi', {}, streamed)
      const text = await textOf(outcomeOf(() => Promise.resolve(result)))
      return { text, info: infoOf(result) }
    },
  }
}

/** A wrapped client, by the type of the bare client: the tests do the same with both. */
export function clientOf<Client extends object>(wrapped: object, bare: Client): Client {
  if (Object.getPrototypeOf(wrapped) !== Object.getPrototypeOf(bare)) throw new TypeError('the wrapped client is of another class')
  // Just checked: it is of the same class.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return wrapped as Client
}

/** The facts about a result. */
export function infoOf(result: unknown): CacheInfo {
  const info: unknown = Reflect.get(Object(result), '_cache')
  const known = cacheInfo(result)
  if (known === undefined || info !== known) throw new TypeError('the result has no `_cache`')
  return known
}

/** Lets the event loop turn: promises, and bytes on a local socket, move on. */
export async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** Makes one call after the other, where their order matters. */
export async function sequence<Item, Result>(items: readonly Item[], make: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await make(item))
  return results
}

/**
 * Many callers at once.
 * @module
 */
import { expect, it } from 'vitest'
import { withCache } from '../../../src/clients/with-cache.ts'
import type { Store } from '../../../src/store.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { gate, type ProviderRequest } from '../../support/provider-server.ts'
import { clientOf, rounds, type ClientFixture, type Mode } from './fixture.ts'

/** Declares the tests of one mode: whole or streamed. */
export function describeFlights<Client extends object>(fixture: ClientFixture<Client>, mode: Mode<Client>): void {
  const { wrap, wrapIn, cacheWith, textOf } = fixture
  const { outcome, readOf } = mode

  it('K01: 100 equal calls at once are one request to the provider', async () => {
    const released = gate()
    fixture.server.respond(async (request, reply) => {
      await released
      return fixture.setup.answer(request, reply, 'one answer')
    })
    const cache = cacheWith()
    const client = wrapIn(cache)
    const asked = Array.from({ length: 100 }, () => outcome(client))
    await fixture.server.untilRequests(1)
    released.open()
    const outcomes = await Promise.all(asked)
    const expected = await outcome(fixture.bare)
    for (const each of outcomes) expect(each).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(2)
    expect(cache.stats()).toMatchObject({ hits: 99, misses: 1, stored: 1, errors: 0 })
  })

  it('K03 I8: the deadline ends a call to a provider that never answers, and the next caller makes a new call', async () => {
    fixture.server.respond((_request, reply) => reply.hold())
    const impatient = fixture.setup.make({ url: fixture.server.url, maxRetries: 0 })
    const client = clientOf(withCache(impatient, cacheWith({ flightDeadline: '1m' })), impatient)
    const waiting = [outcome(client), outcome(client)]
    await fixture.server.untilRequests(1)
    fixture.clock.advance(60_000)
    for (const each of waiting) expect((await each).error).toBeDefined()
    await fixture.server.untilAborted(1)
    expect(fixture.clock.timers).toBe(0)
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'a new one'))
    expect(await textOf(outcome(client))).toBe('a new one')
    expect(fixture.server.requests).toHaveLength(2)
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
    const asked = fixture.server.requests.length
    expect(await textOf(outcome(client))).toMatch(/^answer [12]$/)
    expect(fixture.server.requests).toHaveLength(asked)
  })

  it('K12: two caches store different answers under one key at once: a third reader gets one of them, whole', async () => {
    const released = gate()
    const answers = ['a short one', 'a long one '.repeat(500)]
    fixture.server.respond(async (request, reply) => {
      const said = answers[fixture.server.requests.length - 1] ?? ''
      await released
      return fixture.setup.answer(request, reply, said)
    })
    const store = memoryStore({ clock: fixture.clock })
    const caches = [cacheWith({ store }), cacheWith({ store })]
    const asked = caches.map((cache) => textOf(outcome(wrapIn(cache))))
    await fixture.server.untilRequests(2)
    released.open()
    expect((await Promise.all(asked)).toSorted()).toEqual(answers.toSorted())
    await Promise.all(caches.map((cache) => cache.flush()))
    const third = await readOf(wrap({ store }))
    expect(answers).toContain(third.text)
    expect(third.info).toMatchObject({ hit: true, source: store.name })
    expect(fixture.server.requests).toHaveLength(2)
  })
}

/** Declares the tests that need no mode. */
export function describeFlightsOfBothModes<Client extends object>(fixture: ClientFixture<Client>): void {
  const { ask, text, wrap, wrapIn, cacheWith, textOf } = fixture

  it('K07: 200 different questions at once get an answer each, with few reads of the store at a time', async () => {
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, `answer to ${numberIn(request)}`))
    const inner = memoryStore({ clock: fixture.clock })
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
    expect(fixture.server.requests).toHaveLength(200)
    expect(peak).toBeGreaterThan(1)
    expect(peak).toBeLessThanOrEqual(64)
    await cache.flush()
    expect(cache.stats()).toMatchObject({ misses: 200, stored: 200, errors: 0 })
  })

  it('K08: calls at once for a stream and for a whole answer each get what they ask for', async () => {
    const client = wrap()
    const asked = [false, true, false, true].map((streamed) => outcomeOf(() => ask(client, 'Hi', {}, streamed)))
    for (const [index, outcome] of (await Promise.all(asked)).entries()) {
      expect(Object.keys(outcome)).toEqual([index % 2 === 0 ? 'value' : 'events'])
      expect(await textOf(Promise.resolve(outcome))).toMatch(/^answer [12]$/)
    }
    expect(fixture.server.requests).toHaveLength(2)
  })
}

/** The number of the question in a request of any protocol. */
function numberIn({ body }: ProviderRequest): string | undefined {
  return /question (\d+)/.exec(JSON.stringify(body))?.[1]
}

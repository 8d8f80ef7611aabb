import { memoryStore } from '../../src/stores/memory-store.ts'
import assert from 'node:assert/strict'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { openCache, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { askThrough, type Got, StubProvider } from '../support/provider-stub.ts'

const clocks: ManualClock[] = []

function open(options: CacheOptions = {}) {
  const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock()
  clocks.push(clock)
  const provider = new StubProvider()
  const opened = openCache({ ttl: '1m', ...options, clock })
  const ask = (text?: string, call?: Parameters<typeof askThrough>[3]): Promise<Got> => askThrough(opened.cache, provider, text, call)
  return { ...opened, clock, provider, ask }
}

afterEach(() => {
  // I5 I8: nothing is left waiting.
  for (const clock of clocks.splice(0)) assert.equal(clock.timers, 0)
})

/** Counts and events of calls: hits and misses. */
function counts(cache: Cache) {
  const { hits, misses, stale, stored, errorKinds } = cache.stats()
  return { hits, misses, stale, stored, refreshErrors: errorKinds['refresh'] ?? 0 }
}

describe('staleWhileRevalidate', () => {
  it('serves the old answer at once, marked stale, and the new one to the next caller', async () => {
    const { clock, provider, ask, cache } = open({ staleWhileRevalidate: '5m' })
    expect((await ask()).text).toBe('Hi #1')
    clock.advance(61_000)
    provider.condition = 'slow'
    const old = await ask()
    expect(old.text).toBe('Hi #1')
    expect(old.info).toMatchObject({ hit: true, stale: true, age: 61, ttl: 0, source: 'memory', stored: true })
    await settle()
    expect(provider.asked).toHaveLength(2)
    provider.release()
    await settle()
    const fresh = await ask()
    expect(fresh.text).toBe('Hi #2')
    expect(fresh.info).toMatchObject({ hit: true, stale: false, age: 0, ttl: 60 })
    expect(counts(cache)).toEqual({ hits: 2, misses: 1, stale: 1, stored: 2, refreshErrors: 0 })
  })

  it('K01 begins one refresh for any number of calls, and another one after that', async () => {
    const { clock, provider, ask } = open({ staleWhileRevalidate: '5m' })
    await ask()
    clock.advance(60_000)
    provider.condition = 'slow'
    const all = await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(new Set(all.map(({ text }) => text))).toEqual(new Set(['Hi #1']))
    await settle()
    expect((await ask()).text).toBe('Hi #1')
    expect(provider.asked).toHaveLength(2)
    provider.release()
    await settle()
    provider.condition = 'well'
    clock.advance(60_000)
    expect((await ask()).text).toBe('Hi #2')
    await settle()
    expect(provider.asked).toHaveLength(3)
  })

  it('ends with its window, and serves a fresh answer until its TTL', async () => {
    const { clock, provider, ask } = open({ staleWhileRevalidate: '5m' })
    await ask()
    clock.advance(59_999)
    expect((await ask()).info?.stale).toBe(false)
    await settle()
    expect(provider.asked).toHaveLength(1)
    clock.advance(300_001)
    const later = await ask()
    expect(later.text).toBe('Hi #2')
    expect(later.info).toMatchObject({ hit: false, source: 'origin' })
  })

  it.each([500, 429, 400, 'unreachable'] as const)(
    'K10 I4 a refresh that fails (%s) is counted, reaches no caller, and is tried again after ten seconds',
    async (condition) => {
      const { clock, provider, ask, cache } = open({ staleWhileRevalidate: '5m' })
      await ask()
      clock.advance(60_000)
      provider.condition = condition
      for (let second = 0; second < 10; second++) {
        expect((await ask()).text).toBe('Hi #1')
        await settle()
        expect(provider.asked).toHaveLength(2)
        clock.advance(1_000)
      }
      expect(counts(cache).refreshErrors).toBe(1)
      provider.condition = 'well'
      expect((await ask()).text).toBe('Hi #1')
      await settle()
      expect(provider.asked).toHaveLength(3)
      expect((await ask()).text).toBe('Hi #3')
    },
  )

  it('K10 an answer that may not be stored does not make every call a refresh', async () => {
    const { clock, provider, ask } = open({ staleWhileRevalidate: '5m' })
    await ask()
    clock.advance(60_000)
    provider.finish = 'length'
    for (let time = 0; time < 5; time++) {
      expect((await ask()).text).toBe('Hi #1')
      await settle()
    }
    expect(provider.asked).toHaveLength(2)
  })

  it('K09 does not bring back what was invalidated while it was fetched', async () => {
    const { clock, provider, ask, cache } = open({ staleWhileRevalidate: '5m' })
    await ask('Hi', { tags: ['doc'] })
    clock.advance(60_000)
    provider.condition = 'slow'
    await ask('Hi', { tags: ['doc'] })
    await settle()
    await cache.invalidate({ tags: ['doc'] })
    provider.release()
    await settle()
    provider.condition = 'well'
    expect((await ask('Hi', { tags: ['doc'] })).text).toBe('Hi #3')
  })

  it('goes on when the caller that began it leaves', async () => {
    const { clock, provider, ask, cache } = open({ staleWhileRevalidate: '5m' })
    await ask()
    clock.advance(60_000)
    provider.condition = 'slow'
    const controller = new AbortController()
    const request = new Request('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    const init = { body: await request.clone().text(), signal: controller.signal }
    await cachingFetch(cache, provider.fetch)(request, init)
    await settle()
    controller.abort()
    provider.release()
    await settle()
    expect((await ask()).text).toBe('Hi #2')
  })

  it('leaves the other modes what they are', async () => {
    const { clock, provider, ask } = open({ staleWhileRevalidate: '5m' })
    await ask()
    clock.advance(60_000)
    expect((await ask('Hi', { mode: 'only-if-cached' })).info).toMatchObject({ hit: true, stale: true })
    expect((await ask('Hi', { mode: 'force-cache' })).info).toMatchObject({ hit: true, stale: true })
    await settle()
    expect(provider.asked).toHaveLength(1)
    expect((await ask('Hi', { mode: 'no-store' })).text).toBe('Hi #2')
    expect((await ask('Hi', { mode: 'reload' })).text).toBe('Hi #3')
  })

  it('takes what another process fetched meanwhile rather than fetching it again', async () => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const here = open({ clock, store, staleWhileRevalidate: '5m' })
    const there = open({ clock, store, staleWhileRevalidate: '5m' })
    await here.ask()
    await here.cache.flush()
    clock.advance(60_000)
    expect((await there.ask()).info).toMatchObject({ stale: true })
    await settle()
    await there.cache.flush()
    expect(there.provider.asked).toHaveLength(1)
    // There its answer has the number 1 as well; its age tells which one it is.
    expect((await here.ask()).info).toMatchObject({ hit: true, stale: false, age: 0, source: 'memory' })
    await settle()
    expect(here.provider.asked).toHaveLength(1)
  })
})

describe('staleIfError', () => {
  it.each([429, 500, 503, 529, 'unreachable'] as const)(
    'serves the last good answer, marked stale, in an outage: %s',
    async (condition) => {
      const { clock, provider, ask, cache } = open({ staleIfError: '1h' })
      await ask()
      clock.advance(120_000)
      provider.condition = condition
      const got = await ask()
      expect(got.text).toBe('Hi #1')
      expect(got.info).toMatchObject({ hit: true, stale: true, age: 120, ttl: 0 })
      expect(provider.asked).toHaveLength(2)
      expect(counts(cache)).toMatchObject({ hits: 1, misses: 1, stale: 1 })
    },
  )

  it.each([400, 401, 403, 404, 422])('I1 lets through an error that is the call’s own: status %i', async (status) => {
    const { clock, provider, ask, cache } = open({ staleIfError: '1h' })
    await ask()
    clock.advance(120_000)
    provider.condition = status
    expect((await ask()).text).toBe(`status ${status}`)
    expect(counts(cache)).toMatchObject({ hits: 0, misses: 2 })
  })

  it('I1 lets the error through where nothing is stored, where the window is over, and where it is off', async () => {
    const { clock, provider, ask } = open({ staleIfError: '1h' })
    provider.condition = 503
    expect((await ask()).text).toBe('status 503')
    provider.condition = 'well'
    await ask()
    clock.advance(60_000 + 3_600_000)
    provider.condition = 'unreachable'
    expect((await ask()).text).toBe('fetch failed')
    const off = open({ stale: '1h' })
    await off.ask()
    off.clock.advance(60_000)
    off.provider.condition = 503
    expect((await off.ask()).text).toBe('status 503')
  })

  it('serves the new answer when there is one, and asks again ten seconds after an outage', async () => {
    const { clock, provider, ask } = open({ staleIfError: '1h' })
    await ask()
    clock.advance(60_000)
    provider.condition = 503
    expect((await ask()).text).toBe('Hi #1')
    provider.condition = 'well'
    clock.advance(9_999)
    expect((await ask()).text).toBe('Hi #1')
    expect(provider.asked).toHaveLength(2)
    clock.advance(1)
    const got = await ask()
    expect(got.text).toBe('Hi #3')
    expect(got.info).toMatchObject({ hit: false, stale: false, ttl: 60 })
  })

  it('serves all who wait for the same failed call', async () => {
    const { clock, provider, ask, cache } = open({ staleIfError: '1h' })
    await ask()
    clock.advance(60_000)
    provider.condition = 'slow'
    const waiting = [ask(), ask(), ask()]
    await settle()
    provider.condition = 'unreachable'
    provider.release()
    expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(['Hi #1', 'Hi #1', 'Hi #1'])
    expect(provider.asked).toHaveLength(2)
    expect(counts(cache)).toMatchObject({ hits: 3, misses: 1, stale: 3 })
  })

  it('does not serve what was invalidated while the origin was waited for', async () => {
    const { clock, provider, ask, cache } = open({ staleIfError: '1h' })
    await ask()
    clock.advance(60_000)
    provider.condition = 'slow'
    const waiting = ask()
    await settle()
    await cache.clear()
    provider.condition = 'unreachable'
    provider.release()
    expect((await waiting).text).toBe('fetch failed')
  })

  it('ends with its window even while the origin is waited for', async () => {
    const { clock, provider, ask } = open({ staleIfError: '1m' })
    await ask()
    clock.advance(119_000)
    provider.condition = 'slow'
    const waiting = ask()
    await settle()
    clock.advance(1_000)
    provider.condition = 503
    provider.release()
    expect((await waiting).text).toBe('status 503')
  })

  it('I1 a reload is answered by the origin or not at all', async () => {
    const { clock, provider, ask } = open({ staleIfError: '1h' })
    await ask()
    clock.advance(60_000)
    provider.condition = 503
    expect((await ask('Hi', { mode: 'reload' })).text).toBe('status 503')
  })

  it('comes after staleWhileRevalidate, whose window is its own', async () => {
    const { clock, provider, ask } = open({ staleWhileRevalidate: '1m', staleIfError: '1h' })
    await ask()
    clock.advance(90_000)
    provider.condition = 503
    expect((await ask()).text).toBe('Hi #1')
    await settle()
    expect(provider.asked).toHaveLength(2)
    clock.advance(60_000)
    expect((await ask()).text).toBe('Hi #1')
    expect(provider.asked).toHaveLength(3)
    clock.advance(10_000)
    provider.condition = 'well'
    expect((await ask()).text).toBe('Hi #4')
  })
})

describe('refreshAhead', () => {
  it('fetches again in the last share of the TTL, and serves the old answer meanwhile', async () => {
    const { clock, provider, ask } = open({ ttl: '100s', refreshAhead: 0.1 })
    await ask()
    clock.advance(89_999)
    await ask()
    await settle()
    expect(provider.asked).toHaveLength(1)
    clock.advance(1)
    const got = await ask()
    expect(got).toMatchObject({ text: 'Hi #1', info: { stale: false, ttl: 10 } })
    await settle()
    expect(provider.asked).toHaveLength(2)
    expect(await ask()).toMatchObject({ text: 'Hi #2', info: { age: 0, ttl: 100 } })
  })

  it('does nothing for an answer that no call asks for, and nothing by itself', async () => {
    const { clock, provider, ask } = open({ ttl: '100s', refreshAhead: 0.1 })
    await ask()
    clock.advance(1_000_000)
    await settle()
    expect(provider.asked).toHaveLength(1)
  })

  it('K10 keeps the old answer until its own end when the origin fails, and tries every ten seconds', async () => {
    const { clock, provider, ask } = open({ ttl: '100s', refreshAhead: 0.2 })
    await ask()
    clock.advance(80_000)
    provider.condition = 'unreachable'
    for (let second = 80; second < 100; second++) {
      expect((await ask()).text).toBe('Hi #1')
      await settle()
      clock.advance(1_000)
    }
    expect(provider.asked).toHaveLength(3)
    expect((await ask()).text).toBe('fetch failed')
  })
})

/** A source of randomness that is out of order. */
function failing(): number {
  throw new Error('no more')
}

describe('jitter', () => {
  it('shortens a TTL by up to its share, at random, and `_cache.ttl` says so', async () => {
    const draws = [0, 0.5, 1]
    const { ask } = open({ ttl: '100s', jitter: 0.2, random: () => draws.shift() ?? 0 })
    expect((await ask('a')).info?.ttl).toBe(100)
    expect((await ask('b')).info?.ttl).toBe(90)
    expect((await ask('c')).info?.ttl).toBe(80)
  })

  it('is the end of the entry as well', async () => {
    const { clock, ask, cache } = open({ ttl: '100s', jitter: 0.2, random: () => 1 })
    await ask()
    await cache.set('key', 'value', '100s')
    clock.advance(79_999)
    expect((await ask()).text).toBe('Hi #1')
    expect(await cache.get('key')).toBe('value')
    clock.advance(1)
    expect((await ask()).text).toBe('Hi #2')
    expect(await cache.get('key')).toBeUndefined()
  })

  it('P06 is none where the source of randomness is out of order', async () => {
    for (const random of [() => Number.NaN, () => -5, () => Number('x')]) {
      expect((await open({ ttl: '100s', jitter: 0.5, random }).ask()).info?.ttl).toBe(100)
    }
    expect((await open({ ttl: '100s', jitter: 0.5, random: failing }).ask()).info?.ttl).toBe(100)
    expect((await open({ ttl: '100s', jitter: 0.5, random: () => 7 }).ask()).info?.ttl).toBe(50)
  })

  it('does not draw at all by default', async () => {
    const random = vi.fn<() => number>(() => 1)
    expect((await open({ ttl: '100s', random }).ask()).info?.ttl).toBe(100)
    expect(random).not.toHaveBeenCalled()
  })
})

import { memoryStore } from '../../../src/stores/memory-store.ts'
import assert from 'node:assert/strict'
import { afterEach, describe, expect, it } from 'vitest'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import type { Store } from '../../../src/store.ts'
import { chaosStore } from '../../../src/testing/index.ts'
import { openCache, question, settle } from '../../support/chat.ts'
import { drive } from '../../support/drive.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { askThrough, type Got, StubProvider } from '../../support/provider-stub.ts'

const clocks: ManualClock[] = []
afterEach(() => {
  // I5 I8: nothing is left waiting.
  for (const clock of clocks.splice(0)) assert.equal(clock.timers, 0)
})

/** Some processes over one store, before one provider. */
function fleet(size: number, options: CacheOptions = {}, wrap: (store: Store, clock: ManualClock) => Store = (store) => store) {
  const clock = new ManualClock()
  clocks.push(clock)
  const provider = new StubProvider()
  const bare = memoryStore({ clock })
  const store = wrap(bare, clock)
  const processes = Array.from({ length: size }, () => {
    const opened = openCache({ ttl: '1m', sharedFlights: true, store, ...options, clock })
    const ask = (text?: string, call?: Parameters<typeof askThrough>[3]): Promise<Got> => askThrough(opened.cache, provider, text, call)
    return { ...opened, ask }
  })
  const [here, there] = processes
  assert(here !== undefined && there !== undefined)
  return { clock, provider, bare, store, processes, here, there }
}

/** The keys of leases that are held. */
async function leases(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys?.('') ?? []) if (key.includes(':lease:')) keys.push(key)
  return keys
}

describe('sharedFlights', () => {
  it('one process asks, and the other has its answer as soon as it is stored', async () => {
    const { clock, provider, bare, here, there } = fleet(2)
    provider.condition = 'slow'
    const asking = here.ask()
    await settle()
    const waiting = there.ask()
    await settle()
    clock.advance(5_000)
    await settle()
    expect(provider.asked).toHaveLength(1)
    expect(await leases(bare)).toHaveLength(1)
    provider.release()
    expect((await asking).text).toBe('Hi #1')
    const { result } = await drive(clock, waiting)
    expect(result.text).toBe('Hi #1')
    expect(result.info).toMatchObject({ hit: true, source: 'memory', stored: true })
    expect(provider.asked).toHaveLength(1)
    expect([here.cache.stats(), there.cache.stats()]).toMatchObject([
      { hits: 0, misses: 1 },
      { hits: 1, misses: 0 },
    ])
    await here.cache.flush()
    expect(await leases(bare)).toEqual([])
  })

  it('K01 a thousand callers in each of four processes are one call', async () => {
    const { clock, provider, processes } = fleet(4)
    provider.condition = 'slow'
    const all = Promise.all(processes.flatMap(({ ask }) => Array.from({ length: 1_000 }, () => ask())))
    await settle()
    provider.release()
    const { result } = await drive(clock, all)
    expect(new Set(result.map(({ text }) => text))).toEqual(new Set(['Hi #1']))
    expect(provider.asked).toHaveLength(1)
    const stats = processes.map(({ cache }) => cache.stats())
    expect(stats.reduce((sum, { misses }) => sum + misses, 0)).toBe(1)
    expect(stats.reduce((sum, { hits }) => sum + hits, 0)).toBe(3_999)
  })

  it('what was stored between the look-up and the turn is not asked for again', async () => {
    const held = Promise.withResolvers<void>()
    const { provider, here, there } = fleet(2, {}, (store) => {
      let leased = 0
      return {
        ...store,
        lease: async (key, token, options) => {
          leased++
          if (leased === 2) await held.promise
          return store.lease?.(key, token, options) ?? ''
        },
      }
    })
    provider.condition = 'slow'
    const asking = here.ask()
    await settle()
    const late = there.ask()
    await settle()
    provider.release()
    await asking
    await here.cache.flush()
    held.resolve()
    expect((await late).text).toBe('Hi #1')
    expect(provider.asked).toHaveLength(1)
  })

  it('is held for as long as the call takes, and found by those who come late', async () => {
    const { clock, provider, bare, here, there } = fleet(2, { leaseTtl: '9s' })
    provider.condition = 'slow'
    const asking = here.ask()
    await settle()
    const waiting = there.ask()
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000)
      await settle()
    }
    expect(provider.asked).toHaveLength(1)
    expect(await leases(bare)).toHaveLength(1)
    provider.release()
    const { result } = await drive(clock, Promise.all([asking, waiting]))
    expect(result.map(({ text }) => text)).toEqual(['Hi #1', 'Hi #1'])
  })

  it('ends when its holder is gone: the next one asks', async () => {
    const { clock, provider, there } = fleet(2, {}, abandoned)
    const waiting = there.ask()
    await settle()
    clock.advance(9_000)
    await settle()
    expect(provider.asked).toEqual([])
    const { result, took } = await drive(clock, waiting)
    expect(result.text).toBe('Hi #1')
    expect(took).toBeLessThanOrEqual(1_000 + 1_000)
  })

  it.each<[string, (provider: StubProvider) => void, RegExp]>([
    ['fails', (provider) => (provider.condition = 500), /^status 500$/],
    ['is not stored', (provider) => (provider.finish = 'length'), /^Hi #1$/],
    ['cannot be reached', (provider) => (provider.condition = 'unreachable'), /^fetch failed$/],
  ])('what %s is told to who asked, and the others ask at the same time, not one after the other', async (_, spoil, first) => {
    const { clock, provider, processes } = fleet(4)
    provider.condition = 'slow'
    const [asking, ...waiting] = processes.map(({ ask }) => ask())
    await settle()
    expect(provider.asked).toHaveLength(1)
    spoil(provider)
    provider.release()
    expect((await asking)?.text).toMatch(first)
    provider.condition = 'slow'
    provider.finish = 'stop'
    for (let time = 0; time < 200; time++) {
      clock.advance(10)
      await settle()
    }
    expect(provider.asked).toHaveLength(4)
    provider.condition = 'well'
    provider.release()
    const { result } = await drive(clock, Promise.all(waiting))
    expect(result.map(({ text }) => text).toSorted()).toEqual(['Hi #2', 'Hi #3', 'Hi #4'])
  })

  it('a caller that gives up while it waits leaves nothing behind', async () => {
    const { clock, provider, bare, here, there } = fleet(2)
    provider.condition = 'slow'
    const asking = here.ask()
    await settle()
    const controller = new AbortController()
    const waiting = cachingFetch(there.cache, provider.fetch)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test' },
      body: JSON.stringify(question('Hi').body),
      signal: controller.signal,
    })
    const failed = waiting.catch((error: unknown) => String(error))
    await settle()
    controller.abort(new Error('enough'))
    expect(await failed).toBe('Error: enough')
    await settle()
    provider.release()
    await asking
    await here.cache.flush()
    expect(await leases(bare)).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('a caller that gives up while it asks hands the lease on', async () => {
    const { clock, provider, here, there } = fleet(2)
    provider.condition = 'slow'
    const controller = new AbortController()
    const asking = cachingFetch(here.cache, provider.fetch)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test' },
      body: JSON.stringify(question('Hi').body),
      signal: controller.signal,
    })
    const failed = asking.catch((error: unknown) => String(error))
    await settle()
    const waiting = there.ask()
    await settle()
    controller.abort(new Error('enough'))
    expect(await failed).toBe('Error: enough')
    provider.condition = 'well'
    provider.release()
    expect((await drive(clock, waiting)).result.text).toBe('Hi #2')
  })

  it('calls that must go to the provider do not wait', async () => {
    const { provider, here, there } = fleet(2)
    provider.condition = 'slow'
    const asking = here.ask()
    await settle()
    const reloaded = there.ask('Hi', { mode: 'reload' })
    await settle()
    expect(provider.asked).toHaveLength(2)
    provider.release()
    expect((await Promise.all([asking, reloaded])).map(({ text }) => text)).toEqual(['Hi #1', 'Hi #2'])
    await Promise.all([here.cache.flush(), there.cache.flush()])
  })

  it('an old answer is refreshed by one process, and no other waits for that', async () => {
    const { clock, provider, processes } = fleet(3, { staleWhileRevalidate: '5m' })
    for (const { ask, cache } of processes) {
      await ask()
      await cache.flush()
    }
    expect(provider.asked).toHaveLength(1)
    clock.advance(61_000)
    provider.condition = 'slow'
    const stale = await Promise.all(processes.map(({ ask }) => ask()))
    await settle()
    expect(stale.map(({ text, info }) => [text, info?.stale])).toEqual(Array.from({ length: 3 }, () => ['Hi #1', true]))
    expect(provider.asked).toHaveLength(2)
    provider.release()
    await settle()
    await Promise.all(processes.map(({ cache }) => cache.flush()))
    clock.advance(1_001)
    expect((await Promise.all(processes.map(({ ask }) => ask()))).map(({ text }) => text)).toEqual(['Hi #2', 'Hi #2', 'Hi #2'])
    expect(processes.map(({ cache }) => cache.stats().errorKinds['refresh'] ?? 0)).toEqual([0, 0, 0])
  })

  it("values of the caller's own are made once", async () => {
    const { clock, bare, processes } = fleet(3)
    const gate = Promise.withResolvers<string>()
    let made = 0
    const make = (): Promise<string> => {
      made++
      return gate.promise
    }
    const all = Promise.all(processes.flatMap(({ cache }) => [cache.wrap('key', '1m', make), cache.wrap('key', '1m', make)]))
    await settle()
    expect(made).toBe(1)
    gate.resolve('value')
    expect((await drive(clock, all)).result).toEqual(Array.from({ length: 6 }, () => 'value'))
    expect(made).toBe(1)
    await Promise.all(processes.map(({ cache }) => cache.flush()))
    expect(await leases(bare)).toEqual([])
  })

  it('leases disturb no values: neither a key that looks like one, nor a pattern, meets them', async () => {
    const { clock, bare, here, there } = fleet(2)
    await here.cache.set('key:lease', 'a value')
    await here.cache.flush()
    const gate = Promise.withResolvers<string>()
    const made = here.cache.wrap('key', '1m', () => gate.promise)
    await settle()
    expect(await leases(bare)).toHaveLength(1)
    expect(await there.cache.get('key:lease')).toBe('a value')
    expect(await there.cache.delByPattern('*')).toBe(1)
    expect(await leases(bare)).toHaveLength(1)
    const waiting = there.cache.wrap('key', '1m', () => 'made twice')
    await settle()
    gate.resolve('value')
    expect([await made, (await drive(clock, waiting)).result]).toEqual(['value', 'value'])
    await here.cache.flush()
    expect(await leases(bare)).toEqual([])
  })

  it('a value that could not be made is made by the others', async () => {
    const { clock, here, there } = fleet(2)
    const gate = Promise.withResolvers<string>()
    const failing = here.cache.wrap('key', '1m', () => gate.promise)
    await settle()
    const waiting = there.cache.wrapSWR('key', '1m', '2m', () => 'made there')
    gate.reject(new Error('no'))
    await expect(failing).rejects.toThrow('no')
    expect((await drive(clock, waiting)).result).toBe('made there')
    await there.cache.flush()
  })

  it('I2 a process does not wait for a lease of its own that it could not give back', async () => {
    const { clock, provider, here } = fleet(2, {}, (store) => ({ ...store, release: () => Promise.reject(new Error('no')) }))
    provider.finish = 'length'
    await here.ask()
    await here.cache.flush()
    const { result, took } = await drive(clock, here.ask())
    expect([result.text, took]).toEqual(['Hi #2', 0])
  })

  it('flush gives the lease back, as a process that is frozen afterwards could not', async () => {
    const { bare, here } = fleet(2)
    await here.ask()
    await here.cache.flush()
    expect(await leases(bare)).toEqual([])
  })

  it.each(['throws', 'rejects', 'never settles', 'settles twice', 'tells late'] as const)(
    'I1 I2 K12 a store whose leases go wrong (%s) delays no call beyond the budget, and every call has an answer',
    async (kind) => {
      const { clock, provider, processes } = fleet(2, {}, (store, its) => {
        const chaos = chaosStore(store, { clock: its })
        chaos.will(kind, 'always', { on: ['lease'] })
        return chaos
      })
      for (let round = 0; round < 8; round++) {
        const { result, took } = await drive(clock, Promise.all(processes.map(({ ask }) => ask(`round ${round}`))))
        for (const { text } of result) expect(text).toMatch(new RegExp(`^round ${round} #`))
        expect(took).toBeLessThanOrEqual(kind === 'settles twice' ? 1_000 : 110)
      }
      expect(provider.asked.length).toBeGreaterThanOrEqual(8)
      await drive(clock, Promise.all(processes.map(({ cache }) => cache.flush())))
      clock.advance(20_000)
      await settle()
    },
  )

  it('I2 a store that does not answer is waited for once in a call, and not for its lease as well', async () => {
    const { clock, here } = fleet(2, {}, (store, its) => {
      const chaos = chaosStore(store, { clock: its })
      chaos.will('never settles', 'always', { on: ['get', 'lease'] })
      return chaos
    })
    const { result, took } = await drive(clock, here.ask())
    expect(result.text).toBe('Hi #1')
    expect(took).toBeLessThanOrEqual(110)
  })
})

/** A store in which a process took each lease and died. */
function abandoned(store: Store): Store {
  const seen = new Set<string>()
  return {
    ...store,
    lease(key, token, options) {
      if (!seen.has(key)) void store.lease?.(key, 'the dead one', { ttl: 10_000 })
      seen.add(key)
      return store.lease?.(key, token, options) ?? ''
    },
  }
}

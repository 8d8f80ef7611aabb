import { memoryStore } from '../../../src/stores/memory-store.ts'
import { describe, expect, it } from 'vitest'
import type { StoreWrite } from '../../../src/store.ts'
import { answer, ask, openCache, question, settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** Two caches over one store on one clock, as two processes have it. */
function twoNodes(options: Parameters<typeof openCache>[0] = {}) {
  const clock = new ManualClock()
  const store = new ScriptedStore()
  return { clock, store, here: openCache({ ...options, store, clock }), there: openCache({ ...options, store, clock }) }
}

describe('memory', () => {
  it('answers what was stored, without asking the store', async () => {
    const { store, here } = twoNodes()
    await here.cache.store(question(), answer('from memory'))
    await here.cache.flush()
    store.calls.length = 0
    const looked = await here.cache.lookup(question())
    expect(looked?.answer).toEqual(answer('from memory'))
    expect(looked?.info).toMatchObject({ hit: true, source: 'memory', age: 0, ttl: 3_600, stored: true, stale: false, savedTokens: 21 })
    expect(store.calls).toEqual([])
  })

  it('gives every caller an answer of its own', async () => {
    const { cache } = openCache()
    await cache.store(question(), answer('as it was'))
    const first = await cache.lookup(question())
    Object.assign(first?.answer ?? {}, { choices: 'changed' })
    expect(await ask(cache)).toBe('as it was')
  })

  it('can be none at all', async () => {
    const { store, here } = twoNodes({ maxMemoryBytes: 0 })
    await here.cache.store(question(), answer('in the store'))
    await here.cache.flush()
    const looked = await here.cache.lookup(question())
    expect(looked?.info.source).toBe('scripted')
    expect(here.cache.memory()).toMatchObject({ bytes: 0, entries: 0 })
    await ask(here.cache)
    expect(store.calls.filter((call) => call.includes(':v1:') && call.startsWith('get'))).toHaveLength(2)
  })

  it('I6 holds no more than it is allowed, and counts what it lets go', async () => {
    const { cache, told } = openCache({ maxMemoryBytes: 50_000 })
    for (let index = 0; index < 100; index++) await cache.store(question(`question ${index}`), answer('x'.repeat(500)))
    const { bytes, entries } = cache.memory()
    expect(bytes).toBeLessThanOrEqual(50_000)
    expect(entries).toBeGreaterThan(5)
    expect(cache.stats().evictions).toBe(100 - entries)
    expect(told.events.filter(({ name }) => name === 'evict')).toHaveLength(100 - entries)
  })

  it('T10 of one scope is not pushed out by the flood of another', async () => {
    const { cache } = openCache({ maxMemoryBytes: 200_000 })
    for (let index = 0; index < 10; index++) await cache.store(question(`mine ${index}`, { scope: 'quiet' }), answer())
    for (let index = 0; index < 2_000; index++) await cache.store(question(`flood ${index}`, { scope: 'loud' }), answer())
    for (let index = 0; index < 10; index++) expect(await ask(cache, question(`mine ${index}`, { scope: 'quiet' }))).toBe('42')
  })
})

describe('the store behind memory', () => {
  it('answers what another process stored, and what it answers goes into memory for the time that remains', async () => {
    const { clock, store, here, there } = twoNodes({ ttl: '10m', maxMemoryTtl: '10m' })
    await there.cache.store(question(), answer('from there'))
    await there.cache.flush()
    clock.advance(4 * 60_000)
    const first = await here.cache.lookup(question())
    expect(first?.answer).toEqual(answer('from there'))
    expect(first?.info).toMatchObject({ source: 'scripted', age: 240, ttl: 360 })
    for (const key of store.entryKeys()) store.map.delete(key)
    clock.advance(60_000)
    const second = await here.cache.lookup(question())
    expect(second?.info).toMatchObject({ source: 'memory', age: 300, ttl: 300 })
    clock.advance(300_000 - 1)
    expect(await ask(here.cache)).toBe('from there')
    clock.advance(1)
    expect(await ask(here.cache)).toBeUndefined()
  })

  it('is given the entry with its whole life, stale time included', async () => {
    const clock = new ManualClock()
    const ttls: number[] = []
    const setMany = (writes: readonly StoreWrite[]) => void ttls.push(...writes.map(({ ttl }) => ttl))
    const { cache } = openCache({ clock, store: { ...memoryStore({ clock }), setMany }, stale: '5m' })
    await cache.store(question('a', { ttl: '1m' }), answer())
    await cache.flush()
    expect(ttls).toEqual([6 * 60_000])
  })

  it('is given what is left of an entry that had to wait, and the shortest time when that is over', async () => {
    const clock = new ManualClock()
    const ttls: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const setMany = (writes: readonly StoreWrite[]) => {
      ttls.push(...writes.map(({ ttl }) => ttl))
      return promise
    }
    const { cache } = openCache({ clock, store: { ...memoryStore({ clock }), setMany } })
    await cache.store(question('first', { ttl: '1m' }), answer())
    await settle()
    await cache.store(question('waits', { ttl: '1m' }), answer())
    await cache.store(question('waits too long', { ttl: '2s' }), answer())
    clock.advance(5_000)
    resolve()
    await cache.flush()
    expect(ttls).toEqual([60_000, 55_000, 1])
  })

  it('is read once for all calls at the same time', async () => {
    const { store, here, there } = twoNodes()
    await there.cache.store(question(), answer('shared'))
    await there.cache.flush()
    store.calls.length = 0
    store.reads = 'held'
    const asking = Array.from({ length: 1_000 }, () => ask(here.cache))
    await settle()
    const entries = store.calls.filter((call) => call.includes(':v1:'))
    store.release()
    expect(new Set(await Promise.all(asking))).toEqual(new Set(['shared']))
    expect(entries).toHaveLength(1)
  })

  it('serves stale answers only to calls that accept them', async () => {
    const { clock, here } = twoNodes({ ttl: '1m', stale: '1h' })
    await here.cache.store(question(), answer('old'))
    await here.cache.flush()
    clock.advance(60_000)
    expect(await ask(here.cache)).toBeUndefined()
    const looked = await here.cache.lookup(question('What is the answer?', { mode: 'force-cache' }))
    expect(looked?.info).toMatchObject({ stale: true, ttl: 0, age: 60, source: 'memory' })
    clock.advance(3_600_000)
    expect(await ask(here.cache, question('What is the answer?', { mode: 'force-cache' }))).toBeUndefined()
  })

  it('does not bring back what was removed while it was read', async () => {
    const { store, here } = twoNodes()
    await here.cache.set('key', 'value')
    await here.cache.flush()
    const other = openCache({ store, clock: here.clock })
    store.reads = 'held'
    const before = other.cache.get('key')
    await settle()
    const removed = other.cache.del('key')
    await settle()
    const between = other.cache.get('key')
    await settle()
    store.release()
    await settle()
    store.release()
    await Promise.all([before, removed, between])
    store.reads = 'works'
    expect(await other.cache.get('key')).toBeUndefined()
    expect(other.cache.memory().entries).toBe(0)
  })

  it('does not put an older answer in the place of one that was stored while it was read', async () => {
    const { store, here, there } = twoNodes()
    await there.cache.store(question(), answer('older'))
    await there.cache.flush()
    await ask(here.cache, question('another, so that here knows what was invalidated'))
    store.reads = 'held'
    const looking = ask(here.cache)
    await settle()
    await here.cache.store(question(), answer('newer'))
    store.release()
    await looking
    store.reads = 'works'
    expect(await ask(here.cache)).toBe('newer')
  })

  it('I1 is nothing but a miss, whatever it does', async () => {
    for (const reads of ['throws', 'rejects', 'garbage'] as const) {
      const { store, here } = twoNodes()
      store.reads = reads
      for (let time = 0; time < 10; time++) expect(await ask(here.cache, question(`question ${time}`))).toBeUndefined()
      await here.cache.store(question(), answer())
      expect(await ask(here.cache)).toBe('42')
    }
  })
})

describe('an entry in the store', () => {
  it('is compressed above the threshold, and as it is below', async () => {
    const text = 'na '.repeat(2_000)
    const sizes: number[] = []
    for (const compressAbove of [1_024, Infinity]) {
      const { store, here, there } = twoNodes({ compressAbove })
      await here.cache.store(question(), answer(text))
      await here.cache.flush()
      const [bytes] = [...store.map].filter(([key]) => key.includes(':v1:')).map(([, value]) => value)
      sizes.push(bytes?.length ?? 0)
      expect(Buffer.from(bytes ?? []).includes(text)).toBe(compressAbove === Infinity)
      expect(await ask(there.cache)).toBe(text)
    }
    expect(sizes[0]).toBeLessThan(2_000)
    expect(sizes[1]).toBeGreaterThan(text.length)
  })

  it('is sealed where encryption is asked for, and opened by who has the key', async () => {
    const keys = { old: new Uint8Array(32).fill(1), new: new Uint8Array(32).fill(2) }
    const { store, here } = twoNodes({ encryption: { keys: { old: keys.old }, current: 'old' }, compressAbove: Infinity })
    await here.cache.store(question('secret question', { scope: 'secret tenant', tags: ['secret tag'] }), answer('secret answer'))
    await here.cache.flush()
    for (const [key, bytes] of store.map) expect(`${key} ${Buffer.from(bytes).toString('latin1')}`).not.toMatch(/secret|"42"|gpt/)
    const asked = question('secret question', { scope: 'secret tenant' })
    const reader = (encryption?: { keys: Record<string, Uint8Array>; current: string }) =>
      openCache({ store, ...(encryption && { encryption }) })
    expect(await ask(reader({ keys, current: 'new' }).cache, asked)).toBe('secret answer')
    const without = reader()
    expect(await ask(without.cache, asked)).toBeUndefined()
    expect(without.errors()).toEqual(['entry'])
    const other = reader({ keys: { old: new Uint8Array(32).fill(9) }, current: 'old' })
    expect(await ask(other.cache, asked)).toBeUndefined()
    expect(other.errors()).toEqual(['entry'])
  })

  it('B12 that is not encrypted is not believed where encryption is asked for', async () => {
    const { store, here } = twoNodes()
    await here.cache.store(question(), answer('planted'))
    await here.cache.flush()
    const careful = openCache({ store, encryption: { keys: { k: new Uint8Array(32) }, current: 'k' } })
    expect(await ask(careful.cache)).toBeUndefined()
    expect(careful.errors()).toEqual(['entry'])
  })
})

describe('namespaces and scopes', () => {
  it('keep answers apart in one store, however their names are put together', async () => {
    const store = memoryStore()
    const names = [
      ['', ''],
      ['', 'b'],
      ['a', ''],
      ['a', 'b'],
      ['a:b', ''],
      ['', 'a:b'],
      ['a:', 'b'],
      ['a%3Ab', ''],
      ['a\0', ''],
      ['__proto__', 'constructor'],
    ] as const
    const open = (namespace: string, scope: string) => openCache({ store, namespace, scope }).cache
    for (const [index, [namespace, scope]] of names.entries()) {
      const cache = open(namespace, scope)
      await cache.store(question(), answer(`answer ${index}`))
      await cache.set('key', `value ${index}`)
      await cache.flush()
    }
    for (const [index, [namespace, scope]] of names.entries()) {
      const cache = open(namespace, scope)
      expect([await ask(cache), await cache.get('key')]).toEqual([`answer ${index}`, `value ${index}`])
    }
  })

  it('T07 the scope of a call replaces that of the cache', async () => {
    const { cache } = openCache({ scope: 'own' })
    await cache.store(question('a', { scope: 'other' }), answer())
    expect(await ask(cache, question('a'))).toBeUndefined()
    expect(await ask(cache, question('a', { scope: 'own' }))).toBeUndefined()
    expect(await ask(cache, question('a', { scope: 'other' }))).toBe('42')
  })
})

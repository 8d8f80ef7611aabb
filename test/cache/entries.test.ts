import { describe, expect, it } from 'vitest'
import { InvalidOptionError, StoreError } from '../../src/errors.ts'
import type { Cache, CacheEntry, EntryFilter } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import type { Store } from '../../src/store.ts'
import { answer, openCache, question } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const stores: Readonly<Record<string, () => Store | undefined>> = {
  'memory alone': () => undefined,
  'a store in memory': () => memoryStore(),
  SQLite: () => sqliteStore(':memory:'),
}

async function all(cache: Cache, filter?: EntryFilter): Promise<CacheEntry[]> {
  return Array.fromAsync(cache.entries(filter))
}

const keysOf = (entries: readonly CacheEntry[]): string[] => entries.map(({ key }) => key).toSorted()

describe.each(Object.entries(stores))('the entries of a cache over %s', (_, makeStore) => {
  const open = (options: CacheOptions = {}) => {
    const store = makeStore()
    return openCache({ ...(store && { store }), scope: 'tenant', ...options })
  }

  it('are told with all that is known of them but their bodies, which are read when they are asked for', async () => {
    const { cache, clock } = open({ ttl: '1h' })
    const { key } = await cache.store(question('secret', { operation: 'qa', tags: ['doc:42'] }), answer('quiet'))
    await cache.set('colour', 'red', '10m')
    await cache.flush()
    clock.advance(90_500)
    const [first, second] = await all(cache)
    const body = JSON.stringify(answer('quiet'))
    const times = { storedAt: clock.now() - 90_500, age: 90 }
    expect(first).toEqual({
      ...times,
      key,
      scope: 'tenant',
      provider: 'openai',
      endpoint: 'chat.completions',
      operation: 'qa',
      model: 'gpt-5-mini-2025-08-07',
      kind: 'json',
      tags: ['doc:42'],
      ttl: 3_510,
      bytes: body.length,
      usage: { input: 9, output: 12 },
      latency: 0,
      source: 'memory',
    })
    expect(second).toMatchObject({ ...times, key: 'colour', operation: 'value', provider: '', ttl: 510, bytes: 5 })
    expect(await first?.body()).toBe(body)
    expect(JSON.stringify(first)).not.toMatch(/secret|quiet/)
  })

  it('are those that match each filter', async () => {
    const { cache, clock } = open()
    const { key: old } = await cache.store(question('a', { operation: 'qa', tags: ['x', 'y'] }), answer())
    clock.advance(60_000)
    const { key: other } = await cache.store(question('b', { scope: 'other', tags: ['y'] }), { ...answer(), model: 'gpt-other' })
    await cache.set('c', 1)
    const cases: [EntryFilter, string[]][] = [
      [{}, [old, other, 'c']],
      [{ operation: 'qa' }, [old]],
      [{ operation: 'value' }, ['c']],
      [{ model: 'gpt-other' }, [other]],
      [{ scope: 'tenant' }, [old, 'c']],
      [{ key: old }, [old]],
      [{ key: other, scope: 'tenant' }, []],
      [{ key: 'c' }, []],
      [{ key: old.toUpperCase() }, []],
      [{ tag: 'y' }, [old, other]],
      [{ tag: 'y', scope: 'other' }, [other]],
      [{ olderThan: '1m' }, [old]],
      [{ youngerThan: '1m' }, [other, 'c']],
      [{ tag: 'x', model: 'gpt-other' }, []],
    ]
    for (const [filter, expected] of cases) expect([filter, keysOf(await all(cache, filter))]).toEqual([filter, expected.toSorted()])
  })

  it('are none that could not be served: removed, invalidated or past their time', async () => {
    const { cache, clock } = open({ ttl: '1m' })
    await cache.store(question('a', { tags: ['x'] }), answer())
    const { key } = await cache.store(question('b'), answer())
    await cache.set('c', 1)
    await cache.set('d', 1, '2m')
    await cache.del('c')
    await cache.invalidate({ tags: ['x'] })
    await cache.flush()
    expect(keysOf(await all(cache))).toEqual([key, 'd'].toSorted())
    clock.advance(60_000)
    expect(keysOf(await all(cache))).toEqual(['d'])
  })

  it('tell their TTL by their keys', async () => {
    const { cache, clock } = open({ ttl: '1m', staleIfError: '1h' })
    const { key } = await cache.store(question(), answer())
    await cache.set('mine', 1, '30s')
    await cache.set('f'.repeat(64), 1, '10s')
    clock.advance(5_000)
    const ask = async () => Promise.all([key, 'mine', 'f'.repeat(64), 'none', '0'.repeat(64)].map((each) => cache.ttl(each)))
    expect(await ask()).toEqual([55, 25, 5, undefined, undefined])
    await cache.invalidate({ scope: 'tenant' })
    expect(await ask()).toEqual([undefined, undefined, undefined, undefined, undefined])
    await cache.set('mine', 1, '30s')
    clock.advance(31_000)
    expect(await cache.ttl('mine')).toBeUndefined()
  })

  it('tell 0 for an answer that is only good enough to be served stale', async () => {
    const { cache, clock } = open({ ttl: '1m', staleIfError: '1h' })
    const { key } = await cache.store(question(), answer())
    clock.advance(61_000)
    expect(await cache.ttl(key)).toBe(0)
    expect(await all(cache)).toMatchObject([{ key, ttl: 0, age: 61 }])
  })
})

describe('the entries of a store', () => {
  it('of many entries are read page by page, and only as far as they are asked for', async () => {
    const store = memoryStore()
    const writer = openCache({ store }).cache
    for (let number = 0; number < 1_000; number++) await writer.set(`key:${number}`, number)
    await writer.flush()
    let listed = 0
    const keys = async function* (prefix: string) {
      for await (const key of store.keys?.(prefix) ?? []) {
        listed++
        yield key
      }
    }
    const { cache } = openCache({ store: { ...store, keys } })
    for await (const { source } of cache.entries()) {
      expect(source).toBe('memory')
      break
    }
    expect(listed).toBeGreaterThan(0)
    expect(listed).toBeLessThanOrEqual(200)
    expect(await all(cache)).toHaveLength(1_000)
  })

  it('of another process are told with the name of the store, and not twice when memory has them too', async () => {
    const store = memoryStore()
    const clock = new ManualClock()
    const first = openCache({ store, clock, scope: 's' })
    const second = openCache({ store: { ...store, name: 'shared' }, clock, scope: 's' })
    const { key } = await first.cache.store(question('a'), answer())
    await first.cache.store(question('b'), answer())
    await first.cache.flush()
    await second.cache.lookup(question('a'))
    const told = await all(second.cache)
    expect(told.map(({ source }) => source).toSorted()).toEqual(['memory', 'shared'])
    expect(told.find(({ source }) => source === 'memory')?.key).toBe(key)
    expect(await told.find(({ source }) => source === 'shared')?.body()).toBe(JSON.stringify(answer()))
  })

  it('leave out what is damaged, belongs to another program, or lies under a key of another entry', async () => {
    const store = memoryStore()
    const { cache } = openCache({ store, namespace: 'n', maxMemoryBytes: 0 })
    const { key } = await cache.store(question(), answer())
    await cache.flush()
    const entry = (await store.get(`llmemo/n:v1:${key}`)) ?? new Uint8Array()
    const damaged = entry.map((byte, index) => (index === 30 ? byte ^ 1 : byte))
    for (const [name, value] of Object.entries({ a: damaged, b: new Uint8Array(9), ['0'.repeat(64)]: entry }))
      await store.set(`llmemo/n:v1:${name}`, value, { ttl: 60_000 })
    expect(keysOf(await all(cache))).toEqual([key])
  })

  it('of an encrypted cache are told to who has the key only', async () => {
    const store = memoryStore()
    const encryption = { current: 'k', keys: { k: '0123456789abcdef'.repeat(4) } }
    const { cache } = openCache({ store, encryption, scope: 's' })
    const { key } = await cache.store(question(), answer())
    await cache.flush()
    expect(keysOf(await all(openCache({ store, encryption, scope: 's' }).cache))).toEqual([key])
    expect(await all(openCache({ store, scope: 's' }).cache)).toEqual([])
  })

  it('are an error where the store cannot list its keys, or fails to', async () => {
    const bare: Store = { name: 'own', get: () => undefined, set: () => {}, delete: () => {} }
    await expect(all(openCache({ store: bare }).cache)).rejects.toThrow(/"own" cannot list its keys/)
    const failing: Store = {
      ...bare,
      keys() {
        throw new Error('no')
      },
    }
    await expect(all(openCache({ store: failing }).cache)).rejects.toThrow(StoreError)
  })

  it('refuse a filter that is none, at once', () => {
    const { cache } = openCache()
    const wrong: object[] = [{ tags: ['x'] }, { operation: 7 }, { olderThan: 'soon' }, { scope: null }]
    for (const filter of wrong) expect(() => cache.entries(filter)).toThrow(InvalidOptionError)
  })
})

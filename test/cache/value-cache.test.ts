import { memoryStore } from '../../src/stores/memory-store.ts'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCacheKey } from '../../src/cache/value-key.ts'
import { InvalidOptionError, NotKeyableError, StoreError } from '../../src/errors.ts'
import type { Store } from '../../src/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { openCache, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-aside-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An origin that is down. */
function fails(): never {
  expect.unreachable('the origin is down')
}

function made(): string {
  return 'made'
}

/** What JavaScript can pass where a text is wanted. */
function text(value: unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as string
}

let files = 0
const stores: [string, (clock: ManualClock) => Store | undefined][] = [
  ['memory alone', () => undefined],
  ['a store in memory', (clock) => memoryStore({ clock })],
  ['an SQLite file', (clock) => sqliteStore(join(folder, `${files++}.db`), { clock })],
]

/** The same cache with its memory, and without, so that everything comes out of the store. */
const memories: [string, number][] = [
  ['', 2 ** 20],
  [', without hot memory', 0],
]

for (const [name, make] of stores) {
  for (const [how, maxMemoryBytes] of memories) {
    const open = () => {
      const clock = new ManualClock()
      const store = make(clock)
      return openCache({ clock, ...(store && { store }), maxMemoryBytes: store === undefined ? 2 ** 20 : maxMemoryBytes })
    }

    describe(`values over ${name}${how}`, () => {
      it('are there until they are removed', async () => {
        const { cache } = open()
        expect([await cache.get('user:1'), await cache.has('user:1')]).toEqual([undefined, false])
        await cache.set('user:1', { name: 'Ada', tags: [1, null, 'x'] })
        await cache.flush()
        expect([await cache.get('user:1'), await cache.has('user:1')]).toEqual([{ name: 'Ada', tags: [1, null, 'x'] }, true])
        expect(await cache.del('user:1')).toBe(true)
        expect(await cache.del('user:1')).toBe(true)
        expect([await cache.get('user:1'), await cache.has('user:1')]).toEqual([undefined, false])
        await cache.close()
      })

      it('leave nothing older behind when they are too large to be kept', async () => {
        const { cache } = open()
        expect(await cache.set('key', 'old')).toBe(true)
        await cache.flush()
        expect(await cache.set('key', 'v'.repeat(8 * 2 ** 20))).toBe(false)
        expect(await cache.get('key')).toBeUndefined()
        await cache.flush()
        expect(await cache.get('key')).toBeUndefined()
        await cache.close()
      })

      it('may be anything that JSON can hold, null included', async () => {
        const { cache } = open()
        for (const value of [null, false, 0, '', [], {}, 'text', 1.5, [[]]]) {
          await cache.set('key', value)
          await cache.flush()
          expect([await cache.get('key'), await cache.has('key')]).toEqual([value, true])
        }
        await cache.close()
      })

      it('C03 end with their TTL: their own, that of the operation "value", or the default one', async () => {
        const { cache, clock } = open()
        await cache.set('key', 'value', '10s')
        await cache.flush()
        clock.advance(9_999)
        expect(await cache.get('key')).toBe('value')
        clock.advance(1)
        expect([await cache.get('key'), await cache.has('key')]).toEqual([undefined, false])
        await cache.set('key', 'value')
        await cache.flush()
        clock.advance(3_599_999)
        expect(await cache.has('key')).toBe(true)
        clock.advance(1)
        expect(await cache.has('key')).toBe(false)
        await cache.close()
      })

      it('are removed by a pattern, and counted', async () => {
        const { cache } = open()
        for (const key of ['user:1', 'user:2', 'user:10', 'team:1', 'user*', 'a user:1']) await cache.set(key, key)
        expect(await cache.delByPattern('user:?')).toBe(2)
        expect(await cache.delByPattern('user\\*')).toBe(1)
        expect(await cache.delByPattern('unknown:*')).toBe(0)
        await cache.flush()
        expect(await Promise.all(['user:1', 'user:2', 'user:10', 'team:1', 'user*', 'a user:1'].map((key) => cache.has(key)))).toEqual([
          false,
          false,
          true,
          true,
          false,
          true,
        ])
        expect(await cache.delByPattern('*')).toBe(3)
        await cache.close()
      })

      it('are cleared all at once, and can be set again', async () => {
        const { cache } = open()
        await cache.set('key', 'old')
        await cache.clear()
        expect(await cache.get('key')).toBeUndefined()
        await cache.set('key', 'new')
        await cache.flush()
        expect(await cache.get('key')).toBe('new')
        await cache.close()
      })

      it('have any text for a key', async () => {
        const { cache } = open()
        const keys = ['', ' ', ':', '__proto__', 'a:b', 'a%3Ab', 'naïve', 'nai\u0308ve', '👩‍👩‍👧', 'a\0b', '*', 'k'.repeat(5_000)]
        for (const key of keys) await cache.set(key, `value of ${key}`)
        await cache.flush()
        for (const key of keys) expect(await cache.get(key)).toBe(`value of ${key}`)
        await cache.close()
      })

      it('are made once for all calls, and then are there', async () => {
        const { cache, clock } = open()
        let made = 0
        const ask = () => cache.wrap('key', '1m', async () => ({ number: ++made }))
        const all = await Promise.all(Array.from({ length: 100 }, ask))
        expect(all.every((each) => each.number === 1)).toBe(true)
        expect(new Set(all).size).toBe(100)
        await cache.flush()
        expect(await ask()).toEqual({ number: 1 })
        clock.advance(60_000)
        expect(await ask()).toEqual({ number: 2 })
        expect(clock.timers).toBe(0)
        await cache.close()
      })

      it('K10 are served old while a new one is made, and stay until the end when that fails', async () => {
        const { cache, clock, told } = open()
        const ask = (make: () => string) => cache.wrapSWR('key', '1m', '10m', make)
        expect(await ask(() => 'first')).toBe('first')
        await cache.flush()
        clock.advance(60_000)
        expect(await ask(fails)).toBe('first')
        await settle()
        expect(told.lines).toHaveLength(1)
        // For a while, an outage is not met by a call for each read.
        for (let time = 0; time < 20; time++) expect(await ask(fails)).toBe('first')
        await settle()
        expect(cache.stats().errorKinds).toEqual({ hook: 1 })
        clock.advance(10_000)
        expect(await ask(() => 'second')).toBe('first')
        await settle()
        await cache.flush()
        expect(await ask(fails)).toBe('second')
        clock.advance(600_000)
        await expect(ask(fails)).rejects.toThrow('the origin is down')
        expect(await ask(() => 'third')).toBe('third')
        await cache.close()
      })
    })
  }
}

describe('wrap', () => {
  it('K02 fails for all who wait when making fails, and tries again for the next', async () => {
    const { cache, clock } = openCache()
    const oops = new Error('oops')
    let calls = 0
    const ask = () =>
      cache.wrap('key', undefined, async () => {
        if (++calls === 1) throw oops
        return 'made'
      })
    const results = await Promise.allSettled(Array.from({ length: 50 }, ask))
    expect(results.every((result) => result.status === 'rejected' && result.reason === oops)).toBe(true)
    expect(calls).toBe(1)
    expect(await ask()).toBe('made')
    expect(clock.timers).toBe(0)
  })

  it('K03 takes a function that throws at once, or returns at once', async () => {
    const { cache } = openCache()
    await expect(cache.wrap('key', undefined, () => expect.unreachable('at once'))).rejects.toThrow('at once')
    expect(await cache.wrap('key', undefined, () => 'value')).toBe('value')
  })

  it('K09 does not keep what was made while it was cleared', async () => {
    const { cache } = openCache()
    const { promise, resolve } = Promise.withResolvers<string>()
    const asked = cache.wrap('key', undefined, () => promise)
    await settle()
    await cache.clear()
    resolve('old')
    expect(await asked).toBe('old')
    expect(await cache.get('key')).toBeUndefined()
  })

  it('K11 can be asked for the same key from within', async () => {
    const { cache } = openCache()
    expect(await cache.wrap('key', undefined, () => cache.wrap('key', undefined, () => 'inner'))).toBe('inner')
  })

  it('T05 I1 hands out what JSON cannot hold as it is, and does not keep it', async () => {
    const { cache } = openCache()
    const map = new Map([['a', 1]])
    for (const value of [map, undefined, 5n, Number.NaN]) {
      expect(await cache.wrap<unknown>('key', undefined, () => value)).toBe(value)
      expect(await cache.has('key')).toBe(false)
    }
    expect(cache.stats().skipped).toEqual({ 'not JSON': 4 })
  })

  it('gives each caller a copy of its own, also the first', async () => {
    const { cache } = openCache()
    const made = { list: [1] }
    const first = await cache.wrap('key', undefined, () => made)
    first.list.push(2)
    expect(await cache.get('key')).toEqual({ list: [1] })
    expect(made).toEqual({ list: [1] })
  })
})

describe('values and faults', () => {
  it('P07 does not keep what is larger than an entry may be', async () => {
    const store = new ScriptedStore()
    const { cache, errors } = openCache({ store, maxEntryBytes: 1_000 })
    await cache.set('key', 'x'.repeat(1_000))
    expect(await cache.wrap('other', undefined, () => 'x'.repeat(1_000))).toHaveLength(1_000)
    await cache.flush()
    expect([await cache.has('key'), await cache.has('other'), store.entryKeys()]).toEqual([false, false, []])
    expect(cache.stats().skipped).toEqual({ 'too large': 2 })
    expect(errors()).toEqual([])
  })

  it('B11 what another program put there is a miss, never an error', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store, maxMemoryBytes: 0 })
    await cache.set('key', 'value')
    await cache.flush()
    const [place = ''] = store.entryKeys()
    for (const bytes of [new Uint8Array(0), Buffer.from('"a"'), store.map.get(place)?.subarray(1) ?? new Uint8Array()]) {
      store.map.set(place, bytes)
      expect([await cache.get('key'), await cache.has('key')]).toEqual([undefined, false])
      expect(await cache.wrap('key', undefined, () => 'made')).toBe('made')
    }
  })

  it('I1 a store that fails is a miss, and says so where that matters', async () => {
    for (const manner of ['throws', 'rejects'] as const) {
      const store = new ScriptedStore()
      const { cache } = openCache({ store, maxMemoryBytes: 0 })
      Object.assign(store, { reads: manner, writes: manner, deletes: manner })
      await cache.set('key', 'value')
      await cache.flush()
      expect([await cache.get('key'), await cache.has('key'), await cache.del('key')]).toEqual([undefined, false, false])
      expect(await cache.wrap('key', undefined, () => 'made')).toBe('made')
      expect(await cache.wrapSWR('key', 1, 2, () => 'made')).toBe('made')
    }
  })

  it('is kept by a process that starts after everything was cleared, which it did not know of', async () => {
    const store = new ScriptedStore()
    await openCache({ store }).cache.clear()
    const { cache } = openCache({ store })
    await cache.set('key', 'value')
    expect(await cache.get('key')).toBe('value')
  })

  it('patterns need a store that lists its keys', async () => {
    const { cache } = openCache({ store: { name: 'own', get: () => undefined, set: () => {}, delete: () => {} } })
    await expect(cache.delByPattern('*')).rejects.toThrow(StoreError)
    await expect(cache.invalidate({ pattern: '*' })).rejects.toThrow(StoreError)
  })
})

describe('values that are removed by a pattern', () => {
  it.each<[string, (cache: ReturnType<typeof openCache>['cache']) => Promise<unknown>, unknown]>([
    ['delByPattern', (cache) => cache.delByPattern('user:*'), 1],
    ['invalidate', (cache) => cache.invalidate({ pattern: 'user:*' }), true],
  ])('G19 are gone in the memory of every process, no later than an invalidation: %s', async (_, remove, result) => {
    const clock = new ManualClock()
    const store = memoryStore()
    const [here, there] = [openCache({ store, clock }).cache, openCache({ store, clock }).cache]
    await here.set('user:1', 'old')
    await here.set('other', 'stays')
    await here.flush()
    expect([await there.get('user:1'), await there.get('other')]).toEqual(['old', 'stays'])
    expect(await remove(here)).toBe(result)
    clock.advance(1_001)
    expect([await there.get('user:1'), await there.get('other')]).toEqual([undefined, 'stays'])
  })

  it('G19 invalidate says so if the store did not remove them', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    await cache.set('user:1', 'old')
    await cache.flush()
    store.deletes = 'rejects'
    expect(await cache.invalidate({ pattern: 'user:*' })).toBe(false)
  })
})

describe('input that cannot be', () => {
  it('is refused by name', async () => {
    const { cache } = openCache()
    const refused: [() => Promise<unknown>, string][] = [
      [() => cache.get(text(1)), '"key" is 1'],
      [() => cache.get('a\ud800'), '"key"'],
      [() => cache.has(text(undefined)), '"key"'],
      [() => cache.set(text(null), 1), '"key"'],
      [async () => cache.del(text({})), '"key"'],
      [() => cache.set('key', 1, 0), '"ttl" is 0'],
      // @ts-expect-error: G31 no duration
      [() => cache.set('key', 1, 'soon'), '"ttl" is a string of 4 characters'],
      [() => cache.set('key', 1, '400d'), '"ttl"'],
      [() => cache.wrap('key', -1, made), '"ttl" is -1'],
      [() => cache.wrapSWR('key', 0, 10, made), '"staleTtl" is 0'],
      // @ts-expect-error: G31 no duration
      [() => cache.wrapSWR('key', 10, 'x', made), '"maxTtl"'],
      [() => cache.wrapSWR('key', 10, 9, made), '"maxTtl" is 9; allowed is at least staleTtl'],
      [() => cache.delByPattern(''), '"pattern" is an empty string'],
      [() => cache.delByPattern(text(5)), '"pattern" is 5'],
    ]
    for (const [call, message] of refused) {
      const done = call()
      await expect(done).rejects.toThrow(InvalidOptionError)
      await expect(done).rejects.toThrow(message)
    }
    await expect(cache.set('key', new Map())).rejects.toThrow(NotKeyableError)
    await expect(cache.set('key', undefined)).rejects.toThrow(NotKeyableError)
    expect(cache.memory().entries).toBe(0)
  })
})

describe('createCacheKey', () => {
  it('makes keys of the type of their values', async () => {
    const userKey = createCacheKey<{ name: string }>('user', (id: string) => id)
    const pair = createCacheKey<number, [number, number]>('sum', (a, b) => `${a}+${b}`)
    expect([userKey('1'), pair(1, 2)]).toEqual(['user:1', 'sum:1+2'])
    const { cache } = openCache()
    await cache.set(userKey('1'), { name: 'Ada' })
    const user = await cache.get(userKey('1'))
    const name: string | undefined = user?.name
    expect(name).toBe('Ada')
  })

  it('refuses a name or a function that is none', () => {
    for (const name of ['', 1, undefined]) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      expect(() => createCacheKey(name as string, String)).toThrow('"name"')
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => createCacheKey('user', 'id' as unknown as () => string)).toThrow('"key"')
  })
})

describe('values as a whole', () => {
  it('behave as a map with ends, under any sequence of calls', async () => {
    const key = fc.constantFrom('a', 'b', 'a:b')
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key, value: fc.nat(9), ttl: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('del' as const), key }),
      fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant('flush' as const) }),
      fc.record({ do: fc.constant('clear' as const) }),
      fc.record({ do: fc.constant('forget' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = new ManualClock()
        const store = memoryStore({ clock })
        let { cache } = openCache({ clock, store })
        const model = new Map<string, { value: number; until: number }>()
        for (const each of steps) {
          if (each.do === 'set') {
            await cache.set(each.key, each.value, each.ttl)
            model.set(each.key, { value: each.value, until: clock.now() + each.ttl * 1_000 })
          } else if (each.do === 'del') {
            await cache.del(each.key)
            model.delete(each.key)
          } else if (each.do === 'clear') {
            await cache.clear()
            model.clear()
          } else if (each.do === 'wait') clock.advance(each.seconds * 1_000)
          else if (each.do === 'flush') await cache.flush()
          else {
            // Another process takes over.
            await cache.flush()
            ;({ cache } = openCache({ clock, store }))
          }
          for (const name of ['a', 'b', 'a:b']) {
            const held = model.get(name)
            expect(await cache.get(name)).toBe(held !== undefined && held.until > clock.now() ? held.value : undefined)
          }
        }
        expect(clock.timers).toBe(0)
      }),
    )
  })
})

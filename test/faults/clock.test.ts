import { memoryStore } from '../../src/stores/memory-store.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { createCache } from '../../src/cache/cache.ts'
import type { Store } from '../../src/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, ask, callerOf, openCache, question, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-clock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The clock of a machine whose wall clock goes wrong by so much. */
function skewed(clock: ManualClock, by: number): Clock {
  return { now: () => clock.now() + by, monotonic: () => clock.monotonic(), after: (time, callback) => clock.after(time, callback) }
}

describe('C01 a wall clock that jumps', () => {
  it.each([-10 * 365 * day, -hour, -5 * minute, 500])('by %d ms leaves what is in memory the age that it has', async (jump) => {
    const { cache, clock } = openCache({ ttl: '10m' })
    await cache.store(question(), answer())
    clock.advance(minute)
    clock.jump(jump)
    expect((await cache.lookup(question()))?.info).toMatchObject({ age: 60, ttl: 540, source: 'memory' })
    clock.advance(9 * minute - 1)
    expect(await ask(cache)).toBe('42')
    clock.advance(1)
    expect(await ask(cache)).toBeUndefined()
  })

  it('back beyond what clocks may disagree makes a stored answer one from the future, which is not believed', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, maxMemoryBytes: 0, ttl: '1d' })
    await cache.store(question(), answer())
    await cache.flush()
    clock.jump(-5 * minute)
    expect((await cache.lookup(question()))?.info).toMatchObject({ age: 0, ttl: 86_400 })
    clock.jump(-1)
    expect(await ask(cache)).toBeUndefined()
    clock.jump(-hour)
    expect(await ask(cache)).toBeUndefined()
  })

  it('forward by a day makes a stored answer as old as that', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, maxMemoryBytes: 0, ttl: '1d' })
    await cache.store(question(), answer())
    await cache.flush()
    clock.jump(day - 1)
    expect(await ask(cache)).toBe('42')
    clock.jump(1)
    expect(await ask(cache)).toBeUndefined()
  })

  it('makes no answer immortal, wherever it goes', async () => {
    const step = fc.oneof(
      fc.record({ wait: fc.integer({ min: 1, max: 20 * minute }) }),
      fc.record({ jump: fc.integer({ min: -2 * hour, max: 2 * hour }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const clock = new ManualClock()
        const { cache } = openCache({ clock, store: memoryStore({ clock }), ttl: '30m' })
        await cache.store(question(), answer())
        const stored = clock.monotonic()
        for (const each of steps) {
          if ('wait' in each) clock.advance(each.wait)
          else clock.jump(each.jump)
          const found = await ask(cache)
          expect(found === undefined || clock.monotonic() - stored < 30 * minute).toBe(true)
        }
      }),
    )
  })
})

describe('a machine that sleeps', () => {
  it('G16 in memory, what was fresh before a sleep of twelve hours is as old as that', async () => {
    const { cache, clock } = openCache({ ttl: '1d' })
    await cache.store(question('long'), answer('long'))
    await cache.store(question('short', { ttl: '10m' }), answer('short'))
    await cache.set('key', 'value', '10m')
    // The monotonic clock stands still.
    clock.jump(12 * hour)
    expect(await ask(cache, question('short'))).toBeUndefined()
    expect(await ask(cache, question('short', { mode: 'force-cache' }))).toBeUndefined()
    expect(await cache.get('key')).toBeUndefined()
    expect((await cache.lookup(question('long')))?.info).toMatchObject({ age: 12 * 3_600, ttl: 12 * 3_600 })
    clock.advance(12 * hour)
    expect(await ask(cache, question('long'))).toBeUndefined()
  })

  it('G16 sees after it what another process invalidated in that time', async () => {
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, ttl: '1d' }), openCache({ store, ttl: '1d' })]
    await here.cache.store(question(), answer('old'))
    await here.cache.flush()
    expect(await ask(there.cache)).toBe('old')
    await here.cache.invalidate({ all: true })
    there.clock.jump(hour)
    expect(await ask(there.cache)).toBeUndefined()
  })

  it('G16 a clock that is put back before or after a sleep does no harm', async () => {
    const { cache, clock } = openCache({ ttl: '10m' })
    await cache.store(question(), answer())
    clock.jump(-12 * hour)
    expect((await cache.lookup(question()))?.info).toMatchObject({ age: 0, ttl: 600 })
    clock.jump(5 * minute)
    expect((await cache.lookup(question()))?.info).toMatchObject({ age: 300, ttl: 300 })
    clock.jump(-hour)
    clock.advance(5 * minute - 1)
    expect(await ask(cache)).toBe('42')
    clock.advance(1)
    expect(await ask(cache)).toBeUndefined()
  })
})

describe('C02 two nodes whose clocks disagree', () => {
  it.each([
    ['in memory that both reach', (clock: ManualClock) => () => sharedMemory(clock)],
    ['in an SQLite file', () => (own: Clock) => sqliteStore(join(folder, 'shared.db'), { clock: own })],
  ])('by five minutes each way: none serves an answer longer than its TTL and what they disagree by, %s', async (_, stores) => {
    const clock = new ManualClock()
    const store = stores(clock)
    const [fast, slow] = [skewed(clock, 5 * minute), skewed(clock, -5 * minute)]
    const open = (own: Clock) => createCache({ clock: own, store: store(own), ttl: '30m', prices: false, logger: false })
    const [ahead, behind] = [open(fast), open(slow)]
    await ahead.store(question('by the one ahead'), answer())
    await behind.store(question('by the one behind'), answer())
    await Promise.all([ahead.flush(), behind.flush()])
    let [lastAhead, lastBehind] = [0, 0]
    const begun = clock.monotonic()
    for (let passed = 0; passed <= 60; passed++) {
      const now = (clock.monotonic() - begun) / minute
      for (const cache of [ahead, behind]) {
        if ((await ask(cache, question('by the one ahead'))) !== undefined) lastAhead = now
        if ((await ask(cache, question('by the one behind'))) !== undefined) lastBehind = now
      }
      clock.advance(minute)
    }
    expect(lastAhead).toBeGreaterThanOrEqual(29)
    expect(lastAhead).toBeLessThan(40)
    expect(lastBehind).toBeGreaterThanOrEqual(29)
    expect(lastBehind).toBeLessThan(40)
    await Promise.all([ahead.close(), behind.close()])
  })

  it('by as much as is allowed: never longer than the TTL and five minutes, for any caller at any time', async () => {
    const node = fc.constantFrom(0, 1)
    const step = fc.oneof(
      fc.record({ fill: node }),
      fc.record({ ask: node }),
      fc.record({ ask: node }),
      fc.record({ wait: fc.integer({ min: 1, max: 10 * minute }) }),
    )
    const offset = fc.integer({ min: -2.5 * minute, max: 2.5 * minute })
    await fc.assert(
      fc.asyncProperty(fc.tuple(offset, offset), fc.array(step, { maxLength: 40 }), async (offsets, steps) => {
        const clock = new ManualClock()
        const store = sharedMemory(clock)
        let oldest = 0
        const nodes = offsets.map((by) => createCache({ clock: skewed(clock, by), store, ttl: '20m', prices: false, logger: false }))
        for (const each of steps) {
          if ('wait' in each) clock.advance(each.wait)
          else if ('fill' in each) {
            await nodes[each.fill]?.store(question(), answer(String(clock.monotonic())))
            await nodes[each.fill]?.flush()
          } else {
            const made = await ask(nodes[each.ask] ?? openCache().cache)
            if (made !== undefined) oldest = Math.max(oldest, clock.monotonic() - Number(made))
          }
        }
        expect(oldest).toBeLessThan(25 * minute)
      }),
    )
  })
})

/** A store in memory that outlives each cache, and goes by the one true time. */
function sharedMemory(clock: ManualClock): Store {
  return { ...memoryStore({ clock }), close: () => {} }
}

describe('C03 the end of a TTL', () => {
  it.each<[string, (clock: ManualClock) => { store?: Store; maxMemoryBytes?: number }]>([
    ['memory', () => ({})],
    ['a store in memory', (clock) => ({ store: memoryStore({ clock }), maxMemoryBytes: 0 })],
    ['an SQLite file', (clock) => ({ store: sqliteStore(join(folder, 'a.db'), { clock }), maxMemoryBytes: 0 })],
    ['a store that keeps what is over', () => ({ store: new ScriptedStore(), maxMemoryBytes: 0 })],
    ['memory that was filled from a store', (clock) => ({ store: memoryStore({ clock }) })],
  ])('is on the same side in %s: the last millisecond is fresh, the next is not', async (_, options) => {
    for (const ttl of ['1ms', '250ms', '1s', '1h', 0.0015] as const) {
      const clock = new ManualClock()
      const { cache } = openCache({ clock, ttl, ...options(clock) })
      await cache.store(question(`with a TTL of ${ttl}`), answer())
      await cache.flush()
      const milliseconds = typeof ttl === 'number' ? 2 : { '1ms': 1, '250ms': 250, '1s': 1_000, '1h': 3_600_000 }[ttl]
      clock.advance(milliseconds - 1)
      expect(await ask(cache, question(`with a TTL of ${ttl}`))).toBe('42')
      clock.advance(1)
      expect(await ask(cache, question(`with a TTL of ${ttl}`))).toBeUndefined()
      await cache.close()
    }
  })
})

describe('C04 ten minutes in which the machine slept', () => {
  it('bring no burst: what waited ends, once, and nothing is asked of the store or the origin', async () => {
    const store = new ScriptedStore()
    const { cache, clock, told } = openCache({ store, ttl: '1h' })
    const caller = callerOf(cache)
    await caller.ask('known')
    await cache.flush()
    Object.assign(store, { reads: 'never', writes: 'never' })
    const waiting = Array.from({ length: 50 }, (_, index) => caller.ask(`question ${index}`))
    await settle()
    const { length } = store.calls
    const timers = clock.timers
    // One deadline for each read that is under way, and none that repeats itself.
    expect(timers).toBeLessThanOrEqual(50)
    clock.advance(10 * minute)
    expect(store.calls).toHaveLength(length)
    expect(caller.asked).toEqual(['known'])
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 50 }, (_, index) => `re: question ${index}`))
    expect(told.lines).toHaveLength(1)
    clock.advance(10 * minute)
    await settle()
    clock.advance(10 * minute)
    await cache.flush()
    expect(clock.timers).toBe(0)
  })

  it('are part of the age of what lies in memory and in the store', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, ttl: '9m' })
    await cache.store(question(), answer())
    await cache.flush()
    clock.advance(10 * minute)
    expect(await ask(cache)).toBeUndefined()
  })
})

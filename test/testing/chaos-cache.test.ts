import { memoryStore } from '../../src/stores/memory-store.ts'
import { describe, expect, it } from 'vitest'
import { chaosKinds } from '../../src/testing/chaos-plan.ts'
import { type ChaosKind, type ChaosSchedule, chaosStore, ManualClock, seededRandom } from '../../src/testing/index.ts'
import { callerOf, openCache } from '../support/chat.ts'
import { drive, step } from '../support/drive.ts'

// In the order of the interface.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const kinds = Object.keys(chaosKinds) as ChaosKind[]
const schedules: readonly ChaosSchedule[] = ['always', { probability: 0.3 }, { next: 7 }]

/** The documented budget of a read. */
const readDeadline = 100

function open(kind: ChaosKind, schedule: ChaosSchedule) {
  const clock = new ManualClock()
  const store = chaosStore(memoryStore({ clock }), { clock, random: seededRandom(5) })
  store.will(kind, schedule)
  // Very little memory, so that most calls read the store.
  const opened = openCache({ clock, store, maxMemoryBytes: 5_000, maxMemoryTtl: '1s', ttl: '1m', sharedFlights: true })
  return { ...opened, clock, store }
}

describe.each(kinds)('a cache over a store that %s', (kind) => {
  it.each(schedules)('I1 I2 I3 I4 I5 answers every call correctly and in time: %j', async (schedule) => {
    const { cache, clock, store, told } = open(kind, schedule)
    const caller = callerOf(cache)
    const random = seededRandom(9)
    let waited = 0
    for (let round = 0; round < 25; round++) {
      const texts = Array.from({ length: 4 }, () => `question ${Math.floor(random() * 8)}`)
      const { result, took } = await drive(clock, Promise.all(texts.map((text) => caller.ask(text))))
      expect(result).toEqual(texts.map((text) => `re: ${text}`))
      waited = Math.max(waited, took)
      clock.advance(Math.floor(random() * 3_000))
    }
    // The clock moves in steps, so a deadline is seen at the end of its step.
    expect(waited).toBeLessThanOrEqual(readDeadline + step)
    expect(store.struck(kind)).toBeGreaterThan(0)
    store.calm()
    await drive(clock, cache.close())
    // Calls that the store itself delays.
    clock.advance(250)
    expect(clock.timers).toBe(0)
    // I7: no question and no answer in its events.
    expect(JSON.stringify([told.lines, told.events.map(({ event }) => String(Object(event).error))])).not.toMatch(/question|re:/)
  })

  it('I1 I4 keeps values, invalidates and removes without an error', async () => {
    const { cache, clock, store } = open(kind, 'always')
    const work = async (): Promise<void> => {
      await cache.set('key', 'value')
      expect(['value', undefined]).toContain(await cache.get('key'))
      await cache.wrap('other', '1m', () => 'made')
      expect(typeof (await cache.del('key'))).toBe('boolean')
      expect(typeof (await cache.invalidate({ tags: ['tag'] }))).toBe('boolean')
      await cache.clear()
      expect(await cache.get('other')).toBeUndefined()
      await cache.flush()
    }
    await drive(clock, work(), 120_000)
    store.calm()
    await drive(clock, cache.close())
    // Calls that the store itself delays.
    clock.advance(250)
    expect(clock.timers).toBe(0)
  })

  it('uses the store again when it works again', async () => {
    const { cache, clock, store } = open(kind, 'always')
    const caller = callerOf(cache)
    for (let time = 0; time < 10; time++) await drive(clock, caller.ask(`question ${time}`))
    store.calm()
    // Longer than a breaker stays open, and longer than a write may take.
    clock.advance(30_000)
    await drive(clock, caller.ask('probe'))
    await drive(clock, cache.flush())
    clock.advance(30_000)
    await drive(clock, caller.ask('answer me'))
    await drive(clock, cache.flush())
    const another = callerOf(openCache({ clock, store }).cache)
    expect((await drive(clock, another.ask('answer me'))).result).toBe('re: answer me')
    expect(another.asked).toEqual([])
  })
})

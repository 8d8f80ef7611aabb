import { everything } from '../../../src/engine/invalidation/labels.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GenerationSnapshot } from '../../../src/engine/invalidation/generation.ts'
import { Generations } from '../../../src/engine/invalidation/generations.ts'
import { Invalidations } from '../../../src/engine/invalidation/invalidations.ts'
import { guardedLogger } from '../../../src/engine/settings/logger.ts'
import { SharedStore } from '../../../src/engine/shared-store/shared-store.ts'
import { EventEmitter } from '../../../src/events.ts'
import { settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const delay = 1_000
const labels = ['all', 'tag:a', 'tag:b', 'tag:__proto__']

/** A process at the store. */
function process_(store: ScriptedStore, clock: ManualClock): Invalidations {
  const logger = guardedLogger(undefined, () => {})
  const tier = new SharedStore({ store, clock, logger, events: new EventEmitter(() => {}), readDeadline: 100 })
  return new Invalidations({ clock, shared: tier, namespace: 'space', delay })
}

function setup() {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  return { store, clock, here: process_(store, clock), there: process_(store, clock) }
}

describe('in one process', () => {
  it('an entry is good exactly while none of its labels was invalidated since its fill began', () => {
    const step = fc.oneof(
      fc.record({ fill: fc.uniqueArray(fc.constantFrom(...labels), { minLength: 1 }) }),
      fc.record({ invalidate: fc.constantFrom(...labels) }),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const generations = new Generations(new ManualClock(), false, 0)
        const entries: { labels: readonly string[]; snapshot: GenerationSnapshot; good: boolean }[] = []
        for (const [index, each] of steps.entries()) {
          if ('fill' in each) entries.push({ labels: each.fill, snapshot: generations.snapshot(each.fill), good: true })
          else {
            generations.advance(each.invalidate, `generation ${index}`)
            for (const entry of entries) if (entry.labels.includes(each.invalidate)) entry.good = false
          }
          for (const { snapshot, good, labels } of entries) {
            expect(generations.matches(snapshot.generations)).toBe(good)
            expect(generations.haveChangedSince(labels, snapshot.sequence)).toBe(!good)
          }
        }
      }),
    )
  })

  it('reads nothing, as no other process can invalidate', () => {
    const generations = new Generations(new ManualClock(), false, 0)
    generations.advance('tag:a', '1')
    expect(generations.outdated(labels)).toEqual([])
    expect(generations.unpublished(labels)).toEqual([])
  })

  it('I6 forgets the labels of old, and everything that was filled before with them', () => {
    const generations = new Generations(new ManualClock(), false, 0)
    const before = generations.snapshot([everything, 'tag:kept'])
    for (let index = 0; index < 50_001; index++) generations.advance(`tag:${index}`, 'x')
    expect(generations.matches(before.generations)).toBe(false)
    expect(generations.haveChangedSince([everything], before.sequence)).toBe(true)
    const after = generations.snapshot([everything, 'tag:kept', 'tag:7'])
    expect(generations.matches(after.generations)).toBe(true)
  })
})

describe('in two processes over one store', () => {
  it('an invalidation is heeded at once where it was made, and within the delay elsewhere; what it does not concern stays', async () => {
    const step = fc.oneof(
      fc.record({ fill: fc.uniqueArray(fc.constantFrom(...labels), { minLength: 1 }), by: fc.constantFrom(0, 1) }),
      fc.record({ invalidate: fc.constantFrom(...labels), by: fc.constantFrom(0, 1) }),
      fc.record({ wait: fc.integer({ min: 1, max: 2 * delay }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, here, there } = setup()
        const processes = [here, there]
        const wrong: string[] = []
        const entries: { labels: readonly string[]; snapshot: GenerationSnapshot; at: number; after: number }[] = []
        const invalidated: { label: string; by: number; at: number; after: number }[] = []
        for (const [index, each] of steps.entries()) {
          if ('wait' in each) clock.advance(each.wait)
          else if ('fill' in each) {
            await processes[each.by]?.refresh(each.fill)
            const snapshot = processes[each.by]?.snapshot(each.fill)
            if (snapshot !== undefined) entries.push({ labels: each.fill, snapshot, at: clock.now(), after: index })
          } else {
            await processes[each.by]?.declare(each.invalidate)
            invalidated.push({ label: each.invalidate, by: each.by, at: clock.now(), after: index })
          }
          for (const entry of entries) {
            const hits = invalidated.filter(({ label }) => entry.labels.includes(label))
            const later = hits.filter(({ after }) => after > entry.after)
            for (const [number, process] of processes.entries()) {
              const good = await process.isCurrent(entry.snapshot.generations)
              const mustBeGone = later.some(({ by, at }) => by === number || clock.now() > at + delay)
              // What was invalidated shortly before the fill may be taken for invalidated after it.
              const mustBeThere = later.length === 0 && hits.every(({ at }) => entry.at > at + delay)
              if (mustBeGone && good) wrong.push(`${entry.labels.join()} is served in ${number} after step ${index}`)
              if (mustBeThere && !good) wrong.push(`${entry.labels.join()} is lost in ${number} after step ${index}`)
            }
          }
        }
        expect(wrong).toEqual([])
        expect(clock.timers).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('a process that knew nothing yet learns of an old invalidation before it fills', async () => {
    const { here, there } = setup()
    await there.declare('tag:a')
    await here.refresh(labels)
    const { generations } = here.snapshot(labels)
    expect([await here.isCurrent(generations), await there.isCurrent(generations)]).toEqual([true, true])
  })

  it('a reading that began before an invalidation of our own does not undo it', async () => {
    const { store, clock, here } = setup()
    await here.refresh(labels)
    const { generations } = here.snapshot(labels)
    clock.advance(delay + 1)
    store.reads = 'held'
    const reading = here.refresh(labels)
    await settle()
    await here.declare('tag:a')
    store.release()
    await reading
    store.reads = 'works'
    expect(await here.isCurrent(generations)).toBe(false)
    clock.advance(delay + 1)
    expect(await here.isCurrent(generations)).toBe(false)
  })

  it('a reading that began before an invalidation of our own does not undo it while the store is still being told', async () => {
    const { store, clock, here } = setup()
    await here.refresh(labels)
    const { generations } = here.snapshot(labels)
    await settle()
    clock.advance(delay + 1)
    store.reads = 'held'
    const reading = here.refresh(labels)
    await settle()
    store.writes = 'never'
    void here.declare('tag:a')
    store.release()
    await reading
    expect(await here.isCurrent(generations)).toBe(false)
  })

  it('an invalidation that is still on its way to the store holds already', async () => {
    const { store, clock, here } = setup()
    await here.refresh(labels)
    const { generations } = here.snapshot(labels)
    store.writes = 'held'
    const declared = here.declare('tag:a')
    clock.advance(delay + 1)
    expect(await here.isCurrent(generations)).toBe(false)
    store.release()
    expect(await declared).toBe(true)
    expect(await here.isCurrent(generations)).toBe(false)
  })

  it('an invalidation that the store did not take holds here, and is told to the others as soon as it does', async () => {
    const { store, clock, here, there } = setup()
    await here.refresh(labels)
    const old = here.snapshot(labels)
    store.writes = 'rejects'
    expect(await here.declare('tag:a')).toBe(false)
    clock.advance(10 * delay)
    expect([await here.isCurrent(old.generations), await there.isCurrent(old.generations)]).toEqual([false, true])
    const filled = here.snapshot(labels)
    expect(await here.isCurrent(filled.generations)).toBe(true)
    store.writes = 'works'
    await here.refresh(labels)
    await settle()
    clock.advance(delay + 1)
    expect([await here.isCurrent(old.generations), await there.isCurrent(old.generations)]).toEqual([false, false])
    // What was filled before they were told may be older than what they declared themselves meanwhile.
    expect([await here.isCurrent(filled.generations), await there.isCurrent(filled.generations)]).toEqual([false, false])
    const after = here.snapshot(labels)
    expect([await here.isCurrent(after.generations), await there.isCurrent(after.generations)]).toEqual([true, true])
  })

  it('an invalidation that is told late does not undo one that another process made in the meantime', async () => {
    const { store, clock, here, there } = setup()
    store.writes = 'rejects'
    expect(await here.declare('tag:a')).toBe(false)
    const filled = here.snapshot(labels)
    store.writes = 'works'
    expect(await there.declare('tag:a')).toBe(true)
    await here.refresh(labels)
    await settle()
    clock.advance(delay + 1)
    expect([await here.isCurrent(filled.generations), await there.isCurrent(filled.generations)]).toEqual([false, false])
  })

  it('an invalidation that cannot be told is no reason not to heed another process', async () => {
    const { store, clock, here, there } = setup()
    await here.refresh(labels)
    here.snapshot(labels)
    await settle()
    store.writes = 'rejects'
    expect(await here.declare('tag:a')).toBe(false)
    const first = here.snapshot(labels)
    clock.advance(delay + 1)
    expect(await here.isCurrent(first.generations)).toBe(true)
    store.writes = 'works'
    await there.declare('tag:a')
    // From here on the store takes nothing of the first process.
    store.writes = 'rejects'
    clock.advance(delay + 1)
    expect(await here.isCurrent(first.generations)).toBe(false)
    const second = here.snapshot(labels)
    clock.advance(delay + 1)
    expect(await here.isCurrent(second.generations)).toBe(true)
  })

  it('what is known is as old as the reading that brought it, however long that took', async () => {
    const { store, clock, here, there } = setup()
    const { generations } = here.snapshot(labels)
    store.reads = 'held'
    const reading = here.refresh(labels)
    await settle()
    await there.declare('tag:a')
    clock.advance(90)
    store.release()
    await reading
    store.reads = 'works'
    expect(await here.isCurrent(generations)).toBe(true)
    clock.advance(delay + 1 - 90)
    expect(await here.isCurrent(generations)).toBe(false)
  })

  it('what a reading brings does not undo what a later one brought before it', () => {
    const clock = new ManualClock()
    const generations = new Generations(clock, true, delay)
    const first = generations.read()
    clock.advance(1)
    const second = generations.read()
    generations.learn('tag:a', 'new', second)
    generations.learn('tag:a', 'old', first)
    expect(generations.snapshot(['tag:a']).generations).toEqual({ 'tag:a': 'new' })
  })

  it('what was outdated is not good again when the store has lost its generations', async () => {
    const { store, clock, here, there } = setup()
    await Promise.all([here.refresh(labels), there.refresh(labels)])
    const { generations } = here.snapshot(labels)
    await there.declare('tag:a')
    clock.advance(delay + 1)
    await here.refresh(labels)
    store.map.clear()
    for (let time = 0; time < 3; time++) {
      clock.advance(delay + 1)
      await here.refresh(labels)
      await there.refresh(labels)
      await settle()
      expect([await here.isCurrent(generations), await there.isCurrent(generations)]).toEqual([false, false])
    }
    const after = here.snapshot(labels)
    clock.advance(delay + 1)
    expect([await here.isCurrent(after.generations), await there.isCurrent(after.generations)]).toEqual([true, true])
  })

  it('what was outdated is not good again when the store has an earlier generation again, as a replica of it may', async () => {
    const { store, clock, here, there } = setup()
    await there.declare('tag:a')
    await here.refresh(labels)
    const { generations } = here.snapshot(labels)
    const earlier = new Map(store.map)
    await there.declare('tag:a')
    clock.advance(delay + 1)
    expect([await here.isCurrent(generations), await there.isCurrent(generations)]).toEqual([false, false])
    for (const [key, value] of earlier) store.map.set(key, value)
    for (let time = 0; time < 3; time++) {
      clock.advance(delay + 1)
      await here.refresh(labels)
      await there.refresh(labels)
      await settle()
      expect([await here.isCurrent(generations), await there.isCurrent(generations)]).toEqual([false, false])
    }
    const after = here.snapshot(labels)
    clock.advance(delay + 1)
    expect([await here.isCurrent(after.generations), await there.isCurrent(after.generations)]).toEqual([true, true])
  })

  it('K01 ten thousand callers at once make one read', async () => {
    const { store, clock, here } = setup()
    // Along with the labels, one that tells of removals by key.
    const read = labels.length + 1
    const { generations } = here.snapshot(labels)
    store.reads = 'held'
    const all = Array.from({ length: 10_000 }, async () => here.isCurrent(generations))
    await settle()
    store.release()
    expect((await Promise.all(all)).every(Boolean)).toBe(true)
    expect(store.count('get')).toBe(read)
    expect(await here.isCurrent(generations)).toBe(true)
    expect(store.count('get')).toBe(read)
    clock.advance(delay + 1)
    store.reads = 'works'
    await here.isCurrent(generations)
    expect(store.count('get')).toBe(2 * read)
  })

  it('what is known goes on to hold while the store does not answer', async () => {
    const { store, clock, here } = setup()
    await here.refresh(labels)
    const good = here.snapshot(labels)
    await here.declare('tag:a')
    const after = here.snapshot(labels)
    store.reads = 'rejects'
    for (let time = 0; time < 20; time++) {
      clock.advance(delay + 1)
      expect([await here.isCurrent(good.generations), await here.isCurrent(after.generations)]).toEqual([false, true])
    }
  })

  it('I6 no number of invalidations that the store does not take grows without end: everything is outdated instead', async () => {
    const clock = new ManualClock()
    const generations = new Generations(clock, true, delay)
    const other = generations.snapshot([everything, 'tag:other'])
    for (let index = 0; index < 200_000; index++) generations.advance(`tag:${index}`, `generation ${index}`)
    expect(generations.matches(other.generations)).toBe(false)
    expect(generations.unpublished(Array.from({ length: 200_000 }, (_, index) => `tag:${index}`)).length).toBeLessThanOrEqual(25_000)
    expect(generations.unpublished([everything])).toHaveLength(1)
  })
})

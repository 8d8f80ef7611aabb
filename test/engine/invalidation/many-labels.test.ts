import { afterEach, describe, expect, it, vi } from 'vitest'
import { newGeneration } from '../../../src/engine/invalidation/generation.ts'
import { Generations } from '../../../src/engine/invalidation/generations.ts'
import { Invalidations } from '../../../src/engine/invalidation/invalidations.ts'
import { Tombstones } from '../../../src/engine/invalidation/tombstones.ts'
import { guardedLogger } from '../../../src/engine/settings/logger.ts'
import { SharedStore } from '../../../src/engine/shared-store/shared-store.ts'
import { EventEmitter } from '../../../src/events.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/**
 * Counts from now on what makes a large table slow. V8 keeps deleted members in the table until it grows. Whoever then begins at its first
 * member walks past them all, and so does whoever looks up a key that was deleted and set again.
 */
function countSlowWork(large: number) {
  const counted = { walks: 0, setAgain: 0, looks: 0 }
  const deleted = new WeakMap<Map<unknown, unknown>, Set<unknown>>()
  // Each is called with the map.
  // oxlint-disable-next-line typescript/unbound-method
  const { delete: remove, set, get } = Map.prototype
  for (const way of ['keys', 'values', 'entries', Symbol.iterator] as const) {
    const walk = Map.prototype[way]
    vi.spyOn(Map.prototype, way).mockImplementation(function (this: Map<unknown, unknown>) {
      if (this.size >= large) counted.walks++
      return walk.call(this)
    })
  }
  vi.spyOn(Map.prototype, 'delete').mockImplementation(function (this: Map<unknown, unknown>, key) {
    if (this.size >= large) {
      const keys = deleted.get(this) ?? new Set()
      deleted.set(this, keys.add(key))
    }
    return remove.call(this, key)
  })
  vi.spyOn(Map.prototype, 'set').mockImplementation(function (this: Map<unknown, unknown>, key, value) {
    if (deleted.get(this)?.has(key) === true) counted.setAgain++
    return set.call(this, key, value)
  })
  vi.spyOn(Map.prototype, 'get').mockImplementation(function (this: Map<unknown, unknown>, key) {
    if (this.size >= large) counted.looks++
    return get.call(this, key)
  })
  return counted
}

afterEach(() => vi.restoreAllMocks())

describe('more labels than are remembered', () => {
  const limit = 50_000
  const more = 2_000

  it('G17 each invalidation by another process takes the same small work as with few labels', () => {
    const clock = new ManualClock()
    const logger = guardedLogger(undefined, () => {})
    const shared = new SharedStore({ store: new ScriptedStore(), clock, logger, events: new EventEmitter(() => {}), readDeadline: 100 })
    const invalidations = new Invalidations({ clock, shared, namespace: 'space', delay: 1_000 })
    /** A label that this process reads from the store, and that another process then invalidates. */
    const hear = (index: number): void => {
      const due = invalidations.due([`tag:${index}`])
      due.take(due.keys.map(() => undefined))
      invalidations.onDeclared(due.keys[0] ?? '', newGeneration())
    }
    for (let index = 0; index < limit; index++) hear(index)
    const counted = countSlowWork(limit - 100)
    for (let index = 0; index < more; index++) hear(limit + index)
    expect(counted).toMatchObject({ walks: 0, setAgain: 0 })
    expect(counted.looks).toBeGreaterThan(more)
    expect(counted.looks).toBeLessThan(30 * more)
  })

  it('G17 nor is it more work while the store has not answered for any of them', () => {
    const generations = new Generations(new ManualClock(), true, 1_000)
    for (let index = 0; index < limit; index++) generations.propose(`tag:${index}`)
    const counted = countSlowWork(limit - 100)
    for (let index = 0; index < 100; index++) generations.propose(`tag:more ${index}`)
    expect(counted).toMatchObject({ walks: 0, setAgain: 0 })
    expect(counted.looks).toBeLessThan(100 * 1_000)
  })

  it('G17 nor is a removal by key', () => {
    const tombstones = new Tombstones()
    for (let index = 0; index < 10_000; index++) tombstones.note(`key ${index}`)
    const counted = countSlowWork(10_000 - 100)
    for (let index = 0; index < more; index++) {
      tombstones.note(`more ${index}`)
      tombstones.note('the same')
    }
    expect(counted).toMatchObject({ walks: 0, setAgain: 0 })
    expect(tombstones.since('key 0', 0)).toBe(true)
    expect([tombstones.since('the same', tombstones.count - 1), tombstones.since('the same', tombstones.count)]).toEqual([true, false])
  })
})

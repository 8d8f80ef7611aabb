import { memoryStore } from '../../src/stores/memory-store.ts'
import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import { BoundedMemory } from '../../src/memory/bounded-memory.ts'
import { describeStore } from '../contracts/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

describeStore('memoryStore', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  return { store, clock, cleanup: () => store.close?.() }
})

describe('memoryStore', () => {
  it.each([0, -1, Number.NaN, Infinity, 1.5, '1'])('refuses maxBytes: %s at once', (maxBytes) => {
    expect(() => memoryStore(JSON.parse(JSON.stringify({ maxBytes }), (_, value: unknown) => value ?? maxBytes))).toThrow(
      InvalidOptionError,
    )
  })

  it('refuses an invalid clock', () => {
    expect(() => memoryStore({ clock: Object.create(null) })).toThrow(/"clock"/)
  })

  it('C01 measures age by the monotonic clock, however the wall clock jumps', async () => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    await store.set('key', new Uint8Array([1]), { ttl: 1_000 })
    clock.jump(86_400_000)
    expect(await store.get('key')).toEqual(new Uint8Array([1]))
    clock.jump(-2 * 86_400_000)
    clock.advance(1_000)
    expect(await store.get('key')).toBeUndefined()
  })

  it('keeps neither a value that is larger than its room, nor the older one under that key', async () => {
    const store = memoryStore({ maxBytes: 10_000 })
    await store.set('key', new Uint8Array(100), { ttl: 1_000 })
    await store.set('key', new Uint8Array(10_000), { ttl: 1_000 })
    expect(await store.get('key')).toBeUndefined()
  })
})

describe('BoundedMemory', () => {
  const value = { whole: true }

  it('I6 never counts more than its limit, after any sequence of writes', () => {
    const write = fc.record({
      key: fc.string({ maxLength: 3 }),
      bytes: fc.oneof(fc.nat(6_000), fc.double()),
      ttl: fc.oneof(fc.integer({ min: -1, max: 50 }), fc.double()),
      wait: fc.nat(20),
    })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), fc.integer({ min: 1, max: 20_000 }), (writes, maxBytes) => {
        const clock = new ManualClock()
        const memory = new BoundedMemory<object>({ maxBytes, clock })
        for (const { key, bytes, ttl, wait } of writes) {
          const kept = memory.set(key, value, { bytes, ttl })
          expect(memory.get(key)).toBe(kept ? value : undefined)
          expect(memory.bytes).toBeLessThanOrEqual(maxBytes)
          clock.advance(wait)
        }
      }),
    )
  })

  it('counts keys and bookkeeping: a million empty values are not free', () => {
    const memory = new BoundedMemory<object>({ maxBytes: 100_000, clock: new ManualClock() })
    for (let index = 0; index < 5_000; index++) memory.set(`key ${index}`, value, { bytes: 0, ttl: 1_000 })
    expect(memory.count).toBeLessThan(100_000 / 200)
    expect(memory.count).toBeGreaterThan(100)
  })

  it('I6 counts at least as much for a long key as the key takes', () => {
    const memory = new BoundedMemory<object>({ maxBytes: 100_000, clock: new ManualClock() })
    memory.set('日'.repeat(1_000), value, { bytes: 10, ttl: 1_000 })
    expect(memory.bytes).toBeGreaterThanOrEqual(2_010)
  })

  it('evicts the least recently used entries, and reports them', () => {
    const onEvict = vi.fn<(key: string, value: object) => void>()
    const memory = new BoundedMemory<object>({ maxBytes: 4_000, clock: new ManualClock(), onEvict })
    memory.set('a', value, { bytes: 1_000, ttl: 1_000 })
    memory.set('b', value, { bytes: 1_000, ttl: 1_000 })
    memory.set('c', value, { bytes: 1_000, ttl: 1_000 })
    memory.get('a')
    memory.peek('b')
    memory.set('d', value, { bytes: 1_000, ttl: 1_000 })
    expect(memory.keys()).toEqual(['d', 'a', 'c'])
    memory.set('d', value, { bytes: 1, ttl: 1_000 })
    memory.delete('c')
    expect(onEvict.mock.calls).toEqual([['b', value]])
  })

  it('counts the new size when the same object is set again', () => {
    const memory = new BoundedMemory<object>({ maxBytes: 10_000, clock: new ManualClock() })
    memory.set('a', value, { bytes: 1_000, ttl: 1_000 })
    const before = memory.bytes
    memory.set('a', value, { bytes: 3_000, ttl: 1_000 })
    expect(memory.bytes).toBe(before + 2_000)
  })

  it('keeps neither an entry over the limit of one entry, nor the older one under that key', () => {
    const memory = new BoundedMemory<object>({ maxBytes: 10_000, maxEntryBytes: 2_000, clock: new ManualClock() })
    expect(memory.set('a', value, { bytes: 1_000, ttl: 1_000 })).toBe(true)
    expect(memory.set('a', value, { bytes: 2_000, ttl: 1_000 })).toBe(false)
    expect(memory.get('a')).toBeUndefined()
    expect(memory.bytes).toBe(0)
  })

  it.each([0, -5_000])('lets entries expire on a clock that begins at %d', (begin) => {
    let time = begin
    const memory = new BoundedMemory<object>({ maxBytes: 10_000, clock: { now: () => 0, monotonic: () => time, after: () => () => {} } })
    memory.set('a', value, { bytes: 1, ttl: 10 })
    time += 9.99
    expect(memory.get('a')).toBe(value)
    time = begin + 10
    expect(memory.get('a')).toBeUndefined()
  })

  it('does not count, list or return expired entries', () => {
    const clock = new ManualClock()
    const memory = new BoundedMemory<object>({ maxBytes: 10_000, clock })
    memory.set('a', value, { bytes: 1_000, ttl: 10 })
    memory.set('b', value, { bytes: 1_000, ttl: 20 })
    clock.advance(10)
    expect(memory.keys()).toEqual(['b'])
    expect(memory.peek('a')).toBeUndefined()
    expect(memory.count).toBe(1)
    expect(memory.bytes).toBeLessThan(1_500)
    memory.clear()
    expect(memory.bytes).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it.each(['maxBytes', 'maxEntryBytes'])('refuses an invalid %s', (name) => {
    for (const wrong of [0, -1, Number.NaN, 0.5])
      expect(() => new BoundedMemory({ maxBytes: 1_000, clock: new ManualClock(), [name]: wrong })).toThrow(new RegExp(`"${name}"`))
  })
})

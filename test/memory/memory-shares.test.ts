import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { BoundedMemory } from '../../src/memory/bounded-memory.ts'
import { UseOrder } from '../../src/base/use-order.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const value = { whole: true }
const hour = 3_600_000

function open(maxBytes: number) {
  const clock = new ManualClock()
  const evicted: string[] = []
  const memory = new BoundedMemory<object>({ maxBytes, clock, onEvict: (key) => void evicted.push(key) })
  const set = (key: string, owner: string, bytes = 1_000, ttl = hour) => memory.set(key, value, { bytes, ttl, owner })
  return { memory, clock, evicted, set }
}

describe('BoundedMemory and its owners', () => {
  it('T10 protects an owner with at most half of the memory from an owner that floods it', () => {
    const write = fc.record({ key: fc.nat(40), bytes: fc.nat(3_000), mine: fc.boolean(), read: fc.boolean() })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 150 }), fc.integer({ min: 4_000, max: 30_000 }), (writes, maxBytes) => {
        const { memory, set } = open(maxBytes)
        const mine = new Set<string>()
        // The bytes of an entry, measured in a memory of its own.
        const sizes = new Map<string, number>()
        const held = () => [...mine].reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0)
        for (const { key: number, bytes, mine: isMine, read } of writes) {
          const key = `${isMine ? 'mine' : 'theirs'} ${number}`
          if (read) {
            memory.get(key)
            continue
          }
          if (!isMine) {
            set(key, 'them', bytes)
          } else {
            const alone = open(maxBytes)
            const size = alone.set(key, 'me', bytes) ? alone.memory.bytes : Infinity
            mine.delete(key)
            memory.delete(key)
            // Stays within half of the memory, as a well-behaved tenant would.
            if (held() + size <= maxBytes / 2) {
              sizes.set(key, size)
              mine.add(key)
              set(key, 'me', bytes)
            }
          }
          for (const one of mine) expect(memory.peek(one)).toBe(value)
          expect(memory.bytes).toBeLessThanOrEqual(maxBytes)
        }
      }),
    )
  })

  it('I6 keeps its limit after any sequence of writes, reads and deletions by any owners', () => {
    const step = fc.record({
      what: fc.constantFrom('set', 'set', 'set', 'get', 'delete', 'wait'),
      key: fc.nat(20).map(String),
      owner: fc.constantFrom('a', 'b', 'c', ''),
      bytes: fc.nat(4_000),
      ttl: fc.integer({ min: 1, max: 50 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 2_000, max: 20_000 }), (steps, maxBytes) => {
        const { memory, clock, set } = open(maxBytes)
        const kept = new Map<string, number>()
        for (const { what, key, owner, bytes, ttl } of steps) {
          if (what === 'set') set(key, owner, bytes, ttl)
          else if (what === 'get') memory.get(key)
          else if (what === 'delete') memory.delete(key)
          else clock.advance(ttl)
          if (what === 'set') kept.set(key, bytes)
          const there = memory.keys()
          expect(memory.count).toBe(there.length)
          expect(memory.bytes).toBeLessThanOrEqual(maxBytes)
          expect(memory.bytes).toBeGreaterThanOrEqual(there.reduce((sum, each) => sum + (kept.get(each) ?? 0), 0))
        }
        memory.clear()
        expect(memory.bytes).toBe(0)
        // No owner is left, so the next one is alone and may use everything.
        expect(set('one', 'd', maxBytes - 1_000)).toBe(true)
      }),
    )
  })

  it('T10 evicts the own entries of an owner that floods the memory, least recently used first', () => {
    const { set, evicted, memory } = open(10_000)
    set('b1', 'b')
    set('b2', 'b')
    for (let number = 1; number <= 20; number++) set(`a${number}`, 'a')
    expect(memory.peek('b1')).toBe(value)
    expect(memory.peek('b2')).toBe(value)
    expect(evicted.every((key) => key.startsWith('a'))).toBe(true)
    expect(evicted).toEqual(Array.from(evicted, (_, index) => `a${index + 1}`))
    const [oldest] = memory
      .keys()
      .filter((key) => key.startsWith('a'))
      .toReversed()
    memory.get(oldest ?? '')
    set('a21', 'a')
    expect(memory.peek(oldest ?? '')).toBe(value)
  })

  it('T10 takes memory back from a single owner as soon as another one needs it', () => {
    const { set, memory } = open(10_000)
    for (let number = 1; number <= 20; number++) set(`a${number}`, 'a')
    expect(memory.count).toBeGreaterThan(6)
    for (let number = 1; number <= 3; number++) set(`b${number}`, 'b')
    memory.get('a20')
    for (let number = 21; number <= 40; number++) set(`a${number}`, 'a')
    expect(['b1', 'b2', 'b3'].map((key) => memory.peek(key))).toEqual([value, value, value])
  })

  it('lets an owner that is alone, or alone again, use all of it', () => {
    const { set, memory } = open(10_000)
    expect(set('large', 'a', 8_000)).toBe(true)
    memory.delete('large')
    set('b', 'b')
    expect(set('large', 'a', 8_000)).toBe(false)
    expect(memory.peek('b')).toBe(value)
    memory.delete('b')
    expect(set('large', 'a', 8_000)).toBe(true)
  })

  it('evicts by use alone while no owner holds more than half', () => {
    const { set, memory, evicted } = open(7_000)
    for (const owner of ['a', 'b', 'c', 'd', 'e']) set(owner, owner)
    memory.get('a')
    set('f', 'f')
    expect(evicted).toEqual(['b'])
  })

  it('removes expired entries first, whichever owner they have, and does not report them', () => {
    const { set, memory, evicted, clock } = open(8_000)
    set('b1', 'b', 1_000, 10)
    set('b2', 'b', 1_000, 10)
    clock.advance(10)
    for (let number = 1; number <= 5; number++) set(`a${number}`, 'a')
    expect(evicted).toEqual([])
    expect(memory.count).toBe(5)
  })

  it('counts an entry for the owner that wrote it last', () => {
    const { set, memory } = open(10_000)
    for (let number = 1; number <= 3; number++) set(`key ${number}`, 'a')
    for (let number = 1; number <= 3; number++) set(`key ${number}`, 'b')
    expect(set('large', 'a', 4_000)).toBe(true)
    expect(memory.count).toBe(4)
  })

  it('reports an eviction after it is done', () => {
    const onEvict = vi.fn<(key: string) => void>((key) => expect(memory.peek(key)).toBeUndefined())
    const memory = new BoundedMemory<object>({ maxBytes: 2_000, clock: new ManualClock(), onEvict })
    memory.set('a', value, { bytes: 1_000, ttl: hour })
    memory.set('b', value, { bytes: 1_000, ttl: hour })
    expect(onEvict.mock.calls).toEqual([['a', value]])
  })
})

describe('UseOrder', () => {
  interface Thing {
    readonly name: number
    older: Thing | undefined
    newer: Thing | undefined
  }

  it('keeps the order of use, compared with a plain list', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'use', 'remove'), fc.nat(6)), { maxLength: 60 }), (steps) => {
        const order = new UseOrder<Thing>()
        const things = new Map(
          Array.from({ length: 7 }, (_, name): [number, Thing] => [name, { name, older: undefined, newer: undefined }]),
        )
        let list: number[] = []
        for (const [what, name] of steps) {
          const thing = things.get(name)
          if (thing === undefined || list.includes(name) === (what === 'add')) continue
          order[what](thing)
          list = list.filter((each) => each !== name)
          if (what !== 'remove') list.push(name)
          expect(order.oldest?.name).toBe(list[0])
        }
        const rest: number[] = []
        for (let thing = order.oldest; thing !== undefined; thing = order.oldest) {
          rest.push(thing.name)
          order.remove(thing)
        }
        expect(rest).toEqual(list)
      }),
    )
  })
})

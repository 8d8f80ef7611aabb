import { memoryStore } from '../../src/stores/memory-store.ts'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError, StoreError } from '../../src/errors.ts'
import type { Store } from '../../src/store.ts'
import { type ChaosKind, chaosStore, ManualClock, seededRandom, storeConformance } from '../../src/testing/index.ts'
import { settle } from '../support/chat.ts'

const hour = 3_600_000
const value = new Uint8Array([1, 2, 3, 4])

function open(options: { store?: Store; random?: () => number } = {}) {
  const clock = new ManualClock()
  const inner = options.store ?? memoryStore({ clock })
  return { clock, inner, store: chaosStore(inner, { clock, delay: 250, ...(options.random && { random: options.random }) }) }
}

async function filled(options?: Parameters<typeof open>[0]) {
  const opened = open(options)
  await opened.inner.set('key', value, { ttl: hour })
  return opened
}

async function listed(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys?.('') ?? []) keys.push(key)
  return keys
}

/** Whether a promise has settled. */
async function isSettled(work: unknown): Promise<boolean> {
  let settled = false
  void Promise.resolve(work).then(
    () => (settled = true),
    () => (settled = true),
  )
  await settle()
  return settled
}

describe('a chaos store without orders', () => {
  it.each(storeConformance)('$name', async (check) => {
    const clock = new ManualClock()
    const store = chaosStore(memoryStore({ clock }), { clock })
    expect(await check.run(() => ({ store, advance: (milliseconds) => clock.advance(milliseconds) }))).toBeUndefined()
  })

  it('offers the same methods as its store', () => {
    const least: Store = { name: 'least', get: () => undefined, set: () => {}, delete: () => {} }
    const { store } = open({ store: least })
    for (const member of ['getMany', 'setMany', 'keys', 'onReport', 'close']) expect(store).not.toHaveProperty(member)
    expect(Object.keys(open().store)).toEqual(expect.arrayContaining(['getMany', 'setMany', 'keys', 'close']))
    expect(store.name).toBe('least')
  })

  it('makes no more faults after calm()', async () => {
    const { store } = await filled()
    store.will('rejects', 'always')
    await expect(store.get('key')).rejects.toThrow(StoreError)
    store.calm()
    expect(await store.get('key')).toEqual(value)
    expect(store.struck('rejects')).toBe(1)
  })
})

describe('a chaos store', () => {
  it('throws: at once, and does nothing', async () => {
    const { store, inner } = await filled()
    store.will('throws', 'always')
    expect(() => store.get('key')).toThrow(StoreError)
    expect(() => store.getMany?.(['key'])).toThrow(StoreError)
    expect(() => store.set('key', new Uint8Array(1), { ttl: hour })).toThrow(StoreError)
    expect(() => store.delete('key')).toThrow(StoreError)
    expect(() => store.keys?.('')).toThrow(StoreError)
    expect(await inner.get('key')).toEqual(value)
  })

  it('rejects: and does nothing', async () => {
    const { store, inner } = await filled()
    store.will('rejects', 'always')
    await expect(store.get('key')).rejects.toThrow(StoreError)
    await expect(store.set('key', new Uint8Array(1), { ttl: hour })).rejects.toThrow(StoreError)
    await expect(store.delete('key')).rejects.toThrow(StoreError)
    await expect(listed(store)).rejects.toThrow(StoreError)
    expect(await inner.get('key')).toEqual(value)
  })

  it('delays: does its work later', async () => {
    const { store, inner, clock } = await filled()
    store.will('delays', 'always')
    const read = store.get('key')
    const deleted = store.delete('key')
    const keys = listed(store)
    clock.advance(249)
    expect(await isSettled(read)).toBe(false)
    expect(await inner.get('key')).toEqual(value)
    clock.advance(1)
    expect(await read).toEqual(value)
    await deleted
    expect(await inner.get('key')).toBeUndefined()
    expect(await keys).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('tells late: does its work at once and answers later, with failures too', async () => {
    const { store, inner, clock } = await filled()
    store.will('tells late', 'always')
    const deleted = store.delete('key')
    expect(await inner.get('key')).toBeUndefined()
    clock.advance(249)
    expect(await isSettled(deleted)).toBe(false)
    clock.advance(1)
    await deleted
    const failing = open({ store: { ...memoryStore(), delete: () => Promise.reject(new Error('no')) } })
    failing.store.will('tells late', 'always')
    const failed = failing.store.delete('key')
    await settle()
    failing.clock.advance(250)
    await expect(failed).rejects.toThrow('no')
  })

  it('never settles: and holds no timer', async () => {
    const { store, clock } = await filled()
    store.will('never settles', 'always')
    const waiting = [store.get('key'), store.set('key', value, { ttl: hour }), store.delete('key')]
    clock.advance(hour)
    for (const each of waiting) expect(await isSettled(each)).toBe(false)
    expect(clock.timers).toBe(0)
  })

  it('settles twice: with its answer, again with it, and then with a failure', async () => {
    const { store } = await filled()
    store.will('settles twice', 'always')
    const told: unknown[] = []
    const careless = Object(store.get('key'))
    careless.then(
      (each: unknown) => told.push(each),
      (error: unknown) => told.push(error),
    )
    await settle()
    expect(told).toEqual([value, value, expect.any(StoreError)])
    expect(await store.get('key')).toEqual(value)
  })

  it('random bytes: instead of every value, missing ones included', async () => {
    const { store } = await filled()
    store.will('random bytes', 'always')
    const read = [await store.get('key'), await store.get('key'), await store.get('missing')]
    for (const each of read) expect(each).toBeInstanceOf(Uint8Array)
    expect(new Set(read.map(String)).size).toBe(3)
  })

  it('truncates: shortens a value, and leaves a missing one missing', async () => {
    const { store } = await filled()
    store.will('truncates', 'always')
    for (let time = 0; time < 20; time++) {
      const read = await store.get('key')
      expect(read?.length).toBeLessThan(value.length)
      expect(read).toEqual(value.subarray(0, read?.length))
    }
    expect(await store.get('missing')).toBeUndefined()
  })

  it('swaps: returns the value of another key', async () => {
    const { store } = open()
    await store.set('a', new Uint8Array([1]), { ttl: hour })
    await store.set('b', new Uint8Array([2]), { ttl: hour })
    store.will('swaps', 'always')
    expect(await store.get('a')).toEqual(new Uint8Array([2]))
    expect(await store.getMany?.(['b', 'a'])).toEqual([new Uint8Array([1]), new Uint8Array([2])])
  })

  it('mistypes: returns something that is not bytes', async () => {
    const { store } = await filled()
    store.will('mistypes', 'always')
    expect(await store.get('key')).toBeTypeOf('string')
  })

  it('makes a fault the given number of times', async () => {
    const { store } = await filled()
    store.will('rejects', { next: 2 }, { on: ['get'] })
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(async () => store.get('key')))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled'])
  })

  it('makes faults with a probability, and the same ones for the same seed', async () => {
    const runs = [1, 1, 2].map(async (seed) => {
      const { store } = await filled({ random: seededRandom(seed) })
      store.will('rejects', { probability: 0.3 })
      const outcomes = await Promise.allSettled(Array.from({ length: 1_000 }, async () => store.get('key')))
      return outcomes.map(({ status }) => status)
    })
    const [first, same, other] = await Promise.all(runs)
    expect(first).toEqual(same)
    expect(first).not.toEqual(other)
    const failed = first?.filter((status) => status === 'rejected').length
    expect(failed).toBeGreaterThan(230)
    expect(failed).toBeLessThan(370)
  })

  it('makes faults only for the given operations or keys', async () => {
    const { store } = await filled()
    store.will('rejects', 'always', { on: ['set'] })
    store.will('mistypes', 'always', { keys: (key) => key.startsWith('other') })
    expect(await store.get('key')).toEqual(value)
    expect(await store.getMany?.(['key', 'key'])).toEqual([value, value])
    expect(await store.get('other')).toBeTypeOf('string')
    await expect(store.set('key', value, { ttl: hour })).rejects.toThrow(StoreError)
    await store.delete('key')
    expect(store.struck('rejects')).toBe(1)
  })

  it('refuses invalid orders', () => {
    const { store } = open()
    // The types forbid this, but JavaScript allows it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => store.will('explodes' as ChaosKind, 'always')).toThrow(InvalidOptionError)
    expect(() => store.will('rejects', { next: -1 })).toThrow(InvalidOptionError)
    expect(() => store.will('rejects', { probability: 2 })).toThrow(InvalidOptionError)
    expect(() => chaosStore(memoryStore(), { delay: 0 })).toThrow(InvalidOptionError)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => chaosStore({} as Store)).toThrow(InvalidOptionError)
  })
})

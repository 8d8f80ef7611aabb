import { describe, expect, it } from 'vitest'
import { guardedLogger } from '../../../src/engine/settings/logger.ts'
import { SharedStore } from '../../../src/engine/shared-store/shared-store.ts'
import { DeadlineError, StoreError } from '../../../src/errors.ts'
import { EventEmitter } from '../../../src/events.ts'
import type { Store } from '../../../src/store.ts'
import { settle, withoutReasons } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { type Manner, ScriptedStore } from '../../support/scripted-store.ts'

const hour = 3_600_000
const value = Uint8Array.of(1, 2, 3)

function setup<Under extends Store>(store: Under) {
  const clock = new ManualClock()
  const lines: string[] = []
  const faults: { doing: string; error: unknown }[] = []
  const states: string[] = []
  const drops: string[] = []
  const events = new EventEmitter(() => expect.unreachable('no listener fails'))
  events.on('error', (event) => faults.push(event))
  events.on('state', ({ side, usable }) => states.push(`${side} ${usable}`))
  events.on('drop', ({ key }) => drops.push(key))
  const logger = guardedLogger({ warn: (line) => lines.push(line), info: (line) => lines.push(line) }, () => {})
  const tier = new SharedStore({ store, clock, events, logger, readDeadline: 100 })
  return { tier, store, clock, lines, faults, states, drops }
}

function scripted() {
  return setup(new ScriptedStore())
}

/** A write whose bytes are at hand. */
function pending(key: string, ttl = hour) {
  return { key, bytes: value.length, make: () => ({ key, value, ttl }), isOver: () => false }
}

describe('reading the store', () => {
  it('gives the values in the order of the keys, and nothing for none', async () => {
    const { tier, store, clock } = scripted()
    store.map.set('b', value)
    expect(await tier.read(['a', 'b'])).toEqual([undefined, value])
    expect(await tier.read(['b'])).toEqual([value])
    expect(await tier.read([])).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('K07 asks a store that reads one by one for a few of many keys at a time, in their order, and for no more when it is late', async () => {
    const { tier, store, clock } = scripted()
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`)
    for (const [index, key] of keys.entries()) if (index % 2 === 0) store.map.set(key, Uint8Array.of(index % 256))
    expect(await tier.read(keys)).toEqual(keys.map((_, index) => (index % 2 === 0 ? Uint8Array.of(index % 256) : undefined)))
    store.reads = 'held'
    store.calls.length = 0
    const late = tier.read(keys)
    await settle()
    clock.advance(1_083)
    await settle()
    expect(clock.timers).toBe(1)
    clock.advance(1)
    expect(await late).toBeUndefined()
    store.reads = 'works'
    store.release()
    await settle()
    expect([store.mostActive, store.count('get')]).toEqual([8, 8])
  })

  it('tells a store that only copies the options, or first looks at them when it is too late, that the read was given up', async () => {
    const { tier, clock } = setup<Store>({
      name: 'own',
      get: (_, options) => {
        const copy = { ...options }
        return new Promise((resolve) => {
          later = () => {
            seen.push(copy.signal?.aborted, options?.signal?.aborted)
            resolve(undefined)
          }
        })
      },
      set: () => {},
      delete: () => {},
    })
    const seen: unknown[] = []
    let later: (() => void) | undefined
    const late = tier.read(['a'])
    clock.advance(100)
    expect(await late).toBeUndefined()
    later?.()
    expect(seen).toEqual([true, true])
  })

  it('gives the value of a store that answers at once without a timer', async () => {
    const { tier, clock } = setup<Store>({
      name: 'own',
      get: () => {
        expect(clock.timers).toBe(0)
        return value
      },
      set: () => {},
      delete: () => {},
    })
    const read = tier.read(['a'])
    expect(clock.timers).toBe(0)
    expect(await read).toEqual([value])
  })

  it('takes null for nothing, as stores written in JavaScript have it', async () => {
    const { tier } = setup<Store>({ name: 'own', get: () => JSON.parse('null'), set: () => {}, delete: () => {} })
    expect(await tier.read(['a'])).toEqual([undefined])
  })

  it('R04 gives up at 100 ms, and drops the late reply', async () => {
    const { tier, store, clock, faults } = scripted()
    store.map.set('a', value)
    store.reads = 'held'
    const late = tier.read(['a'])
    clock.advance(99)
    await settle()
    const almost = tier.read(['a'])
    clock.advance(1)
    expect(await late).toBeUndefined()
    expect(faults).toEqual([{ doing: 'read', error: expect.any(DeadlineError) }])
    store.release()
    expect(await almost).toEqual([value])
    store.reads = 'works'
    expect(await tier.read(['b'])).toEqual([undefined])
    expect(clock.timers).toBe(0)
  })

  it('R04 tells the store when no caller waits any longer', async () => {
    let signal: AbortSignal | undefined
    const { tier, clock } = setup<Store>({
      name: 'own',
      get: (_, options) => {
        signal = options?.signal
        return new Promise(() => {})
      },
      set: () => {},
      delete: () => {},
    })
    const read = tier.read(['a'])
    await settle()
    expect(signal?.aborted).toBe(false)
    clock.advance(100)
    await read
    expect(signal?.aborted).toBe(true)
  })

  it.each<Manner>(['throws', 'rejects', 'garbage', 'never'])('R02 is nothing but a miss when the store %s', async (manner) => {
    const { tier, store, clock, faults } = scripted()
    store.reads = manner
    const read = tier.read(['a'])
    await settle()
    clock.advance(100)
    expect(await read).toBeUndefined()
    expect(faults).toEqual([{ doing: 'read', error: expect.any(Error) }])
    expect(clock.timers).toBe(0)
  })

  it.each<[string, unknown]>([
    ['too few values', [value]],
    ['too many values', [value, value, value]],
    ['no list', { 0: value, 1: value, length: 2 }],
    ['nothing', undefined],
    ['texts', ['a', 'b']],
  ])('R14 believes a store nothing that answers two keys with %s', async (_, answer) => {
    const getMany = () => Promise.resolve(answer)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const store = { name: 'own', get: () => undefined, set: () => {}, delete: () => {}, getMany } as Store
    const { tier, faults } = setup(store)
    expect(await tier.read(['a', 'b'])).toBeUndefined()
    expect(faults).toEqual([{ doing: 'read', error: expect.any(StoreError) }])
  })

  it('takes bytes of another realm, such as a sandbox of a test runner has', async () => {
    const { runInNewContext } = await import('node:vm')
    const foreign: unknown = runInNewContext('Uint8Array.of(1, 2, 3)')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const store = { name: 'own', get: () => foreign, set: () => {}, delete: () => {} } as unknown as Store
    expect(await setup(store).tier.read(['a'])).toEqual([foreign])
  })
})

describe('a store that goes on failing', () => {
  it.each<Manner>(['throws', 'rejects', 'garbage', 'never'])('R03 is asked no more after five times: %s', async (manner) => {
    const { tier, store, clock, states, lines } = scripted()
    store.reads = manner
    for (let time = 0; time < 5; time++) {
      const read = tier.read(['a'])
      await settle()
      clock.advance(100)
      await read
    }
    expect(states).toEqual(['read false'])
    const asked = store.calls.length
    expect(asked).toBe(5)
    for (let time = 0; time < 1_000; time++) expect(await tier.read(['a'])).toBeUndefined()
    expect(store.calls).toHaveLength(asked)
    expect(withoutReasons(lines)).toEqual(['llmemo: the store "scripted" is not answering; calls go on without it.'])
    expect(clock.timers).toBe(0)
  })

  it('R05 is probed by exactly one read, and used again when that works', async () => {
    const { tier, store, clock, states, lines } = scripted()
    store.reads = 'rejects'
    for (let time = 0; time < 5; time++) await tier.read(['a'])
    clock.advance(1_000)
    store.reads = 'held'
    const reads = Array.from({ length: 50 }, () => tier.read(['a']))
    await settle()
    expect(store.calls).toHaveLength(6)
    store.release()
    expect((await Promise.all(reads)).filter((read) => read !== undefined)).toEqual([[undefined]])
    store.reads = 'works'
    expect(await tier.read(['a'])).toEqual([undefined])
    expect(states).toEqual(['read false', 'read true'])
    expect(withoutReasons(lines)).toEqual([
      'llmemo: the store "scripted" is not answering; calls go on without it.',
      'llmemo: the store "scripted" is answering again.',
    ])
  })

  it('R03 comes back even if no read that it was asked before ever ends', async () => {
    const { tier, store, clock } = scripted()
    store.reads = 'never'
    const lost = Array.from({ length: 200 }, () => tier.read(['a']))
    await settle()
    expect(store.mostActive).toBe(64)
    clock.advance(100)
    clock.advance(100)
    await Promise.all(lost)
    store.reads = 'works'
    clock.advance(1_000)
    expect(await tier.read(['a'])).toEqual([undefined])
    expect(await tier.read(['a'])).toEqual([undefined])
    expect(clock.timers).toBe(0)
  })

  it('R06 has one line for each change of state in 100,000 calls', async () => {
    const { tier, store, clock, lines } = scripted()
    store.reads = 'rejects'
    for (let time = 0; time < 100_000; time++) await tier.read(['a'])
    clock.advance(1_000)
    store.reads = 'works'
    await tier.read(['a'])
    expect(lines).toHaveLength(2)
    expect(store.calls.length).toBeLessThan(10)
  })
})

describe('reading and writing', () => {
  it('R07 are judged apart: a store that takes no writes is read on', async () => {
    const { tier, store, states, lines } = scripted()
    store.map.set('a', value)
    store.writes = 'rejects'
    for (let time = 0; time < 5; time++) {
      tier.write(pending(`key ${time}`))
      await tier.flush()
    }
    expect(states).toEqual(['write false'])
    expect(withoutReasons(lines)).toEqual(['llmemo: the store "scripted" is not taking writes; calls go on without it.'])
    expect(await tier.read(['a'])).toEqual([value])
  })

  it('R07 are judged apart: a store that answers nothing is written on', async () => {
    const { tier, store, states } = scripted()
    store.reads = 'rejects'
    for (let time = 0; time < 5; time++) await tier.read(['a'])
    expect(states).toEqual(['read false'])
    tier.write(pending('b'))
    await tier.flush()
    expect(store.map.get('b')).toEqual(value)
  })
})

describe('writing to the store', () => {
  it('hands a batch to a store that takes many at once', async () => {
    const batches: unknown[] = []
    const { tier } = setup<Store>({
      name: 'own',
      get: () => undefined,
      set: () => expect.unreachable('there is setMany'),
      delete: () => {},
      setMany: (writes) => void batches.push(writes),
    })
    tier.write(pending('a', 5))
    tier.write(pending('b', 7))
    await tier.flush()
    expect(batches).toEqual([
      [
        { key: 'a', value, ttl: 5 },
        { key: 'b', value, ttl: 7 },
      ],
    ])
  })

  it.each<Manner>(['throws', 'rejects', 'never'])('reports, drops and goes on when the store %s', async (manner) => {
    const { tier, store, clock, faults, drops } = scripted()
    store.writes = manner
    for (let time = 0; time < 5; time++) {
      tier.write(pending(`lost ${time}`))
      await settle()
      if (manner === 'never') clock.advance(10_000)
      await tier.flush()
    }
    expect(faults.map(({ doing }) => doing)).toEqual(Array.from({ length: 5 }, () => 'write'))
    tier.write(pending('refused'))
    await tier.flush()
    expect(drops).toEqual(['refused'])
    store.writes = 'works'
    clock.advance(1_000)
    tier.write(pending('kept'))
    await tier.flush()
    expect([...store.map.keys()]).toEqual(['kept'])
    expect(clock.timers).toBe(0)
  })

  it('says of a write that is waited for whether it was done', async () => {
    const { tier, store, clock } = scripted()
    const write = { key: 'a', value, ttl: hour }
    expect(await tier.writeNow(write)).toBe(true)
    store.writes = 'rejects'
    expect(await tier.writeNow(write)).toBe(false)
    store.writes = 'never'
    const hung = tier.writeNow(write)
    await settle()
    clock.advance(10_000)
    expect(await hung).toBe(false)
  })

  it('does not wait for ever for a thenable that is no Promise', async () => {
    // oxlint-disable-next-line unicorn/no-thenable
    const hung = { then: () => {} }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const store = { name: 'own', get: () => hung, set: () => hung, delete: () => hung } as unknown as Store
    const { tier, clock } = setup(store)
    const all = [tier.read(['a']), tier.writeNow({ key: 'a', value, ttl: hour }), tier.delete('a')]
    await settle()
    clock.advance(10_000)
    expect(await Promise.all(all)).toEqual([undefined, false, false])
  })

  it('reads what waits or is under way rather than what is older', async () => {
    const { tier, store } = scripted()
    store.map.set('a', Uint8Array.of(9))
    store.map.set('b', Uint8Array.of(8))
    store.writes = 'held'
    tier.write(pending('a'))
    expect(await tier.read(['b', 'a', 'c'])).toEqual([Uint8Array.of(8), value, undefined])
    await settle()
    expect(await tier.read(['a'])).toEqual([value])
    expect(store.calls).toEqual(['get b', 'get c', 'set a'])
    store.release()
    await tier.flush()
    expect(await tier.read(['a'])).toEqual([value])
    expect(store.calls.at(-1)).toBe('get a')
  })

  it('R15 removes a key for good: neither a write that waits nor one that is under way brings it back', async () => {
    const { tier, store } = scripted()
    tier.write(pending('waits'))
    expect(await tier.delete('waits')).toBe(true)
    await tier.flush()
    expect(store.map.size).toBe(0)
    store.writes = 'held'
    tier.write(pending('under way'))
    await settle()
    const deleted = tier.delete('under way')
    await settle()
    store.release()
    expect(await deleted).toBe(true)
    await tier.flush()
    expect(store.map.size).toBe(0)
  })
})

describe('concurrency', () => {
  it('K07 is bounded: never more than 64 reads at a time, and every read is answered', async () => {
    const { tier, store, clock, faults } = scripted()
    for (let index = 0; index < 1_000; index++) store.map.set(`key ${index}`, Uint8Array.of(index % 251))
    store.reads = 'held'
    const all = Promise.all(Array.from({ length: 1_000 }, (_, index) => tier.read([`key ${index}`])))
    for (let wave = 0; wave < 1_000 / 64; wave++) {
      await settle()
      store.release()
    }
    const reads = await all
    expect(reads).toEqual(Array.from({ length: 1_000 }, (_, index) => [Uint8Array.of(index % 251)]))
    expect(store.mostActive).toBe(64)
    expect(faults).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('K07 does not take our own waiting for a fault of the store', async () => {
    const { tier, store, clock, states, faults } = scripted()
    store.reads = 'held'
    const first = Array.from({ length: 64 }, (_, index) => tier.read([`key ${index}`]))
    await settle()
    clock.advance(60)
    const waiting = Array.from({ length: 100 }, () => tier.read(['later']))
    await settle()
    clock.advance(39)
    store.release()
    store.reads = 'works'
    expect((await Promise.all(first)).every((read) => read !== undefined)).toBe(true)
    expect((await Promise.all(waiting)).every((read) => read !== undefined)).toBe(true)
    store.reads = 'held'
    const slow = Array.from({ length: 64 }, () => tier.read(['slow']))
    await settle()
    clock.advance(1)
    const late = Array.from({ length: 1_000 }, () => tier.read(['late']))
    clock.advance(98)
    store.release()
    await Promise.all(slow)
    clock.advance(100)
    store.release()
    await Promise.all(late)
    expect(states).toEqual([])
    expect(faults.every(({ error }) => error instanceof DeadlineError)).toBe(true)
    store.reads = 'works'
    expect(await tier.read(['a'])).toEqual([undefined])
  })
})

describe('listing keys', () => {
  it('waits for the writes before it', async () => {
    const { tier } = scripted()
    tier.write(pending('a:1'))
    tier.write(pending('b:1'))
    expect(await tier.listing.keys('a:')).toEqual(['a:1'])
  })

  it('is an error of ours where the store cannot, fails, or takes for ever', async () => {
    const none = setup<Store>({ name: 'own', get: () => undefined, set: () => {}, delete: () => {} })
    await expect(none.tier.listing.keys('')).rejects.toThrow(/"own" cannot list its keys, which patterns need/)
    const { tier, store, clock } = scripted()
    store.keys = () => {
      throw new Error('no')
    }
    await expect(tier.listing.keys('')).rejects.toThrow(StoreError)
    Object.assign(store, { keys: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) })
    const hung = tier.listing.keys('')
    await settle()
    clock.advance(10_000)
    await expect(hung).rejects.toThrow(StoreError)
  })
})

describe('closing', () => {
  it('P02 writes what waits, closes the store once, and is idle afterwards', async () => {
    const { tier, store, clock } = scripted()
    tier.write(pending('a'))
    await Promise.all([tier.close(), tier.close()])
    await tier.close()
    expect([...store.map.keys()]).toEqual(['a'])
    expect(store.closed).toBe(1)
    const asked = store.calls.length
    tier.write(pending('b'))
    await tier.flush()
    expect(await tier.read(['a'])).toBeUndefined()
    expect(await tier.writeNow({ key: 'c', value, ttl: hour })).toBe(false)
    expect(await tier.delete('a')).toBe(false)
    expect(await tier.listing.keys('')).toEqual([])
    expect(store.calls).toHaveLength(asked)
    expect(clock.timers).toBe(0)
  })

  it('P02 a second call waits for the first', async () => {
    const { tier, store } = scripted()
    store.writes = 'held'
    tier.write(pending('a'))
    await settle()
    void tier.close()
    let closed = false
    const second = tier.close().then(() => (closed = true))
    await settle()
    expect(closed).toBe(false)
    store.release()
    await second
    expect(store.closed).toBe(1)
  })

  it('P02 gives up what a hung store does not take, and tells of each', async () => {
    const { tier, store, clock, drops, faults } = scripted()
    store.writes = 'never'
    for (let index = 0; index < 150; index++) tier.write(pending(`key ${index}`))
    await settle()
    const closing = tier.close()
    clock.advance(10_000)
    await closing
    expect(drops).toHaveLength(50)
    expect(faults.length).toBeGreaterThan(0)
    expect(store.closed).toBe(1)
  })

  it('P02 is done even if the store throws or hangs at its end', async () => {
    for (const close of [() => expect.unreachable('the store throws at its end'), () => new Promise<void>(() => {})]) {
      const { tier, clock, faults } = setup<Store>({ name: 'own', get: () => undefined, set: () => {}, delete: () => {}, close })
      const closing = tier.close()
      await settle()
      clock.advance(10_000)
      await closing
      expect(faults).toHaveLength(1)
    }
  })
})

describe('what a store reports', () => {
  it('is one line and one event', () => {
    let report: ((message: string, cause?: unknown) => void) | undefined
    const store: Store = { name: 'own', get: () => undefined, set: () => {}, delete: () => {}, onReport: (given) => void (report = given) }
    const { lines, faults } = setup(store)
    const cause = new Error('beneath')
    report?.('The file was damaged.', cause)
    expect(lines).toEqual(['llmemo: The file was damaged.'])
    expect(faults).toEqual([{ doing: 'read', error: expect.objectContaining({ code: 'STORE_FAILED', cause }) }])
  })
})

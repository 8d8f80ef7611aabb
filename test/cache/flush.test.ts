/**
 * What `flush` tells of the writes before it.
 */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const quiet = { error() {}, warn() {}, info() {}, debug() {} }

describe('flush', () => {
  it('R04 tells that the store did not take a write, once, though memory has it', async () => {
    const store = new ScriptedStore()
    const cache = createCache({ store, clock: new ManualClock(), logger: quiet })
    await cache.set('first', 1)
    expect(await cache.flush()).toBe(true)
    store.writes = 'rejects'
    await cache.set('second', 2)
    expect(await cache.get('second')).toBe(2)
    expect(await cache.flush()).toBe(false)
    expect(await cache.flush()).toBe(true)
    store.writes = 'works'
    await cache.set('second', 2)
    expect(await cache.flush()).toBe(true)
  })

  it('R04 tells each of two callers at once', async () => {
    const store = new ScriptedStore()
    const cache = createCache({ store, clock: new ManualClock(), logger: quiet })
    store.writes = 'rejects'
    await cache.set('first', 1)
    expect(await Promise.all([cache.flush(), cache.flush()])).toEqual([false, false])
  })

  it('R07 tells of writes that an open breaker did not let through', async () => {
    const store = new ScriptedStore()
    const cache = createCache({ store, clock: new ManualClock(), logger: quiet })
    store.writes = 'rejects'
    for (let each = 0; each < 6; each++) {
      await cache.set('key', each)
      expect(await cache.flush()).toBe(false)
    }
    const { length } = store.calls
    await cache.set('key', 7)
    expect(await cache.flush()).toBe(false)
    expect(store.calls.slice(length).filter((call) => call.startsWith('set'))).toEqual([])
  })

  it('is well without a store', async () => {
    const cache = createCache()
    await cache.set('key', 1)
    expect(await cache.flush()).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { callerOf, openCache } from '../support/chat.ts'

/** A store of the user's own, with other methods in the places of some. */
function storeWith(methods: object): Store {
  const store = memoryStore()
  return {
    name: 'own',
    get: (key) => store.get(key),
    set: (key, value, options) => store.set(key, value, options),
    delete: (key) => store.delete(key),
    ...methods,
  }
}

describe('a store of the user’s own', () => {
  it.each([true, 'OK', null, undefined, 1])('G47 whose setIfAbsent says %j and not what is there is told of in one line', async (said) => {
    const { cache, told } = openCache({ store: storeWith({ setIfAbsent: () => said }) })
    const caller = callerOf(cache)
    for (let call = 0; call < 4; call++) {
      expect(await caller.ask('q')).toBe('re: q')
      await cache.flush()
    }
    expect(told.lines).toEqual([
      'llmemo: the store "own" is not taking writes (the store "own" answered something that is no Uint8Array); calls go on without it.',
    ])
    expect(cache.stats().errors).toBeGreaterThan(0)
  })
})

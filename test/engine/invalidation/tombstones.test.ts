import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tombstones } from '../../../src/engine/invalidation/tombstones.ts'
import { openCache, settle } from '../../support/chat.ts'

describe('removals', () => {
  it('are known by their keys, from whenever on one asks', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<string[]>('a', 'b', 'c')), fc.nat(20), (keys, from) => {
        const removals = new Tombstones()
        for (const key of keys.slice(0, from)) removals.note(key)
        const { count } = removals
        for (const key of keys.slice(from)) removals.note(key)
        for (const key of ['a', 'b', 'c']) expect(removals.since(key, count)).toBe(keys.slice(from).includes(key))
      }),
    )
  })

  it('I6 are not remembered without end, and what is forgotten counts as removed', () => {
    const removals = new Tombstones()
    const { count } = removals
    for (let index = 0; index < 20_000; index++) removals.note(`key ${index}`)
    expect([removals.since('key 5', count), removals.since('never', count)]).toEqual([true, true])
    expect([removals.since('key 19999', removals.count), removals.since('never', removals.count)]).toEqual([false, false])
  })

  it('K09 keep a value out that was being made when its key was removed', async () => {
    const { cache } = openCache()
    const { promise, resolve } = Promise.withResolvers<string>()
    const making = cache.wrap('key', undefined, () => promise)
    await settle()
    await cache.del('key')
    resolve('late')
    expect([await making, await cache.get('key')]).toEqual(['late', undefined])
  })
})

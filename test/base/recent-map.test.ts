import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecentMap } from '../../src/base/recent-map.ts'

describe('a map in the order of setting', () => {
  it('is a Map whose members are deleted and set again', () => {
    const step = fc.record({ what: fc.constantFrom('set', 'delete', 'drop the oldest'), key: fc.constantFrom('a', 'b', 'c', '__proto__') })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const map = new RecentMap<number>()
        const expected = new Map<string, number>()
        for (const [index, { what, key }] of steps.entries()) {
          const named = what === 'drop the oldest' ? map.oldest?.key : key
          if (named !== undefined) expected.delete(named)
          if (what === 'set') {
            map.set(key, index)
            expected.set(key, index)
          } else if (named !== undefined) map.delete(named)
          const [oldest] = expected
          expect([...map.entries()]).toEqual([...expected])
          expect([map.size, map.get(key), map.oldest?.key, map.oldest?.value]).toEqual([
            expected.size,
            expected.get(key),
            ...(oldest ?? [undefined, undefined]),
          ])
        }
      }),
    )
  })

  it('lets its reader remove what it has', () => {
    const map = new RecentMap<number>()
    for (const [number, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, number)
    for (const [key, number] of map.entries()) if (number % 2 === 0) map.delete(key)
    expect([...map.entries()]).toEqual([
      ['b', 1],
      ['d', 3],
    ])
  })
})

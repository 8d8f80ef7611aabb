import { describe, expect, it } from 'vitest'
import { distinct } from '../../src/base/distinct.ts'

describe('a list without repetitions', () => {
  it.each([
    [[], []],
    [['a'], ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      ['b', 'a', 'b', 'a'],
      ['b', 'a'],
    ],
    [['a', 'a'], ['a']],
  ])('of %j is %j', (given, expected) => {
    expect(distinct(given)).toEqual(expected)
  })
})

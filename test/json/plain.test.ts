import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInertJson, isPlainJson } from '../../src/json/plain.ts'
import { values } from '../support/json-values.ts'

/** Whether every number in it is small enough to be exact. */
function isExact(value: unknown): boolean {
  return !/\d{16}|e\+/.test(JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? '' : each)))
}

class Held {
  readonly a = 1
}

describe('a value that is what JSON makes of it', () => {
  it('is any value read from JSON without numbers that may be rounded', () => {
    fc.assert(
      fc.property(values.filter(isExact), (value) => {
        expect(isPlainJson(value)).toBe(true)
      }),
    )
  })

  it('is equal after writing and reading', () => {
    const held = fc.anything().map((value) => ({ value }))
    fc.assert(
      fc.property(
        held.filter((value) => isPlainJson(value)),
        (value) => {
          const text = JSON.stringify(value)
          expect(JSON.stringify(JSON.parse(text))).toBe(text)
        },
      ),
    )
  })

  it('may have members that are undefined', () => {
    expect(isPlainJson({ a: undefined, b: [{ c: undefined }] })).toBe(true)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    // oxlint-disable-next-line no-sparse-arrays -- the test needs a hole
    ['a hole', [1, , 2]],
    ['NaN', Number.NaN],
    ['infinity', [Infinity]],
    ['a number that is rounded', 2 ** 53],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a lone surrogate', '\ud800'],
    ['a name with a lone surrogate', { '\udfff': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map([[1, 2]])],
    ['bytes', new Uint8Array(2)],
    ['an object of a class', new Held()],
    ['an array of a class', new (class List extends Array {})()],
    ['an object without a prototype', Object.create(null)],
    ['an object with toJSON', { toJSON: () => 1 }],
    ['an array with toJSON', Object.assign([1], { toJSON: () => 1 })],
    ['a boxed text', Object('a')],
    ['a proxy of a function', new Proxy(() => 1, {})],
    ['a deeply nested value', JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`)],
  ])('is not %s', (_, value) => {
    expect(isPlainJson(value)).toBe(false)
    expect(isPlainJson({ held: [value] })).toBe(value === undefined ? false : isPlainJson(value))
  })
})

describe('a value that may be read again with the same result', () => {
  it('is any plain value without getters', () => {
    const held = fc.anything().map((value) => ({ value }))
    fc.assert(
      fc.property(held, (value) => {
        expect(isInertJson(value)).toBe(isPlainJson(value))
      }),
    )
  })

  it('G62: is none with a getter, which is not called', () => {
    let calls = 0
    const counted = { get: () => ++calls, enumerable: true }
    expect(isInertJson({ a: [Object.defineProperty({}, 'b', counted)] })).toBe(false)
    expect(isInertJson(Object.defineProperty([1], 0, counted))).toBe(false)
    expect(calls).toBe(0)
  })
})

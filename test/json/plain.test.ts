import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copiedJson, isPlainJson } from '../../src/json/plain.ts'
import { values } from '../support/json-values.ts'

/** Whether no number in it is so large that it may have been rounded. */
function isExact(value: unknown): boolean {
  return !/\d{16}|e\+/.test(JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? '' : each)))
}

class Held {
  readonly a = 1
}

describe('a value that is what JSON makes of it', () => {
  it('is any that was read from JSON, save for numbers that may be rounded', () => {
    fc.assert(
      fc.property(values.filter(isExact), (value) => {
        expect(isPlainJson(value)).toBe(true)
      }),
    )
  })

  it('is read again as it was', () => {
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
    // oxlint-disable-next-line no-sparse-arrays -- it is what this is about
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
    ['an object that says what it is', { toJSON: () => 1 }],
    ['an array that says what it is', Object.assign([1], { toJSON: () => 1 })],
    ['a boxed text', Object('a')],
    ['a proxy of a function', new Proxy(() => 1, {})],
    ['what is nested deep', JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`)],
  ])('is not %s', (_, value) => {
    expect(isPlainJson(value)).toBe(false)
    expect(isPlainJson({ held: [value] })).toBe(value === undefined ? false : isPlainJson(value))
  })
})

describe('a copy of such a value', () => {
  it('is equal, to the order of its members, and shares no object with it', () => {
    fc.assert(
      fc.property(values.filter(isExact), (value) => {
        const copy = copiedJson(value)
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
        const owned = objectsIn(copy)
        for (const object of objectsIn(value)) expect(owned.has(object)).toBe(false)
      }),
    )
  })
})

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null) return found
  found.add(value)
  for (const member of Object.values(value)) objectsIn(member, found)
  return found
}

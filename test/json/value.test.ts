import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from '../../src/json/value.ts'
import { NotKeyableError } from '../../src/errors.ts'

class Point {
  readonly x = 1
}

class Hidden {
  readonly #x = 1
  get x(): number {
    return this.#x
  }
}

const circle: unknown[] = []
circle.push(circle)

describe('jsonText', () => {
  it('is a text from which JSON.parse reads the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it.each<[string, unknown, unknown]>([
    ['a member that is undefined', { a: undefined, b: 1 }, { b: 1 }],
    ['a date, as its text', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['an object of a class, as its members', new Point(), { x: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['a name of Object.prototype', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
    ['a lone surrogate', 'a\ud800', 'a\ud800'],
    ['an empty object', {}, {}],
  ])('takes %s', (_, value, expected) => {
    expect(JSON.parse(jsonText(value))).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', Array.from({ length: 1 }).concat(1)],
    ['a function', () => {}],
    ['a function within', { a: () => {} }],
    ['a symbol', Symbol('s')],
    ['a bigint', 5n],
    ['NaN', { a: Number.NaN }],
    ['Infinity', [Infinity]],
    ['a Map', new Map([[1, 2]])],
    ['a Set', { a: new Set([1]) }],
    ['bytes', new Uint8Array(3)],
    ['a buffer of bytes', new ArrayBuffer(3)],
    ['an error', new Error('secret')],
    ['a promise', Promise.resolve(1)],
    ['a regular expression', /a/],
    ['an object that hides what it holds', new Hidden()],
    ['a circle', circle],
    ['a value nested 100,000 levels deep', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ])('refuses %s', (_, value) => {
    expect(() => jsonText(value)).toThrow(NotKeyableError)
  })

  it('I7 names the place, and nothing of its content', () => {
    expect(() => jsonText({ a: { b: new Map([['secret', 'secret']]) } })).toThrow(/^llmemo: b is Map, /)
    const own: Record<string, unknown> = { secretName: { secret: 1 } }
    own['self'] = own
    expect(() => jsonText(own)).toThrow(/^llmemo: the value is a circle, which has no canonical JSON; no key can be made of it\.$/)
  })
})

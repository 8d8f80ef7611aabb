import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { fromTagged, isTaggedBytes, joinTaggedBytes, toTagged } from '../../src/json/tagged.ts'
import { EntryError, NotKeyableError } from '../../src/errors.ts'

/** The value after writing it as text and reading it. */
function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(toTagged(value)))
}

function refusal(value: unknown): unknown {
  try {
    return toTagged(value)
  } catch (error) {
    return error
  }
}

/** A value with a member `__proto__`, which an object literal would read as its prototype. */
function withMember(name: string, value: unknown): object {
  return Object.fromEntries([[name, value]])
}

describe('tagged JSON', () => {
  it.each<[string, unknown, unknown]>([
    ['bytes', { data: Uint8Array.of(0, 255, 16) }, { data: { $bytes: 'AP8Q' } }],
    ['no bytes', new Uint8Array(), { $bytes: '' }],
    ['part of a buffer', Uint8Array.of(1, 2, 3).subarray(1, 2), { $bytes: 'Ag==' }],
    ['a date', { at: new Date(0) }, { at: { $date: '1970-01-01T00:00:00.000Z' } }],
    ['a value that looks like bytes', { $bytes: 'AP8Q' }, { $$bytes: 'AP8Q' }],
    ['a value that looks like escaped bytes', { $$bytes: 'AP8Q' }, { $$$bytes: 'AP8Q' }],
    ['an unknown member', { $unknown: ['x', { $y: 1 }] }, { $$unknown: ['x', { $$y: 1 }] }],
    ['a dollar sign at another place', { a$: '$bytes' }, { a$: '$bytes' }],
  ])('writes %s', (_, value, tagged) => {
    expect(toTagged(value)).toStrictEqual(tagged)
    expect(fromTagged(stored(value))).toStrictEqual(value)
  })

  it('reads back what it wrote', () => {
    const bytes = fc.uint8Array({ maxLength: 20 })
    const name = fc.oneof(fc.string(), fc.constantFrom('$bytes', '$date', '$', '$$bytes', '__proto__', 'constructor', 'toJSON'))
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
        fc.boolean(),
        fc.constant(null),
        bytes,
        fc.date({ noInvalidDate: true }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, (given) => {
        // The matcher would compare members named `constructor` by identity.
        expect(isDeepStrictEqual(fromTagged(stored(given)), given)).toBe(true)
      }),
    )
  })

  it('leaves out members that are undefined, as JSON does', () => {
    expect(toTagged({ a: undefined, b: { c: undefined } })).toStrictEqual({ b: {} })
  })

  it('takes bytes of a subclass or another realm, and returns plain bytes with their own memory', () => {
    for (const given of [Buffer.from('hi'), runInNewContext('Uint8Array.of(104, 105)') as unknown]) {
      const found = fromTagged(stored({ given }))
      expect(found).toStrictEqual({ given: Uint8Array.of(104, 105) })
      expect(Object(Reflect.get(Object(found), 'given')).buffer.byteLength).toBe(2)
    }
  })

  it('takes plain objects of another realm, and those without a prototype', () => {
    expect(toTagged(runInNewContext('({ a: [{ b: 1 }] })'))).toStrictEqual({ a: [{ b: 1 }] })
    expect(toTagged(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
  })

  it('never changes a prototype', () => {
    const given = withMember('__proto__', { poisoned: Uint8Array.of(1) })
    const tagged = JSON.stringify(toTagged(given))
    expect(tagged).toBe('{"__proto__":{"poisoned":{"$bytes":"AQ=="}}}')
    const found = Object(fromTagged(JSON.parse(tagged)))
    expect(Object.keys(found)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    expect(Reflect.get({}, 'poisoned')).toBeUndefined()
  })

  it('changes neither the value that it writes nor the one that it reads', () => {
    const given = { $a: [Uint8Array.of(1), { b: undefined }] }
    const tagged = toTagged(given)
    expect(given).toStrictEqual({ $a: [Uint8Array.of(1), { b: undefined }] })
    const before = structuredClone(tagged)
    fromTagged(tagged)
    expect(tagged).toStrictEqual(before)
  })

  const circle: Record<string, unknown> = {}
  circle['itself'] = circle

  it.each<[string, unknown, string]>([
    // The SDK reads a number that is too large for JavaScript as one of these.
    ['a bigint', { input: [{ id: 12345678901234567890n }] }, 'input[0].id'],
    [
      'an instance of a class',
      {
        a: new (class NumericValue {
          string = '1.5'
        })(),
      },
      'a',
    ],
    ['NaN', { a: Number.NaN }, 'a'],
    ['an infinity', [-Infinity], '[0]'],
    ['a function', { a: () => 1 }, 'a'],
    ['a symbol', { a: Symbol('s') }, 'a'],
    ['undefined in a list', { a: [undefined] }, 'a[0]'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole in a list', [1, , 2], '[1]'],
    ['a map', { a: new Map() }, 'a'],
    ['another kind of bytes', { a: new Uint16Array(1) }, 'a'],
    ['an invalid date', { a: new Date(Number.NaN) }, 'a'],
    ['a stream', { a: new ReadableStream() }, 'a'],
    ['a circle', circle, 'the value'],
    ['undefined alone', undefined, ''],
  ])('refuses %s, and says where, but not what it is', (_, value, path) => {
    const error = refusal(value)
    expect(error).toBeInstanceOf(NotKeyableError)
    expect(error).toHaveProperty('path', path)
    expect(String(error)).not.toContain('1234567890')
  })

  it.each([{ $number: '1' }, { a: [{ $bytes: 1 }] }, { $date: null }])('refuses to read the unknown tag in %j', (value) => {
    expect(() => fromTagged(value)).toThrow(EntryError)
  })
})

describe('tagged bytes', () => {
  it('are joined as bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        const [a, b] = [toTagged(first), toTagged(second)]
        if (!isTaggedBytes(a) || !isTaggedBytes(b)) throw new TypeError('no bytes')
        expect(fromTagged(joinTaggedBytes(a, b))).toStrictEqual(Uint8Array.of(...first, ...second))
      }),
    )
  })

  it('are distinguished from all other values', () => {
    expect([{ $bytes: 'AA==' }, { $bytes: 1 }, { $$bytes: 'AA==' }, 'AA==', null].map(isTaggedBytes)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})

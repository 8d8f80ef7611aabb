import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NotKeyableError } from '../../src/errors.ts'
import { canonicalJson } from '../../src/json/canonical.ts'
import { changedAt, neighbours, placesIn, plainNames, plainValues, reversed, values } from '../support/json-values.ts'

const whole = { longText: Infinity }
const short = { longText: 8 }

const digest = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const saying = (json: unknown) => ({ secret: 'member', toJSON: () => json })
const composed = (text: string) => text.normalize('NFC')
class Secretive {
  readonly #secret = 1

  has(): boolean {
    return this.#secret === 1
  }
}

/** The error for `value`. */
function refusalOf(value: unknown, name?: string): NotKeyableError {
  try {
    canonicalJson(value, whole, name)
  } catch (error) {
    if (error instanceof NotKeyableError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('canonicalJson', () => {
  it('T05 agrees with another implementation of RFC 8785', () => {
    fc.assert(
      fc.property(plainValues, (value) => {
        expect(canonicalJson(value, whole)).toBe(canonicalize(value))
      }),
    )
  })

  it('T05 writes numbers as RFC 8785 lists them', () => {
    // Source: https://www.rfc-editor.org/rfc/rfc8785#appendix-B
    const bits: readonly [bits: bigint, text: string][] = [
      [0x0000000000000000n, '0'],
      [0x8000000000000000n, '0'],
      [0x0000000000000001n, '5e-324'],
      [0x8000000000000001n, '-5e-324'],
      [0x7fefffffffffffffn, '1.7976931348623157e+308'],
      [0x4340000000000000n, '9007199254740992'],
      [0x4430000000000000n, '295147905179352830000'],
      [0x44b52d02c7e14af5n, '9.999999999999997e+22'],
      [0x44b52d02c7e14af6n, '1e+23'],
      [0x444b1ae4d6e2ef4en, '999999999999999700000'],
      [0x444b1ae4d6e2ef50n, '1e+21'],
      [0x3eb0c6f7a0b5ed8cn, '9.999999999999997e-7'],
      [0x3eb0c6f7a0b5ed8dn, '0.000001'],
      [0x41b3de4355555553n, '333333333.3333332'],
      [0x41b3de4355555556n, '333333333.3333334'],
      [0x41b3de4355555557n, '333333333.33333343'],
      [0x43143ff3c1cb0959n, '1424953923781206.2'],
      [0xbecbf647612f3696n, '-0.0000033333333333333333'],
    ]
    for (const [number, text] of bits) expect(canonicalJson(new Float64Array(new BigUint64Array([number]).buffer)[0], whole)).toBe(text)
  })

  it('T03 two values have the same text only if they are equal', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        expect(canonicalJson(first, short) === canonicalJson(second, short)).toBe(isDeepStrictEqual(first, second))
      }),
    )
  })

  it('T03 every single change gives another text', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value, short)
        for (const other of neighbours(value)) expect(canonicalJson(other, short)).not.toBe(text)
      }),
    )
  })

  it('T04 the order of members makes no difference', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(canonicalJson(reversed(value), short)).toBe(canonicalJson(value, short))
      }),
    )
  })

  it('T04 the order of very many members makes no difference either', () => {
    const members = fc.uniqueArray(fc.tuple(plainNames, fc.integer()), { selector: ([name]) => name, minLength: 10, maxLength: 40 })
    fc.assert(
      fc.property(members, (many) => {
        const text = canonicalJson(Object.fromEntries(many), whole)
        expect(text).toBe(canonicalize(Object.fromEntries(many)))
        expect(canonicalJson(Object.fromEntries(many.toReversed()), whole)).toBe(text)
      }),
    )
  })

  it('writes names correctly, however many it has seen before', () => {
    for (let index = 0; index < 2_500; index++) expect(canonicalJson({ [`$"${index}`]: 1 }, whole)).toBe(`{"$$\\"${index}":1}`)
    expect(canonicalJson({ '$"0': 1 }, whole)).toBe('{"$$\\"0":1}')
  })

  it('T04 a member that is undefined counts as missing', () => {
    expect(canonicalJson({ b: undefined, a: 1, c: { d: undefined } }, whole)).toBe('{"a":1,"c":{}}')
  })

  it('reads every object as JSON.stringify would', () => {
    class Question {
      readonly role = 'user'
      #hidden = 'x'
      get content(): string {
        return this.#hidden
      }
    }
    const bare: unknown = Object.assign(Object.create(null), { a: 1 })
    for (const value of [new Question(), bare, Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } })]) {
      expect(canonicalJson(value, whole)).toBe(JSON.stringify(value))
    }
  })

  it('reads the plain objects of another realm', () => {
    expect(canonicalJson(runInNewContext('({ b: [1, { c: "x" }], a: null })'), whole)).toBe('{"a":null,"b":[1,{"c":"x"}]}')
    expect(refusalOf(runInNewContext('new Map([[1, 2]])')).message).toContain('Map')
  })

  it('B09 __proto__ is an ordinary member and changes no prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}')
    expect(canonicalJson(value, whole)).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}')
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

describe('canonicalJson on toJSON', () => {
  it('writes a Date, a URL or a Decimal as the result of its toJSON', () => {
    expect(canonicalJson({ at: new Date(0) }, whole)).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
    expect(canonicalJson([new URL('https://example.org')], whole)).toBe('["https://example.org/"]')
    expect(canonicalJson(saying({ b: 1, a: [2] }), whole)).toBe('{"a":[2],"b":1}')
  })

  it('passes the name or index to toJSON, and does not call toJSON on its result', () => {
    const named = { toJSON: (key: string) => `at ${key}` }
    class Again {
      readonly n = 1
      toJSON(): this {
        return this
      }
    }
    const list = Object.assign([1, 2], { toJSON: () => 'a list' })
    for (const value of [named, { member: named }, [0, named], new Again(), [new Again()], [list]]) {
      expect(canonicalJson(value, whole)).toBe(JSON.stringify(value))
    }
  })

  it.each([undefined, Number.NaN, 1n, Symbol('x'), () => 1, new Map(), '\uD800'])(
    'refuses a toJSON result that JSON cannot hold: %s',
    (json) => {
      expect(refusalOf({ a: [saying(json)] }).path).toBe('a[0]')
    },
  )

  it('refuses an object whose own code throws, with the error as its cause', () => {
    const cause = new RangeError('Invalid time value')
    const fail = () => {
      throw cause
    }
    const throwing = [
      { toJSON: fail },
      Object.defineProperty({}, 'text', { get: fail, enumerable: true }),
      Object.defineProperty({}, 'toJSON', { get: fail }),
      new Proxy({}, { ownKeys: fail }),
      new Proxy({}, { getPrototypeOf: fail }),
    ]
    for (const value of throwing) {
      const refusal = refusalOf({ a: [value] })
      expect(refusal.cause).toBe(cause)
      expect(refusal.path).toMatch(/^a\[0\]/)
      expect(refusal.message).not.toContain('time')
    }
  })
})

describe('canonicalJson on long texts and bytes', () => {
  it.each([
    ['ASCII', 'x'],
    ['Latin', 'é'],
    ['astral', '😀'],
    ['quoted', '"'],
  ])('counts characters, not code units or bytes: %s', (_, character) => {
    expect(canonicalJson(character.repeat(1_000), { longText: 1_000 })).toBe(JSON.stringify(character.repeat(1_000)))
    const long = character.repeat(1_001)
    expect(canonicalJson(long, { longText: 1_000 })).toBe(`{"$text":["${digest(long)}",1001]}`)
  })

  it('counts the characters of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 9, maxLength: 200 }), (text) => {
        const characters = Array.from(text).length
        expect(canonicalJson(text, { longText: characters })).toBe(JSON.stringify(text))
        expect(canonicalJson(text, { longText: characters - 1 })).toBe(`{"$text":["${digest(text)}",${characters}]}`)
      }),
    )
  })

  it('T01 no object or text of the caller can look like a long text or like bytes', () => {
    const long = 'x'.repeat(9)
    const bytes = new Uint8Array([1, 2])
    const forged = [
      JSON.parse(canonicalJson(long, short)),
      canonicalJson(long, short),
      JSON.parse(canonicalJson(bytes, short)),
      JSON.parse('{"$$text":["x",9]}'),
    ]
    const written = [long, bytes, ...forged].map((value: unknown) => canonicalJson(value, short))
    expect(new Set(written).size).toBe(written.length)
  })

  it('treats Uint8Array, Buffer and ArrayBuffer as the same bytes, and a view as its part', () => {
    const data = new Uint8Array([0, 1, 2, 3])
    const text = `{"$bytes":["${digest(data)}",4]}`
    const within = new Uint8Array([9, 0, 1, 2, 3, 9]).subarray(1, 5)
    for (const same of [data, Buffer.from(data), data.buffer, within]) expect(canonicalJson(same, whole)).toBe(text)
    expect(canonicalJson(new Uint8Array(0), whole)).not.toBe(canonicalJson('', whole))
  })

  it('refuses transferred bytes, because all of them would look the same', () => {
    const bytes = new Uint8Array([1])
    structuredClone(bytes, { transfer: [bytes.buffer] })
    expect(refusalOf([bytes]).path).toBe('[0]')
    expect(refusalOf(bytes.buffer).path).toBe('')
  })

  it('T02 writes a text of a megabyte as its digest', () => {
    const million = 'é'.repeat(1_000_000)
    expect(canonicalJson([million], { longText: 1_000 })).toBe(`[{"$text":["${digest(million)}",1000000]}]`)
    expect(canonicalJson({ [million]: 1 }, { longText: 1_000 })).toBe(JSON.stringify({ [million]: 1 }))
  })

  it('T02 folds texts, but not names, when configured', () => {
    expect(canonicalJson({ 'cafe\u0301': 'cafe\u0301' }, { longText: 1_000, text: composed })).toBe('{"cafe\u0301":"café"}')
    expect(canonicalJson('cafe\u0301', whole)).not.toBe(canonicalJson('café', whole))
  })
})

describe('what canonicalJson refuses', () => {
  const circle: { self?: unknown } = {}
  circle.self = [circle]
  const refused: readonly (readonly [name: string, value: unknown])[] = [
    ['undefined', undefined],
    ['a hole', Array.from({ length: 1 })],
    ['a function', () => 1],
    ['a class', Secretive],
    ['a symbol', Symbol('secret')],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['a high surrogate alone', 'a\uD800'],
    ['a low surrogate alone', '\uDC00a'],
    ['a long text with a lone surrogate', `${'x'.repeat(5_000)}\uD800`],
    ['a lone surrogate in a name', { ['\uD800']: 1 }],
    ['a Map', new Map([['secret', 1]])],
    ['an empty Map', new Map()],
    ['a Set', new Set(['secret'])],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a Promise', Promise.resolve('secret')],
    ['a RegExp', /secret/],
    ['an Error', new Error('secret')],
    ['an Error with members', Object.assign(new Error('secret'), { code: 1 })],
    ['a ReadableStream', new ReadableStream()],
    ['a Blob', new Blob(['secret'])],
    ['a File', new File(['secret'], 'secret.txt')],
    ['a FormData', new FormData()],
    ['Headers', new Headers({ secret: '1' })],
    ['URLSearchParams', new URLSearchParams('secret=1')],
    ['an AbortSignal', new AbortController().signal],
    ['a generator', (function* () {})()],
    ['a boxed text', new String('secret')], // oxlint-disable-line no-new-wrappers
    ['a boxed number', new Number(1)], // oxlint-disable-line no-new-wrappers
    ['a class instance without members', new Secretive()],
    ['a Float32Array', new Float32Array([1])],
    ['an Int8Array', new Int8Array([1])],
    ['a Uint8ClampedArray', new Uint8ClampedArray([1])],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['a circle', circle],
    ['501 levels', nested(501)],
    ['B10 a hundred thousand levels', nested(100_000)],
  ]

  it.each(refused)('T05 %s', (_, value) => {
    const refusal = refusalOf({ messages: ['fine', [value]] }, 'request')
    expect(refusal.code).toBe('NOT_KEYABLE')
    expect(refusal.path).toMatch(/^request\.messages\[1\]\[0\]/)
    expect(refusal.message).not.toMatch(/secret/)
    expect(refusal.message).toContain('no key can be made of it')
    expect(refusal.path.length).toBeLessThan(200)
  })

  it('T05 takes 498 levels of nesting, and an object that appears twice without a circle', () => {
    expect(canonicalJson(nested(498), whole)).toContain('[1]')
    const twice = { a: 1 }
    expect(canonicalJson([twice, twice], whole)).toBe('[{"a":1},{"a":1}]')
  })

  it('I7 tells the place and never the content', () => {
    const secret = 'the prompt of someone'
    const whatever = fc.constantFrom<unknown>(Number.NaN, undefined, 1n, new Map([[secret, secret]]), `${secret}\uD800`, {
      [`${secret}\uD800`]: 1,
    })
    const secretive = fc.jsonValue({ stringUnit: fc.constant(secret) })
    fc.assert(
      fc.property(secretive, fc.nat(), whatever, (value, which, bad) => {
        const places = placesIn(value)
        const spoilt = changedAt(value, places[which % places.length] ?? [], (at) => [at, bad])
        const refusal = refusalOf(spoilt)
        for (const text of [refusal.message, refusal.path, String(refusal), refusal.stack]) expect(text).not.toContain('prompt')
        expect(refusal.cause).toBeUndefined()
      }),
    )
  })
})

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

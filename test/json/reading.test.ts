import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInertJson } from '../../src/json/plain.ts'
import { Reading } from '../../src/json/reading.ts'

function read(value: unknown): Reading | undefined {
  const reading = new Reading()
  return reading.addRecord(value) ? reading : undefined
}

/** Plain objects with few names and values, so that two of them are often nearly alike. */
const { record } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('', 'a', 'b', 'ab', 0, -0, 1, 1.5, true, false, null),
    tie('record'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  record: fc.dictionary(fc.constantFrom('a', 'b', '0', '__proto__', 'length'), fc.oneof(fc.constant(undefined), tie('value')), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}))

describe('a reading', () => {
  it('is the same for two requests exactly if they are written as the same text', () => {
    fc.assert(
      fc.property(record, record, (first, second) => {
        const [one, other] = [read(first), read(second)]
        if (one === undefined || other === undefined) throw new Error('it was not read')
        const isSame = JSON.stringify(first) === JSON.stringify(second)
        expect(one.isSame(other)).toBe(isSame)
        expect(isSame && one.sum !== other.sum).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes all that is inert, and keeps it', () => {
    fc.assert(
      fc.property(record, (value) => {
        const reading = read(value)
        expect(reading !== undefined).toBe(isInertJson(value))
        expect(reading?.owned().isSame(read(structuredClone(value)) ?? new Reading())).toBe(true)
      }),
    )
  })

  it('tells texts apart that differ at any place', () => {
    const text = 'an answer that is long enough to have places between those that the sum is made of'
    for (let index = 0; index < text.length; index++) {
      const other = `${text.slice(0, index)}#${text.slice(index + 1)}`
      expect(read({ text })?.isSame(read({ text: other }) ?? new Reading())).toBe(false)
    }
  })

  it.each(['Q', 'Item', 'Question', 'Tell me of number'])('gives the sums of "%s" with a number behind it to few others', (before) => {
    const sums = Array.from({ length: 1_000 }, (_, number) => read({ text: `${before} ${100 + number}` })?.sum)
    expect(new Set(sums).size).toBeGreaterThan(990)
  })

  it.each([
    ['a getter', Object.defineProperty({ b: 1 }, 'a', { get: () => expect.unreachable(), enumerable: true })],
    ['a getter inside', { a: [{ b: Object.defineProperty({}, 'c', { get: () => expect.unreachable(), enumerable: true }) }] }],
    ['a getter of a list', { a: Object.defineProperty([1, 2], 1, { get: () => expect.unreachable(), enumerable: true }) }],
    ['a toJSON', { a: { toJSON: () => expect.unreachable() } }],
    ['an instance of a class', { a: new Date(0) }],
    ['an object without a prototype', { a: Object.create(null) }],
    ['a list of a class of its own', { a: new (class extends Array {})() }],
    ['bytes', { a: new Uint8Array(2) }],
    ['a function', { a: () => expect.unreachable() }],
    ['a symbol', { a: Symbol('a') }],
    ['a large integer', { a: 1n }],
    ['a hole in a list', { a: Array.from({ length: 2 }) }],
    ['a member under a symbol', { [Symbol('a')]: 1 }],
    ['a member that is not listed', Object.defineProperty({ b: 1 }, 'a', { value: 1 })],
    ['a list', [1]],
    ['a text', 'a'],
    ['nothing', undefined],
  ])('refuses %s, and calls no code', (_, value) => {
    expect(read(value)).toBeUndefined()
  })

  it('refuses what is nested too deep', () => {
    let value: object = {}
    for (let depth = 0; depth < 101; depth++) value = { value }
    expect(read(value)).toBeUndefined()
    expect(read(Object.values(value)[0])).toBeDefined()
  })

  it('two numbers that are not plain are not the same', () => {
    expect(read({ a: Number.NaN })?.isSame(read({ a: Number.NaN }) ?? new Reading())).toBe(false)
  })
})

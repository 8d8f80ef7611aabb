import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LongValues } from '../../src/json/long-values.ts'

/** Texts around the length from which they are set aside, with all that may end a string too early. */
const texts = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('"', '\\', '\\"', '[', ']', ':', ',', '😀', 'a'), fc.nat(1_200))
  .map(([text, filling, length]) => text + filling.repeat(length) + text)
const lists = fc
  .tuple(fc.constantFrom<unknown>(0.012345, -1e-7, 12, null, true, {}), fc.nat(300))
  .map(([each, length]) => Array.from({ length }, () => each))
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    lists,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), texts), tie('value'), { maxKeys: 4 }),
  ),
}))

describe('long values of JSON', () => {
  it('are the same once they are put back, in any order and as often as they are used', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 3 }), fc.constantFrom(undefined, 1), (given, space) => {
        const long = new LongValues()
        const texts = given.map((value) => JSON.stringify(value, null, space))
        const short: unknown[] = texts.map((text) => JSON.parse(long.setAside(text)))
        const twice = [...short.toReversed(), ...short]
        const whole: unknown[] = texts.map((text) => JSON.parse(text))
        expect(JSON.parse(long.putBack(JSON.stringify(twice)))).toEqual([...whole.toReversed(), ...whole])
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, unknown]>([
    ['a text', 'A'.repeat(8_192)],
    ['a text of escapes', '\\"'.repeat(4_000)],
    ['a list of numbers', Array.from({ length: 1_536 }, (_, index) => index / 1_536)],
  ])('are not in the short text: %s', (_, embedding) => {
    const json = JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }], usage: { total_tokens: 1 } })
    const long = new LongValues()
    const short = long.setAside(json)
    expect(short.length).toBeLessThan(200)
    expect(JSON.parse(short)).toMatchObject({ object: 'list', data: [{ index: 0 }], usage: { total_tokens: 1 } })
    expect(long.putBack(short)).toBe(json)
  })

  it('leave a text without any as it is', () => {
    const json = JSON.stringify({ a: 'b'.repeat(400), c: [1, 2, 3] })
    expect(new LongValues().setAside(json)).toBe(json)
  })
})

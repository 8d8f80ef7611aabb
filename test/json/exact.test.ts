import { array, assert, bigInt, json, oneof, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasRoundedInteger, mayHoldRounded, parseExactJson } from '../../src/json/exact.ts'

const rounded = ['9007199254740993', '-9007199254740993', `1${'0'.repeat(30)}1`, '1'.repeat(400), `-${'1'.repeat(400)}`]
const exact = ['0', '-1', '9007199254740991', '-9007199254740991', '0.1', '1e3', '123456789012345']

/** All strings and numbers of a short JSON text. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const isRounded = (token: string): boolean => /^-?\d{16,}$/.test(token) && BigInt(token) !== BigInt(Number(token))

describe('integers that JavaScript rounds', () => {
  it.each(rounded)('are found: %s', (number) => {
    for (const text of [number, `[${number}]`, `{"a":[{"b":${number}}]}`]) {
      expect(hasRoundedInteger(text)).toBe(true)
      expect(mayHoldRounded(JSON.parse(text))).toBe(true)
    }
  })

  it.each(exact)('are not reported for an exact number: %s', (number) => {
    for (const text of [number, `[${number}]`, `{"a":[{"b":${number}}]}`]) {
      expect(hasRoundedInteger(text)).toBe(false)
      expect(mayHoldRounded(JSON.parse(text))).toBe(false)
    }
  })

  it('are not reported for digits in strings', () => {
    expect(hasRoundedInteger('{"9007199254740993":"9007199254740993"}')).toBe(false)
    expect(mayHoldRounded({ '9007199254740993': '9007199254740993', a: [null, true, 'x'] })).toBe(false)
  })

  it('are assumed in values that are too deep to check', () => {
    expect(mayHoldRounded(JSON.parse(`${'['.repeat(100_000)}1${']'.repeat(100_000)}`))).toBe(true)
  })

  it.each([
    ['plain', 'x'],
    ['of quotes', '\\"'],
    ['of backslashes', '\\\\'],
    ['of digits', '9'],
  ])('G28 are found beside a text of 9 MiB %s, and only they', (_, unit) => {
    const long = `"${unit.repeat((9 * 2 ** 20) / unit.length)}"`
    expect(hasRoundedInteger(`[${long},9007199254740993]`)).toBe(true)
    expect(hasRoundedInteger(`[9007199254740993,${long}]`)).toBe(true)
    expect(hasRoundedInteger(`[${long},9007199254740991]`)).toBe(false)
    expect(parseExactJson(`{"text":${long},"n":1}`)).toEqual({ value: { text: JSON.parse(long), n: 1 } })
    expect(parseExactJson(`{"text":${long},"n":9007199254740993}`)).toBeUndefined()
  })

  it('G28 a number of millions of digits is no exact one', () => {
    const digits = '1'.repeat(4 * 2 ** 20)
    for (const text of [digits, `0.${digits}`, `[${digits}e5]`]) expect(parseExactJson(text)).toBeUndefined()
    expect(hasRoundedInteger(digits)).toBe(true)
  })

  it('are found as by a regular expression over the whole text', () => {
    const integers = bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String)
    const texts = array(oneof(json(), integers), { maxLength: 5 }).map((parts) => `[${parts.join()}]`)
    assert(
      property(texts, (text) => {
        expect(hasRoundedInteger(text)).toBe([...text.matchAll(tokens)].some(([token]) => isRounded(token)))
      }),
    )
  })
})

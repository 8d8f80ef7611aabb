import { describe, expect, it } from 'vitest'
import { hasRoundedInteger, mayHoldRounded } from '../../src/json/exact.ts'

const rounded = ['9007199254740993', '-9007199254740993', `1${'0'.repeat(30)}1`, '1'.repeat(400), `-${'1'.repeat(400)}`]
const exact = ['0', '-1', '9007199254740991', '-9007199254740991', '0.1', '1e3', '123456789012345']

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
})

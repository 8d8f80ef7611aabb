import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endOfString } from '../../src/json/string-end.ts'

describe('the end of a string of JSON', () => {
  it('is where JSON.stringify has put it, whatever follows', () => {
    assert(
      property(string({ unit: 'binary' }), string(), (text, rest) => {
        const written = JSON.stringify(text)
        expect(endOfString(`[${written}${rest}`, 1)).toBe(1 + written.length)
      }),
    )
  })

  it.each(['"', '"abc', String.raw`"abc\"`, String.raw`"\\\"`])('is nowhere in %s', (json) => {
    expect(endOfString(json, 0)).toBe(-1)
  })

  it('is behind an even number of backslashes', () => {
    expect(endOfString(String.raw`"a\\"b"`, 0)).toBe(5)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatcher } from '../../src/cache/glob.ts'

/** A piece of a pattern: how it is written, and which single characters it stands for; a run stands for any number of any. */
type Piece = { readonly text: string; readonly one: (character: string) => boolean } | { readonly text: '*' }

/** Matches by trying everything, piece by piece: slow, and plainly right. */
function naive(pieces: readonly Piece[], text: readonly string[]): boolean {
  const [piece, ...rest] = pieces
  if (piece === undefined) return text.length === 0
  if (!('one' in piece)) return text.some((_, length) => naive(rest, text.slice(length))) || naive(rest, [])
  const [character, ...after] = text
  return character !== undefined && piece.one(character) && naive(rest, after)
}

// With characters that mean something in patterns or in regular expressions, and one of two UTF-16 units.
const character = fc.constantFrom<string[]>('a', 'b', 'c', 'z', '*', '?', '[', ']', '^', '-', '\\', '.', '$', '(', '\n', '🎉')
const meant = character.map((c) => (/[*?[\]\\^-]/.test(c) ? `\\${c}` : c))
const members = fc.uniqueArray(character, { minLength: 1, maxLength: 3 })
const range = fc.constantFrom<[string, string]>(['a', 'c'], ['c', 'a'], ['b', 'z'], ['!', '.'], ['a', '🎉'])
const piece: fc.Arbitrary<Piece> = fc.oneof(
  fc.constant({ text: '*' } as const),
  fc.constant({ text: '?', one: () => true }),
  character.chain((c) => meant.filter((text) => text.endsWith(c)).map((text) => ({ text, one: (given: string) => given === c }))),
  fc.tuple(members, fc.boolean()).map(([set, not]) => ({
    text: `[${not ? '^' : ''}${set.map((c) => `\\${c}`).join('')}]`,
    one: (given: string) => set.includes(given) !== not,
  })),
  range.map(([from, to]) => {
    const [low, high] = from < to ? [from, to] : [to, from]
    return { text: `[${from}-${to}]`, one: (given: string) => given >= low && given <= high }
  }),
)

describe('globMatcher', () => {
  it('matches as an exhaustive search does', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(character, { maxLength: 6 }), (pieces, text) => {
        const matches = globMatcher(pieces.map((each) => each.text).join(''))
        expect(matches(text.join(''))).toBe(naive(pieces, text))
      }),
      { numRuns: 3_000 },
    )
  })

  it('matches what a text is made of: literally where it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const escaped = Array.from(text, (c) => `\\${c}`).join('')
        expect(globMatcher(escaped)(text)).toBe(true)
        expect(globMatcher(escaped)(`${text}x`)).toBe(false)
        expect(globMatcher('*')(text)).toBe(true)
        expect(globMatcher(`*${escaped}*`)(`before${text}after`)).toBe(true)
      }),
    )
  })

  it.each<[string, readonly string[], readonly string[]]>([
    // The examples of https://redis.io/docs/latest/commands/keys/
    ['h?llo', ['hello', 'hallo', 'hxllo'], ['hllo', 'heello']],
    ['h*llo', ['hllo', 'heeeello'], ['hell']],
    ['h[ae]llo', ['hello', 'hallo'], ['hillo']],
    ['h[^e]llo', ['hallo', 'hbllo'], ['hello']],
    ['h[a-b]llo', ['hallo', 'hbllo'], ['hello', 'h-llo']],
    ['user:*', ['user:', 'user:1'], ['User:1', 'a:user:1']],
    ['', [''], ['a']],
    ['a\\*b', ['a*b'], ['axb', 'a\\*b']],
    ['[a\\-c]', ['a', '-', 'c'], ['b', '\\']],
    ['[-a]', ['-', 'a'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['[\\]]', [']'], ['\\']],
    ['[abc', ['[abc'], ['a']],
    ['[]', ['[]'], ['']],
    ['[^]', ['[^]'], ['a']],
    ['a\\', ['a\\'], ['a']],
    ['a.c', ['a.c'], ['abc']],
    ['(a|b)+$', ['(a|b)+$'], ['a']],
  ])('%s', (pattern, matching, others) => {
    expect(matching.filter((text) => !globMatcher(pattern)(text))).toEqual([])
    expect(others.filter((text) => globMatcher(pattern)(text))).toEqual([])
  })

  it('takes no time to speak of for a pattern on which others search for ever', () => {
    const matches = globMatcher('*a'.repeat(50))
    expect(matches('a'.repeat(5_000))).toBe(true)
    expect(matches(`${'a'.repeat(5_000)}b`)).toBe(false)
  })
})

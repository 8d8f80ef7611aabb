/**
 * Patterns over keys, as Redis has them: `*`, `?`, `[abc]`, `[^abc]`, `[a-z]`, and `\` before a character that is meant as it is.
 * Source: https://redis.io/docs/latest/commands/keys/
 * @module
 */

type Match = (character: string) => boolean

/** A run of any characters. */
const run = Symbol('*')

/**
 * A function that tells whether a whole text matches `pattern`. Its time grows with the product of both lengths at the most.
 * Characters are code points; a `[` that nothing closes is meant as it is.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const tokens = parse(Array.from(pattern))
  return (text) => {
    const characters = Array.from(text)
    let at = 0
    let token = 0
    // Where to go on when what follows the last run does not fit: with that run one character longer.
    let back: { token: number; at: number } | undefined
    while (at < characters.length) {
      const expected = tokens[token]
      if (expected === run) {
        back = { token: ++token, at }
      } else if (expected?.(characters[at] ?? '') === true) {
        token++
        at++
      } else if (back === undefined) {
        return false
      } else {
        token = back.token
        at = ++back.at
      }
    }
    return tokens.slice(token).every((rest) => rest === run)
  }
}

function parse(pattern: readonly string[]): (Match | typeof run)[] {
  const tokens: (Match | typeof run)[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]
    const set = character === '[' ? parseSet(pattern, at + 1) : undefined
    if (set !== undefined) {
      tokens.push(set.match)
      at = set.end
    } else if (character === '*') {
      tokens.push(run)
    } else if (character === '?') {
      tokens.push(() => true)
    } else {
      const meant = character === '\\' && at + 1 < pattern.length ? pattern[++at] : character
      tokens.push((each) => each === meant)
    }
  }
  return tokens
}

/** The set of characters whose content begins at `start`, and where its `]` is; `undefined` when it has none, or no content. */
function parseSet(pattern: readonly string[], start: number): { readonly match: Match; readonly end: number } | undefined {
  const negated = pattern[start] === '^'
  const ranges: (readonly [from: string, to: string])[] = []
  let at = negated ? start + 1 : start
  const take = (): string => {
    if (pattern[at] === '\\') at++
    return pattern[at++] ?? ''
  }
  while (at < pattern.length && pattern[at] !== ']') {
    const from = take()
    const isRange = pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']'
    if (isRange) at++
    const to = isRange ? take() : from
    ranges.push(codeOf(from) <= codeOf(to) ? [from, to] : [to, from])
  }
  if (at >= pattern.length || ranges.length === 0) return undefined
  const has: Match = (each) => ranges.some(([from, to]) => codeOf(from) <= codeOf(each) && codeOf(each) <= codeOf(to))
  return { match: (each) => has(each) !== negated, end: at }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? -1
}

/**
 * Patterns over keys, as Redis has them: `*`, `?`, `[abc]`, `[^abc]`, `[a-z]`, and `\` before a character that is meant as it is.
 * Source: https://redis.io/docs/latest/commands/keys/
 * @module
 */

/** A function that tells whether a whole text matches `pattern`. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const tokens = pattern.matchAll(/\\([^])|\*+|\?|\[(\^?)((?:\\[^]|[^\]\\])+)\]|[^]/gu)
  let source = ''
  for (const [token, escaped, not = '', set] of tokens) {
    if (set !== undefined) source += `[${not}${set.replaceAll('\\', '').replaceAll(/[[\]\\^]/gu, String.raw`\$&`)}]`
    else if (escaped === undefined && token.startsWith('*')) source += '[^]*'
    else if (escaped === undefined && token === '?') source += '[^]'
    else source += (escaped ?? token).replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`)
  }
  const expression = new RegExp(`^${source}$`, 'u')
  return (text) => expression.test(text)
}

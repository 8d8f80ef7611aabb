/**
 * JSON whose numbers JavaScript can hold. An SDK that reads a larger one as a bigint and our reading it as the nearest double would be
 * two answers.
 * @module
 */

/** The texts and the numbers of a JSON text: the texts are matched so that a number within one is passed over. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Any decimal of so many digits survives being a double. Source: DBL_DIG of IEEE 754 binary64 */
const exactDigits = 15

/** The value of a JSON text, or `undefined` when it is none, or holds a number that would not survive. */
export function parseExactJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    for (const [token] of text.matchAll(tokens)) if (!token.startsWith('"') && !isExact(token)) return undefined
    return { value }
  } catch {
    return undefined
  }
}

/** Whether a JSON text holds an integer that JavaScript reads as another one, so that two texts could become one. */
export function hasRoundedInteger(text: string): boolean {
  for (const [token] of text.matchAll(tokens)) {
    if (/^-?\d{16,}$/.test(token) && !isWhole(token)) return true
  }
  return false
}

/** Whether the integer `token` is the number that JavaScript reads. One of more than 308 digits is read as infinite. */
function isWhole(token: string): boolean {
  const value = Number(token)
  return Number.isFinite(value) && BigInt(token) === BigInt(value)
}

/** Values that lie deeper are taken for large numbers. */
const maxDepth = 500

/** Whether a value that was read from JSON may hold a number that was rounded: one that is too large, or that lies too deep to look for. */
export function mayHoldRounded(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)
  if (typeof value !== 'object' || value === null) return false
  if (depth > maxDepth) return true
  for (const member of Array.isArray(value) ? value : Object.values(value)) if (mayHoldRounded(member, depth + 1)) return true
  return false
}

function isExact(number: string): boolean {
  const value = Number(number)
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false
  const digits = number
    .replace(/[eE].*$/, '')
    .replaceAll(/\D/g, '')
    .replace(/^0+/, '')
  return digits.length <= exactDigits || String(value) === number
}

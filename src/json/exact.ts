/**
 * JSON whose numbers JavaScript can hold exactly. An SDK may read a larger number as a bigint; read here as the nearest double, it would be
 * another answer.
 * @module
 */

/** All strings and numbers of a JSON text. Strings are matched so that digits inside them are skipped. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** A decimal number of at most this many digits stays the same when it is stored as a double. Source: DBL_DIG of IEEE 754 binary64 */
const exactDigits = 15

/** The value of a JSON text, or `undefined` when the text is no JSON or holds a number that a double cannot keep. */
export function parseExactJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    for (const [token] of text.matchAll(tokens)) if (!token.startsWith('"') && !isExact(token)) return undefined
    return { value }
  } catch {
    return undefined
  }
}

/** Whether a JSON text holds an integer that JavaScript rounds to another one. Then two texts could become one value. */
export function hasRoundedInteger(text: string): boolean {
  for (const [token] of text.matchAll(tokens)) {
    if (/^-?\d{16,}$/.test(token) && !isWhole(token)) return true
  }
  return false
}

/** Whether JavaScript reads the integer `token` exactly. It reads an integer of more than 308 digits as infinite. */
function isWhole(token: string): boolean {
  const value = Number(token)
  return Number.isFinite(value) && BigInt(token) === BigInt(value)
}

/** Levels of nesting. Below them, the answer is always "may be rounded". */
const maxDepth = 500

/** Whether a value read from JSON may hold a rounded number: one that is too large, or too deeply nested to check. */
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

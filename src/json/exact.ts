/**
 * JSON whose numbers JavaScript can hold exactly. An SDK may read a larger number as a bigint; read here as the nearest double, it would be
 * another answer.
 * @module
 */

/** A decimal number of at most this many digits stays the same when it is stored as a double. Source: DBL_DIG of IEEE 754 binary64 */
const exactDigits = 15

/** The value of a JSON text, or `undefined` when the text is no JSON or holds a number that a double cannot keep. */
export function parseExactJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    for (const number of numbersIn(text)) if (!isExact(number)) return undefined
    return { value }
  } catch {
    return undefined
  }
}

/** Whether a JSON text holds an integer that JavaScript rounds to another one. Then two texts could become one value. */
export function hasRoundedInteger(text: string): boolean {
  for (const number of numbersIn(text)) {
    if (number.length > exactDigits && /^-?\d+$/.test(number) && !isWhole(number)) return true
  }
  return false
}

/** Where the next string or number of a JSON text begins. */
const start = /["\d-]/g

/**
 * The numbers of a JSON text, as they are written. Strings are passed over, as they may hold digits. One regular expression for a whole
 * string would overflow the stack at some 8 MiB of text.
 */
function* numbersIn(text: string): Generator<string, undefined> {
  let index = 0
  for (;;) {
    start.lastIndex = index
    const begun = start.exec(text)?.index
    if (begun === undefined) return undefined
    if (text[begun] === '"') {
      index = endOfString(text, begun + 1)
      continue
    }
    index = begun + 1
    while (isNumeral(text.charCodeAt(index))) index++
    yield text.slice(begun, index)
  }
}

/** The index after the quote that ends the string. A quote after an odd number of backslashes is part of the string. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return quote + 1
  }
  return text.length
}

/** Whether a character may be part of a number: a digit, `.`, `e`, `E`, `+` or `-`. The text is known to be JSON. */
function isNumeral(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d
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

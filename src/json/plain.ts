/**
 * Values that are what JSON makes of them, to the letter: written and read again they are the same, so that either has the same key.
 * @module
 */

/** Deeper values are not looked at. */
const maxDepth = 100

/**
 * Whether `value` holds nothing but plain objects and arrays, well-formed texts, truth values, `null`, and numbers that are exact. A member that is
 * `undefined` is as good as not there. An object of a class, or one that says by `toJSON` what it is, may be sent as something else.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'boolean' || value === null) return true
  // Beyond this a number may be read as another one than was written.
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (typeof value !== 'object' || depth > maxDepth) return false
  if ('toJSON' in value) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return false
    // Not by `every`, which passes over holes.
    for (const member of value) if (!isPlainJson(member, depth + 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined && !(name.isWellFormed() && isPlainJson(member, depth + 1))) return false
  }
  return true
}

/** A copy of a value that {@link isPlainJson}. Texts, which nobody can change, are shared. */
export function copiedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copiedJson)
  if (typeof value !== 'object' || value === null) return value
  // Not by assignment: `__proto__` is a name like any other.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copiedJson(member)]))
}

/**
 * Values that JSON keeps exactly: after writing and reading they are the same, so that both have the same key.
 * @module
 */

/** Levels of nesting. Deeper values are not plain. */
const maxDepth = 100

/**
 * Whether `value` holds only plain objects and arrays, well-formed texts, booleans, `null` and exact numbers. A member that is `undefined`
 * counts as missing. Instances of classes and objects with `toJSON` are not plain: they may be sent as something else.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'boolean' || value === null) return true
  // JavaScript may read a larger number as another one than was written.
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (typeof value !== 'object' || depth > maxDepth) return false
  if ('toJSON' in value) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return false
    // Not `every`, which skips the holes of an array.
    for (const member of value) if (!isPlainJson(member, depth + 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined && !(name.isWellFormed() && isPlainJson(member, depth + 1))) return false
  }
  return true
}

/** A copy of a value that {@link isPlainJson}. Texts are shared, because they cannot change. */
export function copiedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copiedJson)
  if (typeof value !== 'object' || value === null) return value
  // Not by assignment: the name `__proto__` must become an ordinary member.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copiedJson(member)]))
}

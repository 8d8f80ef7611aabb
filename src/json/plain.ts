/**
 * Values that JSON keeps exactly: after writing and reading they are the same, so that both have the same key.
 * @module
 */
import { isJsonObject } from './object.ts'

/** Levels of nesting. Deeper values are not plain. */
export const maxPlainDepth = 100

/**
 * Whether `value` holds only plain objects and arrays, well-formed texts, booleans, `null` and exact numbers. A member that is `undefined`
 * counts as missing. Instances of classes and objects with `toJSON` are not plain: they may be sent as something else.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return isPlainScalar(value)
  if (depth > maxPlainDepth) return false
  if ('toJSON' in value) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return false
    // Not `every`, which skips the holes of an array.
    for (const member of value) if (!isPlainJson(member, depth + 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined && !(isPlainName(name) && isPlainJson(member, depth + 1))) return false
  }
  return true
}

/** Finds the getter of a member without calling it. In the standard, and several times faster than a property descriptor. */
export const lookupGetter: unknown = Reflect.get(Object.prototype, '__lookupGetter__')

/**
 * Whether `value` is plain JSON, and to read it calls no code of the caller's: it has no getters. So it may be read again with the same result.
 * Every call runs this code, hits included.
 */
export function isInertJson(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return isPlainScalar(value)
  if (depth > maxPlainDepth || typeof lookupGetter !== 'function' || 'toJSON' in value) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return false
    for (let index = 0; index < value.length; index++) {
      if (lookupGetter.call(value, index) !== undefined || !isInertJson(value[index], depth + 1)) return false
    }
    return true
  }
  if (!isJsonObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) {
    if (lookupGetter.call(value, name) !== undefined) return false
    const member = value[name]
    if (member !== undefined && !(isPlainName(name) && isInertJson(member, depth + 1))) return false
  }
  return true
}

/** Whether a value that is no object is plain. */
export function isPlainScalar(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  // JavaScript may read a larger number as another one than was written.
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  return typeof value === 'boolean' || value === null
}

/** Whether a plain object may have a member of this name. */
export function isPlainName(name: string): boolean {
  return name.isWellFormed()
}

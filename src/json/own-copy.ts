/**
 * Copies of values that their owner may change.
 * @module
 */
import { isBytes } from '../base/bytes.ts'
import { isJsonObject, type JsonObject } from './object.ts'

/** Levels of nesting. What lies deeper is not copied; it has no key either. */
const maxDepth = 500

/** A copy of plain objects, lists and bytes at any depth. All other values, such as dates and functions, stay in it as they are. */
export function ownCopy(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return value
  if (Array.isArray(value)) return Array.from(value, (item: unknown) => ownCopy(item, depth + 1))
  // The `slice` of a Buffer is no copy.
  if (isBytes(value)) return Uint8Array.prototype.slice.call(value)
  return isJsonObject(value) && Object.getPrototypeOf(value) === Object.prototype ? copyOfMembers(value, depth) : value
}

function copyOfMembers(object: JsonObject, depth: number): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, ownCopy(value, depth + 1)]))
}

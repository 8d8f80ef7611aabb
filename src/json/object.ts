/**
 * JSON objects: their type, and the guards for values whose type is not known.
 * @module
 */

/** JSON as it comes out of `JSON.parse`, when it is an object. */
export type JsonObject = Record<string, unknown>

/** Whether `value` is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether `object` is a plain object by its prototype: an object literal, one without a prototype, or a plain object of another realm. */
export function isPlainObject(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || typeof prototype !== 'object' || prototype === null) return true
  // Another realm has an `Object.prototype` of its own, which inherits from nothing either.
  return Object.getPrototypeOf(prototype) === null
}

/** Whether `object` has the tag of ordinary objects. Built-in classes such as `Map`, `Date` and `Promise` have tags of their own. */
export function hasOrdinaryTag(object: object): boolean {
  return Object.prototype.toString.call(object) === '[object Object]'
}

/** Whether the members of `object` are all of its content: it is plain, or an instance of an ordinary class that has members. */
export function isObjectOfMembers(object: object): object is Readonly<JsonObject> {
  return isPlainObject(object) || (hasOrdinaryTag(object) && Object.keys(object).length > 0)
}

/** The JSON object that `text` is, or `undefined` when it is none. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `value` when it is a whole token count from 0, else 0. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

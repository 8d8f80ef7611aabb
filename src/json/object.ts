/**
 * JSON objects: their type, and guards for values of unknown type.
 * @module
 */

/** An object as `JSON.parse` returns it. */
export type JsonObject = Record<string, unknown>

/** Whether `value` is an object as `JSON.parse` returns it: not null and not an array. */
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

/** The object that `text` holds as JSON, or `undefined` when it holds none. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether an object has one of these counts, and each that it has is a number. A count of `null` is not known. */
export function isCounted(object: JsonObject, names: readonly string[]): boolean {
  const counts = names.map((name) => object[name]).filter((value) => value !== undefined)
  return counts.length > 0 && counts.every((value) => typeof value === 'number' && value >= 0)
}

/** `value` when it is a positive number, else 0. Used for token counts. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

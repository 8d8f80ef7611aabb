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

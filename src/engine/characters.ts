/**
 * How long the texts of a request are, all together.
 * @module
 */
import type { JsonObject } from '../json/object.ts'

/** A call whose texts can be counted. */
export interface CountedCall {
  readonly request?: JsonObject
  /** The count, once it was asked for: a call that comes again is the same object, and is not counted again. */
  characters?: number
}

/** How deep texts are looked for. The key itself refuses what is nested more deeply. */
const maxDepth = 200

/** How many characters the texts in the request of a call have, names of members left out; `null` if it has no request. */
export function charactersOf(call: CountedCall): number | null {
  if (call.request === undefined) return null
  return (call.characters ??= charactersIn(call.request))
}

function charactersIn(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null || depth > maxDepth || ArrayBuffer.isView(value)) return 0
  return Object.values(value).reduce((sum: number, each: unknown) => sum + charactersIn(each, depth + 1), 0)
}

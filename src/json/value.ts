/**
 * The caller's own values as JSON. A value that JSON would silently change is refused.
 * @module
 */
import { NotKeyableError } from '../errors.ts'
import { hasOrdinaryTag, isObjectOfMembers } from './object.ts'
import { pathOf, tagOf } from './shown.ts'

/**
 * The JSON text of `value`. As in `JSON.stringify`, a member that is `undefined` is left out, and `toJSON` is applied.
 * @throws {NotKeyableError} for `undefined`, functions, symbols, bigints, NaN and infinities, `Map`, `Set`, bytes, errors, promises and
 *   other objects whose content is not in their members, for circles, and for values that are nested too deeply
 */
export function jsonText(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value, assertJson)
    if (typeof text === 'string') return text
  } catch (error) {
    if (error instanceof NotKeyableError) throw error
    // Without the cause: its message shows names from the value.
    throw new NotKeyableError('', error instanceof RangeError ? 'nested too deep' : 'a circle')
  }
  throw new NotKeyableError('', 'undefined')
}

/** A replacer for `JSON.stringify`, which passes the object that holds the value as `this`. */
function assertJson(this: unknown, name: string, value: unknown): unknown {
  const kind = typeof value
  if (kind === 'string' || kind === 'boolean' || value === null) return value
  if (kind === 'undefined' && !Array.isArray(this)) return value
  if (kind === 'number' && Number.isFinite(value)) return value
  if (kind === 'object' && canHold(Object(value))) return value
  const what = kind === 'object' ? (tagOf(Object(value)) ?? 'of an unknown kind') : `a ${kind}`
  throw new NotKeyableError(name === '' ? '' : pathOf('', [name]), what)
}

/** Whether JSON can hold `object`. An object that claims the tag of another class is refused, even when its prototype is plain. */
function canHold(object: object): boolean {
  return Array.isArray(object) || (hasOrdinaryTag(object) && isObjectOfMembers(object))
}

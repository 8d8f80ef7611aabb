/**
 * Values of the caller's own as JSON, or not at all: what JSON would silently make something else of is refused.
 * @module
 */
import { NotKeyableError } from '../errors.ts'
import { hasOrdinaryTag, isObjectOfMembers } from './object.ts'

/**
 * The JSON text of `value`. A member that is `undefined` is left out, and an object with `toJSON` is what that returns, as ever.
 * @throws {NotKeyableError} for `undefined`, functions, symbols, bigints, NaN and infinities, `Map`, `Set`, bytes, errors, promises and other
 * objects whose content is not in their members, for circles, and for what is nested too deep
 */
export function jsonText(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value, assertJson)
    if (typeof text === 'string') return text
  } catch (error) {
    if (error instanceof NotKeyableError) throw error
    // Without the cause, whose message shows names out of the value.
    throw new NotKeyableError('', error instanceof RangeError ? 'nested too deep' : 'a circle')
  }
  throw new NotKeyableError('', 'undefined')
}

/** As `JSON.stringify` calls it: with the object that the value was found in as `this`. */
function assertJson(this: unknown, name: string, value: unknown): unknown {
  const kind = typeof value
  if (kind === 'string' || kind === 'boolean' || value === null) return value
  if (kind === 'undefined' && !Array.isArray(this)) return value
  if (kind === 'number' && Number.isFinite(value)) return value
  if (kind === 'object' && canHold(Object(value))) return value
  throw new NotKeyableError(name, kind === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : `a ${kind}`)
}

/** Whether JSON can hold `object`. An object that claims the tag of another class is refused, even when its prototype is plain. */
function canHold(object: object): boolean {
  return Array.isArray(object) || (hasOrdinaryTag(object) && isObjectOfMembers(object))
}

/**
 * Copies of values that their owner may change.
 * @module
 */
import { isBytes } from '../base/bytes.ts'
import { isJsonObject } from './object.ts'

/**
 * A copy of plain objects, lists and bytes at any depth. All other values, such as dates and functions, stay in it as they are. What is in
 * it twice, as in a circle, is copied once.
 */
export function ownCopy(value: unknown): unknown {
  const copies = new Map<object, unknown>()
  const pending: object[] = []
  /** The copy of one value, whose members are still to be copied. The nesting may be deeper than the stack. */
  const begun = (given: unknown): unknown => {
    if (typeof given !== 'object' || given === null) return given
    const known = copies.get(given)
    if (known !== undefined) return known
    const copy = shallowCopy(given)
    if (copy === given) return given
    copies.set(given, copy)
    if (!isBytes(copy)) pending.push(copy)
    return copy
  }
  const result = begun(value)
  for (let copy = pending.pop(); copy !== undefined; copy = pending.pop()) {
    for (const [name, member] of Object.entries(copy)) if (typeof member === 'object') Reflect.set(copy, name, begun(member))
  }
  return result
}

function shallowCopy(value: object): object {
  if (Array.isArray(value)) return Array.from(value)
  // The `slice` of a Buffer is no copy.
  if (isBytes(value)) return Uint8Array.prototype.slice.call(value)
  return isJsonObject(value) && Object.getPrototypeOf(value) === Object.prototype ? Object.fromEntries(Object.entries(value)) : value
}

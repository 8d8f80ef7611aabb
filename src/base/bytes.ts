/**
 * Recognises bytes, whichever realm they come from.
 * @module
 */

/** The engine's own getter for the type of a typed array. No other object can imitate its result. */
const kind = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)

/** Whether `value` is a `Uint8Array` (or a `Buffer`), of this realm or of another. */
export function isBytes(value: unknown): value is Uint8Array {
  return kind?.get?.call(value) === 'Uint8Array'
}

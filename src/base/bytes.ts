/**
 * Bytes, of whichever realm.
 * @module
 */

/** What a typed array says that it is, which nothing else can say: the getter reads what the engine itself keeps. */
const kind = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)

/** Whether `value` is a `Uint8Array`, a `Buffer` among them, of this realm or of another. */
export function isBytes(value: unknown): value is Uint8Array {
  return kind?.get?.call(value) === 'Uint8Array'
}

/**
 * Recognises promises, whichever library they come from.
 * @module
 */

/** Whether `value` is a promise, or an object that can be awaited as one. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

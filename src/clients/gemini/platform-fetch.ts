/**
 * The platform's `fetch` as the SDK calls it when it is given no other: under Node.js without the time limits of five minutes for headers and
 * body, which a long answer of a model may need.
 * Source: `createUndiciNoTimeoutDispatcher` of @google/genai
 * @module
 */
import type { Fetch } from '../http/caching-fetch.ts'

/** Where Node.js keeps what sends its requests. */
const globalDispatcher = Symbol.for('undici.globalDispatcher.1')

/** Calls the platform's `fetch`. */
export const platformFetch: Fetch = (input, init) => globalThis.fetch(input, isNode() ? { ...init, ...{ dispatcher: patient } } : init)

/** Sends by the global dispatcher of that moment. */
const patient = {
  dispatch(options: object, handler: unknown): unknown {
    const dispatcher: unknown = Reflect.get(globalThis, globalDispatcher)
    const dispatch: Function = Reflect.get(Object(dispatcher), 'dispatch')
    return Reflect.apply(dispatch, dispatcher, [{ ...options, headersTimeout: 0, bodyTimeout: 0 }, handler])
  },
}

function isNode(): boolean {
  const versions: unknown = Reflect.get(Object(Reflect.get(globalThis, 'process')), 'versions')
  return typeof Reflect.get(Object(versions), 'node') === 'string' && hasDispatcher()
}

/** Whether there is a dispatcher. Node.js makes it when the first of its classes for `fetch` is used. */
function hasDispatcher(): boolean {
  void new Headers()
  return Reflect.get(globalThis, globalDispatcher) !== undefined
}

/**
 * Where the cache facts of a result are kept, so that they can be asked for by whatever the SDK made of it.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import { LazyResponse } from './lazy-response.ts'

const known = new WeakMap<object, () => CacheInfo>()

/** Facts that were put on a result. Any other `_cache` is the provider's or the caller's own. */
const genuine = new WeakSet()

/**
 * Notes the facts of a `Response`, or of the abort signal of the stream that it became.
 * @param info makes the facts, the same each time
 */
export function noteInfo(carrier: object, info: () => CacheInfo): void {
  known.set(carrier, info)
}

/**
 * Puts the facts on a result as `_cache`, beside the SDKs' own `_request_id`: there for who asks, invisible to who lists or compares.
 * @param info makes the facts, the same each time; called when somebody first asks, as hardly anybody does
 */
export function attachInfo(result: unknown, info: () => CacheInfo): void {
  if (typeof result !== 'object' || result === null || !Object.isExtensible(result)) return
  const get = (): CacheInfo => {
    const facts = info()
    genuine.add(facts)
    return facts
  }
  Object.defineProperty(result, '_cache', { get, set: replaceInfo, enumerable: false, configurable: true })
}

/** A caller may put something else in the place of `_cache`. */
function replaceInfo(this: object, value: unknown): void {
  Object.defineProperty(this, '_cache', { value, enumerable: false, configurable: true, writable: true })
}

/** What tells the facts of a response, or `undefined`. */
export function infoOfResponse(response: Response): (() => CacheInfo) | undefined {
  return response instanceof LazyResponse ? response.info : known.get(response)
}

/**
 * The cache facts of anything that a wrapped client or a caching fetch gave: a result, a stream, a stream helper such as
 * `chat.completions.stream()`, a `Response`. `undefined` when it came from somewhere else, or when a helper has not asked yet.
 */
export function cacheInfo(of: unknown): CacheInfo | undefined {
  if (typeof of !== 'object' || of === null) return undefined
  const info = known.get(of)
  if (info !== undefined) return info()
  const attached: unknown = Object.hasOwn(of, '_cache') ? Reflect.get(of, '_cache') : undefined
  if (isGenuine(attached)) return attached
  const controller: unknown = Reflect.get(of, 'controller')
  const signal: unknown = controller instanceof AbortController ? controller.signal : undefined
  return signal instanceof AbortSignal ? known.get(signal)?.() : undefined
}

function isGenuine(value: unknown): value is CacheInfo {
  return typeof value === 'object' && value !== null && genuine.has(value)
}

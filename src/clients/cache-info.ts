/**
 * Where the cache facts of a result are kept, so that they can be asked for by whatever the SDK made of it.
 * @module
 */
import type { CacheInfo } from '../call.ts'

const known = new WeakMap<object, CacheInfo>()

/** Notes the facts of a `Response`, a result, or the abort signal of the stream that it became. */
export function noteInfo(carrier: object, info: CacheInfo): void {
  known.set(carrier, info)
}

/** Puts the facts on a result as `_cache`, beside the SDKs' own `_request_id`: there for who asks, invisible to who lists or compares. */
export function attachInfo(result: unknown, info: CacheInfo): void {
  if (typeof result !== 'object' || result === null || !Object.isExtensible(result)) return
  known.set(result, info)
  Object.defineProperty(result, '_cache', { value: info, enumerable: false, configurable: true, writable: true })
}

/**
 * The cache facts of anything that a wrapped client or a caching fetch gave: a result, a stream, a stream helper such as
 * `chat.completions.stream()`, a `Response`. `undefined` when it came from somewhere else, or when a helper has not asked yet.
 */
export function cacheInfo(of: unknown): CacheInfo | undefined {
  if (typeof of !== 'object' || of === null) return undefined
  const found = known.get(of)
  if (found !== undefined) return found
  const controller: unknown = Reflect.get(of, 'controller')
  const signal: unknown = controller instanceof AbortController ? controller.signal : undefined
  return signal instanceof AbortSignal ? known.get(signal) : undefined
}

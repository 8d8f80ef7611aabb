/**
 * Where the cache facts of a result are kept, so that `cacheInfo` finds them on anything that the SDK makes of it.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import { InvalidOptionError } from '../errors.ts'
import { Given } from './given.ts'
import { LazyResponse } from './lazy-response.ts'

/** What is known of the results of one process. */
interface Registry {
  readonly infoByCarrier: WeakMap<object, () => CacheInfo>
  /** Facts that we put on a result. Any other `_cache` belongs to the provider or the caller. */
  readonly genuine: WeakSet<object>
}

/** All copies of llmemo in a process share the registry, as one program may load the package as ESM and as CommonJS. */
const { infoByCarrier, genuine } = registryIn(globalThis, Symbol.for('llmemo.facts@1'))

function registryIn(scope: object, name: symbol): Registry {
  const known: unknown = Reflect.get(scope, name)
  if (isRegistry(known)) return known
  const registry: Registry = { infoByCarrier: new WeakMap(), genuine: new WeakSet() }
  Object.defineProperty(scope, name, { value: registry, configurable: true })
  return registry
}

function isRegistry(value: unknown): value is Registry {
  if (typeof value !== 'object' || value === null) return false
  return Reflect.get(value, 'infoByCarrier') instanceof WeakMap && Reflect.get(value, 'genuine') instanceof WeakSet
}

/**
 * Notes the facts of a `Response`, or of the abort signal of the stream that it becomes.
 * @param info makes the facts, the same each time
 */
export function noteInfo(carrier: object, info: () => CacheInfo): void {
  infoByCarrier.set(carrier, info)
}

/** What gives the facts of a result. It holds nothing else, as a function within a seam would hold the whole call. */
export function infoLater(of: { readonly info: CacheInfo }): () => CacheInfo {
  return () => of.info
}

/**
 * Puts the facts on a result as `_cache`, beside the SDKs' own `_request_id`. It can be read, but lists and comparisons do not see it.
 * @param info makes the facts, the same each time. It is called when the caller first reads them, which is rare.
 */
export function attachInfo(result: unknown, info: () => CacheInfo): void {
  if (typeof result !== 'object' || result === null || !Object.isExtensible(result)) return
  // An enumerable `_cache` is the provider's. `cacheInfo` then knows the facts by the result itself.
  if (Object.prototype.propertyIsEnumerable.call(result, '_cache')) return noteInfo(result, info)
  Informed.mark(result, info)
  Object.defineProperty(result, '_cache', attached)
}

/** The facts of a result, in a private member of it: no list shows it, and it takes a fifth of the time of a `WeakMap`. */
class Informed extends Given {
  #info: (() => CacheInfo) | undefined

  /** Notes what makes the facts of an object. */
  static mark(object: object, info: () => CacheInfo): void {
    const marked: object = #info in object ? object : new Informed(object)
    if (#info in marked) marked.#info = info
  }

  /** The facts of an object; `undefined` if there are none. */
  static of(object: object): CacheInfo | undefined {
    return #info in object ? object.#info?.() : undefined
  }
}

/** One getter for all results, so that all of them have the same hidden class. */
const attached: PropertyDescriptor = {
  get(this: object) {
    const facts = Informed.of(this)
    if (facts !== undefined) genuine.add(facts)
    return facts
  },
  set: replaceInfo,
  enumerable: false,
  configurable: true,
}

/** A caller may replace `_cache`. */
function replaceInfo(this: object, value: unknown): void {
  Object.defineProperty(this, '_cache', { value, enumerable: false, configurable: true, writable: true })
}

/** The function that makes the facts of a response, or `undefined`. */
export function infoOfResponse(response: Response): (() => CacheInfo) | undefined {
  return response instanceof LazyResponse ? response.info : infoByCarrier.get(response)
}

/**
 * The cache facts of anything that a wrapped client or a caching fetch returned: a result, a stream, a `Response`, or a stream helper such
 * as `chat.completions.stream()`. `undefined` for anything else, and for a helper that has not sent its request yet.
 * @throws {InvalidOptionError} for a promise, which has no facts before its result is there
 */
export function cacheInfo(of: unknown): CacheInfo | undefined {
  if (typeof of !== 'object' || of === null) return undefined
  const info = of instanceof LazyResponse ? of.info : infoByCarrier.get(of)
  if (info !== undefined) return info()
  const attached: unknown = Object.hasOwn(of, '_cache') ? Reflect.get(of, '_cache') : undefined
  if (isGenuine(attached)) return attached
  if (typeof Reflect.get(of, 'then') === 'function') {
    throw new InvalidOptionError('of', of, 'the result of a call; await the promise first: cacheInfo(await promise)')
  }
  const controller: unknown = Reflect.get(of, 'controller')
  const signal: unknown = controller instanceof AbortController ? controller.signal : undefined
  return signal instanceof AbortSignal ? infoByCarrier.get(signal)?.() : undefined
}

function isGenuine(value: unknown): value is CacheInfo {
  return typeof value === 'object' && value !== null && genuine.has(value)
}

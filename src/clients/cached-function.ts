/**
 * A function of the user's own that answers repeated calls from the cache.
 * @module
 */
import type { CallOptions } from '../call.ts'
import type { Cache } from '../cache/cache.ts'
import { getOrMake } from '../cache/made-answers.ts'
import { functionCall } from '../cache/text-requests.ts'
import type { Engine } from '../engine/engine.ts'

/** How the calls of a function of your own use the cache. */
export interface FunctionOptions extends CallOptions {
  /** Names the function: two functions with one name answer for each other. Part of the key, and it selects the TTL. */
  readonly operation: string
  /** Keeps the answers. @default a cache in memory, without options */
  readonly cache?: Cache
}

/** Whether these are the options of a function, which has a name. */
export function areFunctionOptions(options: unknown): options is FunctionOptions {
  return typeof options === 'object' && options !== null && 'operation' in options
}

/** The same function, which asks the cache first. Its key is its name and its arguments. */
export function wrapFunction(make: (...given: readonly unknown[]) => unknown, engine: Engine, options: CallOptions): typeof make {
  // Checked at once, and not first at a call.
  functionCall([], options)
  return (...given) => getOrMake(engine, functionCall(given, options), () => make(...given))
}

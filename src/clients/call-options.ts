/**
 * The cache's options of one call: read from the SDK's request options, and passed down to the seam.
 * @module
 */
import { assertCallOptions } from '../engine/settings/call-options.ts'
import { type CallOptions } from '../call.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import type { Call, CachedCall } from '../engine/cached-call.ts'
import type { EarlierLookup } from '../engine/seam.ts'
import { canonicalJson } from '../json/canonical.ts'
import { isPlainJson } from '../json/plain.ts'

/** The member of a wrapped client that holds the bare client beneath. All copies of llmemo share the symbol. */
export const bare = Symbol.for('llmemo.bare')

/** The member of `fetch`'s init in which a wrapped client passes the cache's options down. All copies of llmemo share the symbol. */
export const callOptions = Symbol.for('llmemo.call')

/** What a wrapped client passes down with a call. */
export interface PassedOptions {
  readonly options: CallOptions
  /** The request's body as the caller gave it. The SDK may send something else. */
  body: unknown
  /** The headers that the caller gave to the call. */
  readonly headers?: unknown
  /** The signal that the caller gave. A stream helper gives its own controller's signal, and `cacheInfo` finds the helper's facts by it. */
  readonly signal?: object
  /** Called with what the seam sees of the call. */
  learn?: (observation: SeamObservation) => void
  /** What the fast lane has made of the call, so that the seam need not do it again. */
  earlier?: EarlierCall | undefined
}

/** A call that was resolved and looked up before it reached the seam. */
export interface EarlierCall {
  readonly call: Call
  readonly cachedCall: CachedCall
  /** The body that the key was made of. The seam uses this call only if the SDK sends exactly this text. */
  readonly text: string
  /** @default the seam looks the call up itself */
  readonly lookup?: EarlierLookup
}

/** What the seam sees of a call that uses the cache. */
export interface SeamObservation {
  readonly call: Call
  readonly url: string
  readonly key: string
}

/** What a wrapped client passed down, or `undefined`. */
export function passedOptionsIn(init: object | undefined): PassedOptions | undefined {
  const passed: unknown = init === undefined ? undefined : Reflect.get(init, callOptions)
  return typeof passed === 'object' && passed !== null && isPassedOptions(passed) ? passed : undefined
}

/**
 * The cache's options in an SDK's request options.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function readCallOptions(cache: unknown, bypassCache: unknown): CallOptions {
  if (bypassCache !== undefined && typeof bypassCache !== 'boolean') {
    throw new InvalidOptionError('bypassCache', bypassCache, 'true or false')
  }
  if (cache !== undefined) assertCallOptions(cache)
  return bypassCache === true ? { ...cache, mode: 'no-store' } : (cache ?? {})
}

/**
 * The request options without ours, which go to our `fetch` in `fetchOptions`.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function passDown(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const options: Record<string, unknown> = { ...given }
  const { body, headers, signal, fetchOptions, cache, bypassCache } = options
  const passed: PassedOptions = {
    options: readCallOptions(cache, bypassCache),
    body,
    headers,
    ...(typeof signal === 'object' && signal !== null && { signal }),
  }
  for (const name of ['cache', 'bypassCache']) if (name in options) Reflect.deleteProperty(options, name)
  options['fetchOptions'] = { ...(typeof fetchOptions === 'object' ? fetchOptions : {}), [callOptions]: passed }
  return options
}

/** Whether a key can be made of a body. For a `Map` or a `NaN`, the SDK sends something else than the caller meant. */
export function isKeyable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || body instanceof FormData || isPlainJson(body)) return true
  try {
    canonicalJson(body, { longText: Infinity })
    return true
  } catch (error) {
    if (error instanceof NotKeyableError) return false
    throw error
  }
}

function isPassedOptions(value: object): value is PassedOptions {
  return typeof Reflect.get(value, 'options') === 'object'
}

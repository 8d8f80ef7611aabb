/**
 * The cache's options of one call: read from the SDK's request options, and passed down to where the call is answered.
 * @module
 */
import { assertCallOptions } from '../engine/settings/call-options.ts'
import { type CallOptions } from '../call.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import type { Call, CachedCall } from '../engine/cached-call.ts'
import type { EarlierLookup } from '../engine/seam.ts'
import { canonicalJson } from '../json/canonical.ts'
import { isPlainJson } from '../json/plain.ts'

/** GenerationByLabel a client of ours and holds the bare client beneath. Shared by all copies of llmemo. */
export const bare = Symbol.for('llmemo.bare')

/** Under this member of `fetch`'s init a wrapped client hands its caller's options down. Shared by all copies of llmemo. */
export const callOptions = Symbol.for('llmemo.call')

/** What a wrapped client hands down. */
export interface PassedOptions {
  readonly options: CallOptions
  /** The request's body as the caller gave it, of which the SDK may send something else. */
  body: unknown
  /** The signal that the caller gave: that of a stream helper's own controller, by which the helper's facts are found. */
  readonly signal?: object
  /** Told what the seam saw of the call. */
  learn?: (seen: SeamObservation) => void
  /** What the fast lane has made of the call, so that the seam need not do it again. */
  earlier?: EarlierCall | undefined
}

/** A call that was resolved and looked up before it came to the seam. */
export interface EarlierCall {
  readonly call: Call
  readonly cachedCall: CachedCall
  /** The body that the SDK must send, letter for letter, for the seam to go by this. */
  readonly text: string
  /** @default the seam looks the call up itself */
  readonly lookup?: EarlierLookup
}

/** What the seam saw of a call that it has decided. */
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
 * The request options less ours, which go down to our fetch in `fetchOptions`.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function passDown(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const options: Record<string, unknown> = { ...given }
  const { body, signal, fetchOptions, cache, bypassCache } = options
  const passed: PassedOptions = {
    options: readCallOptions(cache, bypassCache),
    body,
    ...(typeof signal === 'object' && signal !== null && { signal }),
  }
  for (const name of ['cache', 'bypassCache']) if (name in options) Reflect.deleteProperty(options, name)
  options['fetchOptions'] = { ...(typeof fetchOptions === 'object' ? fetchOptions : {}), [callOptions]: passed }
  return options
}

/** Whether a key can be made of a body. What the SDK would send of a `Map` or a `NaN` is not what the caller meant. */
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

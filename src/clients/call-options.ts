/**
 * The cache's options of one call: read from the SDK's request options, and passed down to the seam.
 * @module
 */
import { assertCallOptions, ownOptions } from '../engine/settings/call-options.ts'
import { type CallOptions } from '../call.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import type { Call, CachedCall } from '../engine/cached-call.ts'
import type { Crowd, EarlierFlight, EarlierLookup } from '../engine/seam.ts'
import type { LookupResult } from '../lookup-result.ts'
import { canonicalJson } from '../json/canonical.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'
import { isPlainJson } from '../json/plain.ts'
import { readOnce } from '../json/read-once.ts'
import type { ResponseHead } from './http/response.ts'

/** The member of a wrapped client that holds the bare client beneath. All copies of llmemo share the symbol. */
export const bare = Symbol.for('llmemo.bare')

/** The member of `fetch`'s init in which a wrapped client passes the cache's options down. All copies of llmemo share the symbol. */
export const callOptions = Symbol.for('llmemo.call')

/** What a wrapped client passes down with a call. */
export interface PassedOptions {
  readonly options: CallOptions
  /** A copy of the request's body as the caller gave it, which only the SDK has besides. The SDK may send something else. */
  readonly body: unknown
  /** Whether the body is plain JSON. @default unknown */
  readonly isPlain?: boolean
  /** The headers that the caller gave to the call. */
  readonly headers?: unknown
  /** The signal that the caller gave. A stream helper gives its own controller's signal, and `cacheInfo` finds the helper's facts by it. */
  readonly signal?: object
  /** Called with what the seam sees of the call. */
  learn?: ((observation: SeamObservation) => void) | undefined
  /** What the lane of the SDK's methods learns of the call. */
  lesson?: Lesson | undefined
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

/** What a lane learns of one call that goes the documented way. */
export interface Lesson {
  /** What the lane found in the store for the call with this key, which it could not serve. The seam takes it, as a retry looks again. */
  looked?: { readonly key: string; readonly lookup: EarlierLookup } | undefined
  /** The part that the call has in the flight of an equal one. The seam takes it, as a retry joins another. */
  joined?: EarlierFlight<ResponseHead, Uint8Array> | undefined
  /** Equal calls that wait for this one. The seam takes them, as they do not wait for a retry. */
  crowd?: Crowd<ResponseHead, Uint8Array> | undefined
  /** Called when the body of the call is read. */
  read(): void
  /** Called with the scope and the operation of a call that names none and bypasses the cache. */
  bypassed(scope: string, operation: string): void
  /**
   * Called with what the call is to the cache.
   * @param found the stored answer by which the fast lane answers it, if it does
   */
  seen(call: CachedCall, url: string, found?: LookupResult): void
  /** Called with what the SDK made of the response, before a helper of the SDK changes it. */
  parsed(data: unknown, props: { readonly response: Response; readonly options?: unknown }): void
}

/** The member of request options in which a lane passes its lesson down. The SDKs' methods copy it with all others. */
export const lessonOption = Symbol('llmemo.lesson')

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
 * The cache's options in an SDK's request options: a copy, as the caller may change its own while the call is made.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function readCallOptions(cache: unknown, bypassCache: unknown): CallOptions {
  if (bypassCache !== undefined && typeof bypassCache !== 'boolean') {
    throw new InvalidOptionError('bypassCache', bypassCache, 'true or false')
  }
  const own = ownOptions(cache)
  if (own !== undefined) assertCallOptions(own)
  return bypassCache === true ? { ...own, mode: 'no-store' } : (own ?? {})
}

/** The same options; `undefined` if they are not valid. The documented way rejects such a call with the error. */
export function validCallOptions(cache: unknown, bypassCache: unknown): CallOptions | undefined {
  try {
    return readCallOptions(cache, bypassCache)
  } catch {
    return undefined
  }
}

/**
 * The request options without ours, which go to our `fetch` in `fetchOptions`. The body is read here: what the key is made of and what the
 * SDK sends is one copy.
 * @param refined takes out of the body what is not sent
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function passDown(given: unknown, refined: (body: unknown) => unknown = (body) => body): unknown {
  if (!isJsonObject(given)) return given
  // Not by `delete`: V8 reads an object more slowly after it, and the SDK copies this one.
  const { cache, bypassCache, [lessonOption]: taught, ...options }: JsonObject & { readonly [lessonOption]?: unknown } = given
  const { headers, signal, fetchOptions } = options
  const own = readCallOptions(cache, bypassCache)
  const lesson = isLesson(taught) ? taught : undefined
  lesson?.read()
  let body: unknown
  let isPlain = false
  // A call without the cache needs no key.
  if (own.mode !== 'no-store' && 'body' in options) {
    const read = readOnce(options['body'])
    options['body'] = body = refined(read.copy)
    isPlain = body === read.copy ? read.isPlain : isPlainJson(body)
  }
  const passed: PassedOptions = {
    options: own,
    body,
    isPlain,
    headers,
    lesson,
    ...(typeof signal === 'object' && signal !== null && { signal }),
  }
  options['fetchOptions'] = Object.assign(new FetchOptions(), fetchOptions, { [callOptions]: passed })
  return options
}

function isLesson(value: unknown): value is Lesson {
  return typeof value === 'object' && value !== null && 'seen' in value && 'parsed' in value
}

/** The options for `fetch` with ours among them. The SDKs print them in their debug logs, where ours must not appear: they hold the prompt. */
class FetchOptions {
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { [callOptions]: _, ...given }: { [callOptions]?: unknown } = this
    return given
  }
}

/** Whether a key can be made of a body. For a `Map` or a `NaN`, the SDK sends something else than the caller meant. */
export function isKeyable({ body, isPlain }: Pick<PassedOptions, 'body' | 'isPlain'>): boolean {
  if (isPlain === true || typeof body !== 'object' || body === null || body instanceof FormData) return true
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

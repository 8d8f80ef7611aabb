/**
 * The SDKs' own promise of a result: what we read of it, and how its result gets the cache facts.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import { attachInfo, infoOfResponse, noteInfo } from '../cache-info.ts'
import { passedOptionsIn } from '../call-options.ts'
import { Given } from '../given.ts'
import { materialise } from '../lazy-response.ts'

/** What we use of the SDK's notes on a response. */
export interface SdkProps {
  readonly response: Response
  readonly options?: unknown
}

/** What a helper of the SDK makes of a result. */
export type Transform = (data: unknown, props: SdkProps) => unknown

/** What we use of the SDKs' promise. Their own helpers use the same members. */
export interface SdkPromise {
  /** Makes the result of the response. Not every version of the SDK keeps it on the promise. */
  parseResponse?: (...given: [client: unknown, props: SdkProps] | [props: SdkProps]) => unknown
  _thenUnwrap: (this: SdkPromise, transform: Transform) => SdkPromise
  asResponse: (this: SdkPromise) => Promise<Response>
  withResponse: (this: SdkPromise) => Promise<SdkProps>
}

/** What helpers have made of the result of the SDK's `post`, in a private member of the promise that they returned. */
class Transformed extends Given {
  #transforms: readonly Transform[] = []

  static note(promise: object, transforms: readonly Transform[]): void {
    const noted: object = #transforms in promise ? promise : new Transformed(promise)
    if (#transforms in noted) noted.#transforms = transforms
  }

  static of(promise: object): readonly Transform[] | undefined {
    return #transforms in promise ? promise.#transforms : undefined
  }
}

/** What was made of the result of `post` to give the result of `promise`; `undefined` for a promise that is not known to come from there. */
export function transformsOf(promise: unknown): readonly Transform[] | undefined {
  return typeof promise === 'object' && promise !== null ? Transformed.of(promise) : undefined
}

/** The SDK's promise. Its result, and all that a helper makes of it, carries the facts of the response. */
export function informed(promise: SdkPromise, transforms: readonly Transform[] = []): SdkPromise {
  const own = marking(promise, marked)
  Transformed.note(own, transforms)
  const { _thenUnwrap: unwrap, asResponse, withResponse } = own
  own._thenUnwrap = (transform) => informed(unwrap.call(own, transform), [...transforms, transform])
  own.asResponse = async () => materialise(await asResponse.call(own))
  own.withResponse = async () => {
    const result = await withResponse.call(own)
    return { ...result, response: materialise(result.response) }
  }
  return own
}

/** The SDK's promise of a `Response` of its own. Its result, and all that a helper makes of it, carries facts that are known without it. */
export function informedBy(promise: SdkPromise, facts: { readonly info: () => CacheInfo }): SdkPromise {
  const own = marking(promise, (data) => {
    attachInfo(data, facts.info)
    return data
  })
  const { _thenUnwrap: unwrap, asResponse, withResponse } = own
  own._thenUnwrap = (transform) => informedBy(unwrap.call(own, transform), facts)
  own.asResponse = async () => {
    const response = await asResponse.call(own)
    noteInfo(response, facts.info)
    return response
  }
  own.withResponse = async () => {
    const result = await withResponse.call(own)
    noteInfo(result.response, facts.info)
    return result
  }
  return own
}

/**
 * A promise whose result is marked: the same promise if its `parseResponse` can be replaced, else a new one, which takes longer.
 * @param mark gives the result back
 */
function marking(promise: SdkPromise, mark: Transform): SdkPromise {
  const { parseResponse: parse } = promise
  if (!Object.hasOwn(promise, 'parseResponse') || typeof parse !== 'function') return promise._thenUnwrap(mark)
  promise.parseResponse = async (...given) => mark(await parse(...given), given.length === 1 ? given[0] : given[1])
  return promise
}

function marked(data: unknown, props: SdkProps): unknown {
  const { response, options } = props
  const fetchOptions: unknown = typeof options === 'object' && options !== null ? Reflect.get(options, 'fetchOptions') : undefined
  const passed = typeof fetchOptions === 'object' && fetchOptions !== null ? passedOptionsIn(fetchOptions) : undefined
  if (passed !== undefined) {
    passed.lesson?.parsed(data, props)
    // The SDK's promise holds the options, and V8 collects that promise late.
    passed.lesson = passed.learn = undefined
  }
  const info = infoOfResponse(response)
  if (info !== undefined) attachInfo(data, info)
  return data
}

/**
 * What the SDKs that end in a `fetch` have in common. Everything they build upon it (helpers, retries, errors) stays their own. `post`,
 * through which every cached call goes, takes the caller's cache options out of the request options and puts the cache facts on the result.
 * @module
 */
import { attachInfo, infoOfResponse } from '../cache-info.ts'
import type { Fetch } from './caching-fetch.ts'
import { bare, passDown } from '../call-options.ts'
import { materialise } from '../lazy-response.ts'

/** What we use of such a client. */
export interface FetchClient {
  withOptions(options: object): FetchClient
  post(path: string, options?: unknown): SdkPromise
  fetch: Fetch
}

/** What we use of what the SDK knows of a response. */
interface SdkProps {
  readonly response: Response
}

/** What we use of the SDKs' promise; their own helpers use the same. */
interface SdkPromise {
  /** How the result is made of the response, where a version of the SDK keeps that with the promise. */
  parseResponse?: (client: unknown, props: SdkProps) => Promise<unknown>
  _thenUnwrap: (this: SdkPromise, transform: (data: unknown, props: SdkProps) => unknown) => SdkPromise
  asResponse: (this: SdkPromise) => Promise<Response>
  withResponse: (this: SdkPromise) => Promise<SdkProps>
}

/** The bare client beneath one of ours, as two caches around one another would only hide each other. */
export function bareClient(client: FetchClient): FetchClient {
  const beneath: unknown = Reflect.get(client, bare)
  // Only `withCallOptions` writes this member, and it writes such a client.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof beneath === 'object' && beneath !== null ? (beneath as FetchClient) : client
}

/**
 * `wrapped`, a clone of `own` whose requests go through the cache, taking the cache's options and telling its facts.
 * @param again wraps what `withOptions` makes of a wrapped client
 * @param prepare makes the SDK's request options of the caller's
 */
export function withCallOptions(
  wrapped: FetchClient,
  own: FetchClient,
  again: (options: object) => FetchClient,
  prepare: (options: unknown) => unknown = passDown,
): FetchClient {
  const post = wrapped.post.bind(wrapped)
  return Object.defineProperties(wrapped, {
    [bare]: { value: own },
    post: {
      value: (path: string, options?: unknown) => informed(post(path, prepared(options, prepare))),
      configurable: true,
      writable: true,
    },
    withOptions: { value: again, configurable: true, writable: true },
  })
}

/** An option that a client was made with. */
export function optionOf(client: object, name: string): unknown {
  const options: unknown = Reflect.get(client, '_options')
  return typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined
}

/** The request options with ours passed down. A wrong one of ours rejects the call's promise, whichever way the SDK made the call. */
function prepared(given: unknown, prepare: (options: unknown) => unknown): unknown {
  if (isThenable(given)) return given.then(prepare)
  try {
    return prepare(given)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The SDK's promise, whose result, and whatever a helper makes of it, carries the facts of its response. */
function informed(promise: SdkPromise): SdkPromise {
  const own = marking(promise)
  const { _thenUnwrap: unwrap, asResponse, withResponse } = own
  own._thenUnwrap = (transform) => informed(unwrap.call(own, transform))
  own.asResponse = async () => materialise(await asResponse.call(own))
  own.withResponse = async () => {
    const told = await withResponse.call(own)
    return { ...told, response: materialise(told.response) }
  }
  return own
}

/** A promise whose result carries its facts: the same one where its making can be seen, else one that is made of it, which takes longer. */
function marking(promise: SdkPromise): SdkPromise {
  const { parseResponse: parse } = promise
  if (!Object.hasOwn(promise, 'parseResponse') || typeof parse !== 'function') return promise._thenUnwrap(marked)
  promise.parseResponse = async (client, props) => marked(await parse(client, props), props)
  return promise
}

function marked(data: unknown, { response }: SdkProps): unknown {
  const info = infoOfResponse(response)
  if (info !== undefined) attachInfo(data, info)
  return data
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

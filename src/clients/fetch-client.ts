/**
 * What the SDKs that end in a `fetch` have in common. Everything they build upon it (helpers, retries, errors) stays their own. `post`,
 * through which every cached call goes, takes the caller's cache options out of the request options and puts the cache facts on the result.
 * @module
 */
import { attachInfo, cacheInfo } from './cache-info.ts'
import type { Fetch } from './caching-fetch.ts'
import { bare, handDown } from './call-options.ts'

/** What we use of such a client. */
export interface FetchClient {
  withOptions(options: object): FetchClient
  post(path: string, options?: unknown): SdkPromise
  fetch: Fetch
}

/** What we use of the SDKs' promise; their own helpers use the same. */
interface SdkPromise {
  _thenUnwrap(transform: (data: unknown, props: { readonly response: Response }) => unknown): SdkPromise
}

/** Whether `client` has these methods, each named by its path: `['chat', 'completions', 'create']`. */
export function hasMethods(client: object, ...paths: readonly (readonly string[])[]): boolean {
  return paths.every((path) => {
    let value: unknown = client
    for (const name of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
    return typeof value === 'function'
  })
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
  prepare: (options: unknown) => unknown = handDown,
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

/** The request options with ours handed down. A wrong one of ours rejects the call's promise, whichever way the SDK made the call. */
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
  const marked = promise._thenUnwrap((data, { response }) => {
    const info = cacheInfo(response)
    if (info !== undefined) attachInfo(data, info)
    return data
  })
  const unwrap = marked._thenUnwrap.bind(marked)
  marked._thenUnwrap = (transform) => informed(unwrap(transform))
  return marked
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

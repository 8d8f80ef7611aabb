/**
 * What the SDKs that call a `fetch` have in common. All that they build on it (helpers, retries, errors) stays their own. Every cached
 * call goes through `post`: it takes the cache's options out of the request options, and puts the cache facts on the result.
 * @module
 */
import { cacheOf, noteCache } from '../cache-of.ts'
import type { Fetch } from './caching-fetch.ts'
import type { Engine } from '../../engine/engine.ts'
import { assertScope } from '../../engine/cached-call.ts'
import type { Settings } from '../../engine/settings/options.ts'
import { endpointOfPath } from '../../providers/catalogue.ts'
import { bare, passDown, passedOptionsIn } from '../call-options.ts'
import { informed, type SdkPromise } from './sdk-promise.ts'
import type { Twin } from './twin.ts'

/** What we use of such a client. */
export interface FetchClient {
  /** Not every SDK makes copies of a client. */
  withOptions?(options: object): FetchClient
  post(path: string, options?: unknown): SdkPromise
  fetch: Fetch
}

/** The bare client beneath a wrapped one. A cache around another cache would only hide it. */
export function bareClient(client: FetchClient): FetchClient {
  const beneath: unknown = Reflect.get(client, bare)
  // Only `withCallOptions` writes this member, and it writes such a client.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof beneath === 'object' && beneath !== null ? (beneath as FetchClient) : client
}

/** How a wrapped client differs from its bare one. */
export interface WrappedBehaviour {
  /** Wraps a copy of the client. @default the SDK makes none */
  readonly again?: (copy: FetchClient) => FetchClient
  /** Makes the SDK's request options of the caller's. @default {@link passDown} */
  readonly prepare?: (options: unknown) => unknown
  readonly engine: Engine
}

/** The client of `twin`, whose requests go through the cache: its calls take the cache's options, and results carry its facts. */
export function withCallOptions(
  { client, own, view, copied }: Twin<FetchClient>,
  { again, prepare = passDown, engine }: WrappedBehaviour,
): FetchClient {
  const check = (path: string, options: unknown): unknown => {
    if (engine.settings.requireScope) assertScopeOf(path, options, engine.settings)
    return options
  }
  // A patch of the caller's, or the SDK's own.
  const post = (...given: unknown[]): SdkPromise => Reflect.apply(Reflect.get(view, 'post'), client, given)
  const copy = again && ((options: object): FetchClient => noteCache(again(copied(options)), cacheOf(client)))
  return Object.defineProperties(client, {
    [bare]: { value: own },
    post: {
      value: (path: string, options?: unknown) =>
        informed(
          post(
            path,
            prepared(options, (given) => check(path, prepare(given))),
          ),
        ),
      configurable: true,
      writable: true,
    },
    ...(copy && { withOptions: { value: copy, configurable: true, writable: true } }),
  })
}

/**
 * An SDK would take an error of its `fetch` for a broken connection, and try again. So this is checked before.
 * @throws {InvalidOptionError} for a call that is cached and has no scope
 */
function assertScopeOf(path: string, options: unknown, settings: Settings): void {
  if (endpointOfPath(path.split('?', 1).join()) === undefined) return
  const fetchOptions: unknown = Reflect.get(Object(options), 'fetchOptions')
  const passed = typeof fetchOptions === 'object' && fetchOptions !== null ? passedOptionsIn(fetchOptions) : undefined
  if (passed?.options.mode !== 'no-store' && passed?.options.scope === undefined) assertScope(settings)
}

/** An option that a client was made with. */
export function optionOf(client: object, name: string): unknown {
  const options: unknown = Reflect.get(client, '_options')
  return typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined
}

/** The request options with ours passed down. An invalid one of ours rejects the call's promise. */
function prepared(given: unknown, prepare: (options: unknown) => unknown): unknown {
  if (isThenable(given)) return given.then(prepare)
  try {
    return prepare(given)
  } catch (error) {
    return Promise.reject(error)
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

/**
 * `withCache` wraps a client in one line; `cachingFetch` wraps a `fetch`.
 * @module
 */
import { cacheInfo } from './cache-info.ts'
import { type Cache, createCache, engineOf } from '../cache/cache.ts'
import type { Engine } from '../engine/engine.ts'
import type { CacheOptions } from '../engine/settings/options.ts'
import { InvalidOptionError, UnknownClientError } from '../errors.ts'
import { isAnthropic, wrapAnthropic } from './anthropic/client.ts'
import { noteCache } from './cache-of.ts'
import { isBedrock, wrapBedrock } from './bedrock/client.ts'
import { type Fetch, fetchThrough } from './http/caching-fetch.ts'
import { withMembers } from './http/twin-fetch.ts'
import { isOpenAi, wrapOpenAi } from './openai/client.ts'
import type { Cached } from './cached.ts'
import { noteWrapping } from './wrap-warnings.ts'

/** An object that is neither a class nor a promise. */
type Instance = object & { readonly prototype?: undefined; readonly then?: undefined }

/**
 * Returns a client of the same type that answers repeated calls from the cache. It does not change the client that it is given.
 * @param cacheOrOptions a cache, which other clients may share, or the options for a new one @default a cache in memory
 * @throws {UnknownClientError} for a client of an unknown SDK
 * @throws {InvalidOptionError} for an unknown option or an invalid value
 */
export function withCache<Client extends Instance>(client: Client, cacheOrOptions?: Cache | CacheOptions): Cached<Client> {
  if (typeof client !== 'object' || client === null) throw new UnknownClientError(client)
  const wrap = wrapperOf(client)
  if (wrap === undefined) throw new UnknownClientError(client)
  const [cache, engine] = cacheFrom(cacheOrOptions)
  const wrapped = wrap(engine)
  noteWrapping(client, engine, !isCache(cacheOrOptions) && engine.settings.store === undefined)
  // The wrapped client has the class of the given one, with the additions that `Cached` describes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return noteCache(wrapped, cache) as Cached<Client>
}

/** The function that wraps this client. */
function wrapperOf(client: object): ((engine: Engine) => object) | undefined {
  if (isOpenAi(client)) return (engine) => wrapOpenAi(client, engine)
  if (isAnthropic(client)) return (engine) => wrapAnthropic(client, engine)
  if (isBedrock(client)) return (engine) => wrapBedrock(client, engine)
  return undefined
}

/**
 * Returns a `fetch` that answers repeated calls from the cache, for any SDK that takes one. It knows the protocols of OpenAI and Anthropic,
 * on any host.
 * @param fetch calls the origin @default the global fetch
 * @throws {InvalidOptionError} if `cache` is no cache or `fetch` no function
 */
export function cachingFetch(cache: Cache, fetch: Fetch = globalThis.fetch): CachingFetch {
  if (engineOf(cache) === undefined) throw new InvalidOptionError('cache', cache, 'a cache made by createCache()')
  if (typeof fetch !== 'function') throw new InvalidOptionError('fetch', fetch, 'a function such as the global fetch')
  const ours = fetchThrough(cacheFrom(cache)[1], fetch, {})
  // A fetch of the caller's own may lack members that the runtime's has.
  if (typeof globalThis.fetch === 'function') withMembers(ours, globalThis.fetch)
  return withMembers(ours, fetch)
}

/** A `fetch` with the members that the global one has: Bun's has `preconnect`. */
export type CachingFetch = Fetch & Pick<typeof globalThis.fetch, keyof typeof globalThis.fetch>

function cacheFrom(cacheOrOptions: Cache | CacheOptions | undefined): [Cache, Engine] {
  // Anything else is read as options. `createCache` throws an error that names what is wrong in them.
  const cache = isCache(cacheOrOptions) ? cacheOrOptions : createCache(cacheOrOptions)
  const engine = engineOf(cache)
  if (engine === undefined) throw new InvalidOptionError('cache', cacheOrOptions, 'a cache made by createCache(), or its options')
  engine.infoOf = cacheInfo
  return [cache, engine]
}

function isCache(value: unknown): value is Cache {
  return engineOf(value) !== undefined
}

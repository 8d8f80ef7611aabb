/**
 * One line wraps a client.
 * @module
 */
import { type Cache, createCache, engineOf } from '../cache/cache.ts'
import type { Engine } from '../engine/engine.ts'
import type { CacheOptions } from '../engine/settings/options.ts'
import { InvalidOptionError, UnknownClientError } from '../errors.ts'
import { isAnthropic, wrapAnthropic } from './anthropic/client.ts'
import { isBedrock, wrapBedrock } from './bedrock/client.ts'
import { type Fetch, fetchThrough } from './http/caching-fetch.ts'
import { isOpenAi, wrapOpenAi } from './openai/client.ts'
import type { Cached } from './cached.ts'

/**
 * A client of the same type whose repeated calls are answered from the cache. The client that is given is not changed.
 * @param cacheOrOptions a cache, to be shared with others, or the options of one of its own @default a cache in memory
 * @throws {UnknownClientError} for a client that is not known
 * @throws {InvalidOptionError} for options that cannot be
 */
export function withCache<Client extends object>(client: Client, cacheOrOptions?: Cache | CacheOptions): Cached<Client> {
  if (typeof client !== 'object' || client === null) throw new UnknownClientError(client)
  const wrap = wrapperOf(client)
  if (wrap === undefined) throw new UnknownClientError(client)
  // The wrapped client is of the class of the client, with the additions that `Cached` describes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return wrap(engineFrom(cacheOrOptions)) as Cached<Client>
}

/** The SDKs are told apart by shape: bundlers rename classes, and a package may be there twice. */
function wrapperOf(client: object): ((engine: Engine) => object) | undefined {
  if (isOpenAi(client)) return (engine) => wrapOpenAi(client, engine)
  if (isAnthropic(client)) return (engine) => wrapAnthropic(client, engine)
  if (isBedrock(client)) return (engine) => wrapBedrock(client, engine)
  return undefined
}

/**
 * A `fetch` that answers repeated calls from the cache, for any SDK that takes one: OpenAI's and Anthropic's own protocols under any host.
 * @param fetch what asks the origin @default the global fetch
 * @throws {InvalidOptionError} when `cache` is no cache or `fetch` no function
 */
export function cachingFetch(cache: Cache, fetch: Fetch = globalThis.fetch): Fetch {
  if (engineOf(cache) === undefined) throw new InvalidOptionError('cache', cache, 'a cache made by createCache()')
  if (typeof fetch !== 'function') throw new InvalidOptionError('fetch', fetch, 'a function such as the global fetch')
  return fetchThrough(engineFrom(cache), fetch, { rotating: false })
}

function engineFrom(cacheOrOptions: Cache | CacheOptions | undefined): Engine {
  // What is no cache is read as options, which names whatever in it is none.
  const engine = engineOf(isCache(cacheOrOptions) ? cacheOrOptions : createCache(cacheOrOptions))
  if (engine === undefined) throw new InvalidOptionError('cache', cacheOrOptions, 'a cache made by createCache(), or its options')
  return engine
}

function isCache(value: unknown): value is Cache {
  return engineOf(value) !== undefined
}

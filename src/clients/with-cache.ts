/**
 * `withCache` wraps a client, or a function, in one line; `cachingFetch` wraps a `fetch`.
 * @module
 */
import { cacheInfo } from './cache-info.ts'
import { type Cache, createCache, engineOf } from '../cache/cache.ts'
import type { Engine } from '../engine/engine.ts'
import type { CacheOptions } from '../engine/settings/options.ts'
import { InvalidOptionError, UnknownClientError } from '../errors.ts'
import { isAnthropic, wrapAnthropic } from './anthropic/client.ts'
import { noteCache } from './cache-of.ts'
import { areFunctionOptions, type FunctionOptions, wrapFunction } from './cached-function.ts'
import { isBedrock, wrapBedrock } from './bedrock/client.ts'
import { isGemini, wrapGemini } from './gemini/client.ts'
import { type Fetch, fetchThrough } from './http/caching-fetch.ts'
import { type CachingFetchOptions, noDefaults, readFetchOptions } from './http/fetch-options.ts'
import { type RequestHead, type StoredAnswers, storedAnswersOf } from './http/stored-answers.ts'
import { withMembers } from './http/twin-fetch.ts'
import { isOpenAi, wrapOpenAi } from './openai/client.ts'
import { isFirstGeneration, wrapFirstGeneration } from './openai/first-generation.ts'
import type { Cached } from './cached.ts'
import { noteWrapping } from './wrap-warnings.ts'

/** A client or a function, and neither a class nor a promise. */
type Instance = object & { readonly prototype?: undefined; readonly then?: undefined }

/**
 * Returns a client of the same type that answers repeated calls from the cache. It does not change the client that it is given.
 *
 * The cache stands above the `fetch` of the client. What a `fetch` of your own changes in a request is no part of the key, nor for Bedrock what
 * a middleware after the step `initialize` changes. Clients with one credential that differ in such changes need a `scope` of their own.
 *
 * Of a function of your own, it returns one that answers repeated calls from the cache, for what no client does. What it takes and gives must
 * be what JSON can hold, or it goes past the cache. Each caller gets a copy of the answer.
 * @param cacheOrOptions a cache, which other clients may share, or the options for a new one; of a function its {@link FunctionOptions}
 * @default a cache in memory, without options
 * @throws {UnknownClientError} for a client of an unknown SDK, and for a function without the option `operation`
 * @throws {InvalidOptionError} for an unknown option or an invalid value
 */
export function withCache<Client extends Instance>(
  client: Client,
  cacheOrOptions?: Cache | CacheOptions | FunctionOptions,
): Cached<Client> {
  // The wrapped client has the class of the given one, with the additions that `Cached` describes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return wrapped(client, cacheOrOptions) as Cached<Client>
}

function wrapped(client: unknown, options: Cache | CacheOptions | FunctionOptions | undefined): object {
  if (isFunction(client) && areFunctionOptions(options)) {
    const { cache: given, ...ofCalls } = options
    const [cache, engine] = cacheFrom(given)
    return noteCache(wrapFunction(client, engine, ofCalls), cache)
  }
  if (typeof client !== 'object' || client === null) throw new UnknownClientError(client)
  const wrap = wrapperOf(client)
  if (wrap === undefined) throw new UnknownClientError(client)
  const [cache, engine] = cacheFrom(options)
  const wrapped = wrap(engine)
  noteWrapping(client, engine, !isCache(options) && engine.settings.store === undefined)
  return noteCache(wrapped, cache)
}

function isFunction(value: unknown): value is (...given: readonly unknown[]) => unknown {
  return typeof value === 'function'
}

/** The function that wraps this client. */
function wrapperOf(client: object): ((engine: Engine) => object) | undefined {
  if (isOpenAi(client)) return (engine) => wrapOpenAi(client, engine)
  if (isAnthropic(client)) return (engine) => wrapAnthropic(client, engine)
  if (isBedrock(client)) return (engine) => wrapBedrock(client, engine)
  if (isGemini(client)) return (engine) => wrapGemini(client, engine)
  if (isFirstGeneration(client)) return (engine) => wrapFirstGeneration(client, engine)
  return undefined
}

/**
 * Returns a `fetch` that answers repeated calls from the cache, for any SDK that takes one. It knows the protocols of OpenAI, Anthropic
 * and others on any host: docs/integrations.md lists them.
 * @param fetch calls the origin. What it changes in a request is no part of the key @default the global fetch
 * @param options what holds for its calls, and what their headers may say @default none
 * @throws {InvalidOptionError} if `cache` is no cache or `fetch` no function, and for an option that cannot be
 */
export function cachingFetch(cache: Cache, fetch: Fetch = globalThis.fetch, options?: CachingFetchOptions): CachingFetch {
  if (engineOf(cache) === undefined) throw new InvalidOptionError('cache', cache, 'a cache made by createCache()')
  if (typeof fetch !== 'function') throw new InvalidOptionError('fetch', fetch, 'a function such as the global fetch')
  const seam = options === undefined ? {} : { defaults: readFetchOptions(options) }
  const ours = fetchThrough(cacheFrom(cache)[1], fetch, seam)
  // A fetch of the caller's own may lack members that the runtime's has.
  if (typeof globalThis.fetch === 'function') withMembers(ours, globalThis.fetch)
  return withMembers(ours, fetch)
}

/**
 * Finds what `cachingFetch` would answer out of memory, for a server that passes answers on as they are: without a promise for each, and
 * without a `Response`. Each answer that is found counts as a hit.
 * @param head all of a POST request except its body, as the `fetch` would be called
 * @param options those of the `fetch` @default none
 * @returns what finds an answer by a body; nothing if no answers to such requests are kept
 * @throws {InvalidOptionError} if `cache` is no cache, and for an option that cannot be
 */
export async function storedAnswers(cache: Cache, head: RequestHead, options?: CachingFetchOptions): Promise<StoredAnswers | undefined> {
  if (engineOf(cache) === undefined) throw new InvalidOptionError('cache', cache, 'a cache made by createCache()')
  return storedAnswersOf(cacheFrom(cache)[1], options === undefined ? noDefaults : readFetchOptions(options), head)
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

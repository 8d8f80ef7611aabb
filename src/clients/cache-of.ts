/**
 * Which cache a wrapped client uses.
 * @module
 */
import type { Cache } from '../cache/cache.ts'

const caches = new WeakMap<object, Cache>()

/** Notes the cache of a wrapped client. */
export function noteCache<Client extends object>(client: Client, cache: Cache | undefined): Client {
  if (cache !== undefined) caches.set(client, cache)
  return client
}

/** The cache of a client that `withCache` returned, or of its copy by `withOptions`; `undefined` for any other client. */
export function cacheOf(client: object): Cache | undefined {
  return caches.get(client)
}

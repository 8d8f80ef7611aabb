/**
 * Wrapping that cannot be meant: a cache for each request, which never hits, two caches on one client, and methods whose calls go past the
 * cache. The log has one line for each.
 * @module
 */
import { shortName } from '../base/short-name.ts'
import type { Engine } from '../engine/engine.ts'
import { patchesPast } from './http/own-resources.ts'

/** Caches that `withCache` may make by itself for clients of one class and address, before it is taken for a mistake. */
const maxOwnCaches = 3

/** The engine by which a client was wrapped last. */
const wrapped = new WeakMap<object, Engine>()
/** How many caches `withCache` made by itself, by class and address of their clients. */
const ownCaches = new Map<string, number>()

/**
 * Notes that `client` is wrapped by `engine`.
 * @param isOwn whether `withCache` made the cache, without a store, for this client alone
 */
export function noteWrapping(client: object, engine: Engine, isOwn: boolean): void {
  const before = wrapped.get(client)
  wrapped.set(client, engine)
  const past = before === undefined ? patchesPast(client) : []
  if (past.length > 0) {
    engine.notices.once(
      'patched',
      `the calls of ${past.join(', ')} go past the cache: the functions there, which are not the SDK's, call the given client and not the wrapped one. Wrap the client by withCache() first, and let an observer patch the wrapped client.`,
    )
  }
  if (before !== undefined && before !== engine) {
    engine.notices.once(
      'wrapped twice',
      'withCache() wraps one client a second time, with another cache, and the two share nothing. Wrap each client once, outside of request handlers, or give both calls the same cache.',
    )
  } else if (isOwn && countOf(client) > maxOwnCaches) {
    engine.notices.once(
      'cache for each request',
      'withCache() makes a cache for each of many clients, and these share nothing. In a request handler no call would ever be a hit: make one cache by createCache() outside of it, and give it to withCache().',
    )
  }
}

function countOf(client: object): number {
  const address: unknown = Reflect.get(client, 'baseURL')
  const kind = shortName(`${client.constructor.name} ${typeof address === 'string' ? address : ''}`)
  const count = (ownCaches.get(kind) ?? 0) + 1
  if (ownCaches.size < 100 || ownCaches.has(kind)) ownCaches.set(kind, count)
  return count
}

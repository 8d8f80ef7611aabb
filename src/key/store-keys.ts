/**
 * All names in a store: the keys of entries, values, generations and leases, and the channel of messages.
 * Each begins with the namespace, so that `keys(prefix)` lists one namespace only.
 *
 * A store's client may put a prefix of its own before each name, such as the `keyPrefix` of ioredis. An encoded namespace holds no slash. So
 * no prefix and namespace together make the name of another namespace, as `x` and `y` would otherwise make that of `xy`.
 * @module
 */
import { sha256 } from '../base/digest.ts'
import { remembering } from '../base/memo.ts'

/** The prefix of all keys of a namespace. An encoded namespace holds no colon, so no prefix begins with another one. */
const namespacePrefix = remembering(100, (namespace) => `llmemo/${encodeURIComponent(namespace)}:`)

/** The prefix of the keys of all stored answers. */
export function entryPrefix(namespace: string): string {
  return `${namespacePrefix(namespace)}v1:`
}

/** The key of a stored answer. */
export function entryKey(namespace: string, key: string): string {
  return `${namespacePrefix(namespace)}v1:${key}`
}

/** The prefix of the keys of all values, whatever their scope. */
export function valuesPrefix(namespace: string): string {
  return `${namespacePrefix(namespace)}kv:`
}

/** The prefix of the keys of all values in a scope. The caller's own key follows it. */
export function valuePrefix(namespace: string, scope: string): string {
  return `${namespacePrefix(namespace)}kv:${encodeURIComponent(scope)}:`
}

/** The key of a label's generation. */
export function generationKey(namespace: string, label: string): string {
  return `${namespacePrefix(namespace)}mark:${sha256(label)}`
}

/**
 * The key of the lease for the value at `storeKey`. A separate name: callers choose the keys of values, so a suffix could collide with one.
 */
export function leaseKey(namespace: string, storeKey: string): string {
  return `${namespacePrefix(namespace)}lease:${sha256(storeKey)}`
}

/** The key of the savings of one day, as `2026-11-29`, of which there are several, so that none grows too large. */
export function savingsKey(namespace: string, day: string, part: number): string {
  return `${namespacePrefix(namespace)}savings:${day}:${part}`
}

/** The channel by which processes that share a store tell each other about invalidations. */
export function invalidationChannel(namespace: string): string {
  return `${namespacePrefix(namespace)}news`
}

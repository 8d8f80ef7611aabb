/**
 * Every name that stands in a store: where entries, values, generations and leases lie, and the channel of messages.
 * Each begins with the namespace, so that `keys(prefix)` lists one namespace and no other.
 * @module
 */
import { sha256 } from '../base/digest.ts'
import { remembering } from '../base/memo.ts'

/** What every key of a namespace begins with. An encoded namespace holds no colon, so none is a prefix of another. */
const namespacePrefix = remembering(100, (namespace) => `${encodeURIComponent(namespace)}:`)

/** The key of the entry of an answer. */
export function entryKey(namespace: string, key: string): string {
  return `${namespacePrefix(namespace)}v1:${key}`
}

/** What the keys of all values of a scope begin with; the caller's own key follows. */
export function valuePrefix(namespace: string, scope: string): string {
  return `${namespacePrefix(namespace)}kv:${encodeURIComponent(scope)}:`
}

/** The key of a label's generation. */
export function generationKey(namespace: string, label: string): string {
  return `${namespacePrefix(namespace)}mark:${sha256(label)}`
}

/** The key of the lease for what lies at `storeKey`. Leases have keys of their own, as the caller chooses the keys of values. */
export function leaseKey(namespace: string, storeKey: string): string {
  return `${namespacePrefix(namespace)}lease:${sha256(storeKey)}`
}

/** The channel on which the processes over one store tell one another of invalidations. */
export function invalidationChannel(namespace: string): string {
  return `${namespacePrefix(namespace)}news`
}

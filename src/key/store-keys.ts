/**
 * All names in a store: the keys of entries, values, generations and leases, and the channel of messages.
 * Each begins with the namespace, so that `keys(prefix)` lists one namespace only.
 *
 * A store's client may put a prefix of its own before each name, such as the `keyPrefix` of ioredis. An encoded namespace holds no slash. So
 * no prefix and namespace together make the name of another namespace, as `x` and `y` would otherwise make that of `xy`.
 *
 * With encryption, a name is hidden: namespace and kind stay legible, so that names can be listed, and the rest is a digest under a key of
 * the user's. Otherwise a reader of the store could try names until one is there, and so confirm a guessed prompt, tag or key of a value.
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

/** A key or a channel that holds nothing of the cache, to examine a store with. */
export function examinedKey(namespace: string, name: string): string {
  return `${namespacePrefix(namespace)}examined:${name}`
}

/** The channel by which processes that share a store tell each other about invalidations. */
export function invalidationChannel(namespace: string): string {
  return `${namespacePrefix(namespace)}news`
}

/** What lies under a name. An `edition` lies beside each entry and value where there is encryption. */
export type NameKind = 'v1' | 'kv' | 'mark' | 'lease' | 'edition'

const kinds: readonly string[] = ['v1', 'kv', 'mark', 'lease'] satisfies readonly NameKind[]

/** What lies under this name; `undefined` for a name that this file did not make. */
export function kindOf(name: string): NameKind | undefined {
  const kind = name.split(':', 2)[1]
  return isKind(kind) ? kind : undefined
}

function isKind(text: string | undefined): text is NameKind {
  return text !== undefined && kinds.includes(text)
}

/** Makes a digest of a name, in hex, which only holders of a key can make. */
export type NameDigest = (purpose: 'name' | 'scope', name: string) => string

/** The hidden name of a name. That of a value has its scope in front, as a digest. */
export function hiddenName(name: string, digest: NameDigest): string {
  const prefix = name.split(':', 2).join(':')
  const scope = kindOf(name) === 'kv' ? `${hiddenScope(name, digest)}:` : ''
  return `${prefix}:${scope}${digest('name', name)}`
}

/** The prefix of the hidden names of whatever has names that begin with this prefix: of a kind, or of all values in a scope. */
export function hiddenPrefix(prefix: string, digest: NameDigest): string {
  if (prefix.split(':').length < 4) return prefix
  return `${prefix.split(':', 2).join(':')}:${hiddenScope(prefix, digest)}:`
}

/** The hidden name of what lies beside an entry or a value. */
export function hiddenEditionName(name: string, digest: NameDigest): string {
  return `${name.split(':', 1).join('')}:edition:${digest('name', name)}`
}

/** The digest of the beginning of a value's name: everything but the caller's own key. */
function hiddenScope(name: string, digest: NameDigest): string {
  return digest('scope', name.split(':', 3).join(':')).slice(0, 32)
}

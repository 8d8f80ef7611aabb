/**
 * What of the cache belongs to a caller: of answers, those with its tenant's scope; of values, those whose keys begin with its tenant's name.
 * @module
 */
import type { CacheEntry } from 'llmemo'
import type { Caller } from '../caller.ts'

/** What says whose an entry is, or an event about one. */
export type Placed = Pick<CacheEntry, 'key' | 'endpoint' | 'scope'>

/** What of the cache belongs to a caller. */
export interface TenantSpace {
  /** The tenant; `undefined` for an admin, that owns everything. */
  readonly tenant: string | undefined
  /** The option that lets a request meet only answers of the tenant. */
  readonly scope: { readonly scope?: string }
  /** The cache's key of a value, by the key that the caller gives it. */
  keyOf(key: string): string
  /** The cache's pattern for a pattern of the caller's. */
  patternOf(pattern: string): string
  /** Whether an entry belongs to the caller. */
  has(entry: Placed): boolean
  /** An entry's key, as the caller knows it. */
  shownKey(entry: Placed): string
}

/** What of the cache belongs to this caller. */
export function spaceOf({ tenant }: Pick<Caller, 'tenant'>): TenantSpace {
  // A tenant's name has no colon, so no prefix is the beginning of another one.
  const prefix = tenant === undefined ? '' : `tenant:${tenant}:`
  return {
    tenant,
    scope: tenant === undefined ? {} : { scope: tenant },
    keyOf: (key) => prefix + key,
    patternOf: (pattern) => prefix.replaceAll(/[*?[\]\\^-]/g, '\\$&') + pattern,
    has: (entry) => tenant === undefined || (isValue(entry) ? entry.key.startsWith(prefix) : entry.scope === tenant),
    shownKey: (entry) => (isValue(entry) ? entry.key.slice(prefix.length) : entry.key),
  }
}

/** Whether an entry is a value under a key of a caller's own, rather than an answer. */
export function isValue({ endpoint }: Placed): boolean {
  return endpoint === ''
}

/**
 * Entries of the cache as the API shows them, and the search for them.
 * @module
 */
import type { Cache, CacheEntry, EntryFilter } from 'llmemo'
import { isValue, type TenantSpace } from '../access/tenant-space.ts'

/** Entries that one search looks at, at the most: a list is for people, and a store may hold millions. */
const maxLookedAt = 100_000

/** What a search found. */
export interface FoundEntries {
  readonly entries: readonly CacheEntry[]
  /** How many there are; at least so many if `isPartial`. */
  readonly count: number
  /** Whether the search ended before it saw all. */
  readonly isPartial: boolean
}

/** What is searched for. */
export interface EntrySearch {
  readonly filter: EntryFilter
  readonly space: TenantSpace
  /** How many entries are wanted. */
  readonly limit: number
  /** @default all */
  readonly isWanted?: (entry: CacheEntry) => boolean
  /** Whether all are counted, beyond those that are wanted. @default false */
  readonly isCounted?: boolean
}

/** Searches for entries that belong to a caller. */
export async function search(
  cache: Cache,
  { filter, space, limit, isWanted = () => true, isCounted = false }: EntrySearch,
): Promise<FoundEntries> {
  const entries: CacheEntry[] = []
  let count = 0
  let seen = 0
  for await (const entry of cache.entries(filter)) {
    if (++seen > maxLookedAt) return { entries, count, isPartial: true }
    if (!space.has(entry) || !isWanted(entry)) continue
    count++
    if (entries.length < limit) entries.push(entry)
    else if (!isCounted) return { entries, count, isPartial: true }
  }
  return { entries, count, isPartial: false }
}

/** An entry as the API shows it: its head, without what was asked and answered. */
export function shownEntry(entry: CacheEntry, space: TenantSpace): object {
  const { scope, provider, endpoint, operation, model, kind, tags, storedAt, age, ttl, bytes, source } = entry
  const own = { provider, endpoint, operation, model, kind, tags, age, ttl, bytes, source }
  const tenant = isValue(entry) || scope === '' ? space.tenant : scope
  return { key: space.shownKey(entry), ...(tenant !== undefined && { tenant }), ...own, storedAt: new Date(storedAt).toISOString() }
}

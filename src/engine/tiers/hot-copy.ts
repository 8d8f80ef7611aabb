/**
 * A copy of an entry in hot memory, and when the store is to be asked whether it has something newer.
 * @module
 */
import type { Entry } from '../../entry.ts'

/** A copy of an entry in hot memory. Times are milliseconds by the monotonic clock. */
export interface HotCopy {
  readonly entry: Entry
  readonly heldAt: number
  readonly ageThen: number
  /** When the store was last known to have it. */
  checkedAt: number
}

/** Milliseconds between two looks into the store for a stale entry that another process may have refreshed. */
const staleRecheck = 1_000

/** By what a copy is due to be compared with the store. */
export interface Due {
  /** By the monotonic clock, as the times of the copy. */
  readonly now: number
  /** Milliseconds for which a fresh copy is served without asking the store. */
  readonly maxTtl: number
  /** What was compared with the store by then must be compared again. */
  readonly revalidateBefore: number
}

/** The age of the entry in this copy. */
export function ageOf({ heldAt, ageThen }: HotCopy, now: number): number {
  return ageThen + now - heldAt
}

/**
 * Whether the store must be asked before this copy is served: it was not asked for long, or the copy is stale and may be replaced there.
 */
export function isDue(copy: HotCopy, { now, maxTtl, revalidateBefore }: Due): boolean {
  if (copy.checkedAt <= revalidateBefore) return true
  const unasked = now - copy.checkedAt
  const staleFor = ageOf(copy, now) - copy.entry.head.ttl
  if (staleFor < 0) return unasked >= maxTtl
  return unasked > staleFor || unasked >= Math.min(maxTtl, staleRecheck)
}

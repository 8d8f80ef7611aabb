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

/** Milliseconds between two looks into the store for what may have been made anew by another process. */
const staleRecheck = 1_000

/** The age of an entry, of which there is this copy. */
export function ageOf({ heldAt, ageThen }: HotCopy, now: number): number {
  return ageThen + now - heldAt
}

/**
 * Whether the store is to be asked before this copy is served: it was not for long, or the copy is stale and perhaps only here.
 * @param most milliseconds for which a fresh copy is served unasked
 * @param revalidateBefore what was last known to be in the store by then may be there no more
 */
export function isDue(copy: HotCopy, now: number, most: number, revalidateBefore: number): boolean {
  if (copy.checkedAt <= revalidateBefore) return true
  const unasked = now - copy.checkedAt
  const staleFor = ageOf(copy, now) - copy.entry.head.ttl
  if (staleFor < 0) return unasked >= most
  return unasked > staleFor || unasked >= Math.min(most, staleRecheck)
}

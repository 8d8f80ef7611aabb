/**
 * Checks of memory's copies: may one be served, with or without asking the store what was invalidated?
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import type { Address } from './entry-reader.ts'
import type { HotCopy } from './hot-copy.ts'
import type { HotTier } from './hot-tier.ts'
import type { Wanted } from './lookups.ts'
import { bears } from './other-labels.ts'

/** What is wanted, and whether memory's copy of it may be served without asking the store. */
export interface Checked extends Wanted {
  readonly isCurrent: boolean
}

/** What the checks work with. */
export interface CopyChecksOptions {
  readonly clock: Clock
  readonly hot: HotTier
  readonly invalidations: Invalidations
  /** Whether there is a store, which may have a newer entry. */
  readonly hasStore: boolean
  /** Whether a copy is served only if the store could be asked about it. */
  readonly requiresStore: boolean
}

/** Checks of memory's copies. */
export class CopyChecks {
  readonly #clock: Clock
  readonly #hot: HotTier
  readonly #invalidations: Invalidations
  readonly #hasStore: boolean
  readonly #requiresStore: boolean

  constructor({ clock, hot, invalidations, hasStore, requiresStore }: CopyChecksOptions) {
    this.#clock = clock
    this.#hot = hot
    this.#invalidations = invalidations
    this.#hasStore = hasStore
    this.#requiresStore = requiresStore
  }

  /** Whether this copy may be served without asking the store. @param now the monotonic time */
  isServable(held: HotCopy, { labels }: Address, now: number): boolean {
    if (!bears(held.entry, labels)) return false
    return (
      (!this.#hasStore || !this.#hot.isDue(held, now)) &&
      this.#invalidations.isCurrentWithoutRead(held.entry.head.generations, undefined, now)
    )
  }

  /** Whether memory's copy is good and the store need not be asked for a newer one. A promise if the store is asked what was invalidated. */
  checked({ address, held }: Wanted): Checked | Promise<Checked> {
    // What was invalidated is read along with the entry, so that a call waits once for a store that does not answer.
    if (held === undefined || this.#hot.isDue(held) || !bears(held.entry, address.labels)) return { address, held, isCurrent: false }
    const { generations } = held.entry.head
    if (this.#invalidations.isCurrentWithoutRead(generations)) return { address, held, isCurrent: true }
    if (!this.#invalidations.matches(generations)) return this.#withoutCopy(address, held)
    const begun = this.#clock.monotonic()
    const then = (isCurrent: boolean): Checked => {
      if (!isCurrent) return this.#withoutCopy(address, held)
      return { address, held, isCurrent: !this.#hot.isDue(held) && this.isGood(held, begun) }
    }
    const isCurrent = this.#invalidations.isCurrent(generations)
    return isCurrent instanceof Promise ? isCurrent.then(then) : then(isCurrent)
  }

  /** Whether this copy is good as far as is known, and as the store says if the user requires that. */
  isGood({ entry: { head } }: HotCopy, at?: number): boolean {
    const { generations } = head
    return this.#requiresStore ? this.#invalidations.isCurrentWithoutRead(generations, at) : this.#invalidations.matches(generations)
  }

  /** Drops a copy that was invalidated. */
  #withoutCopy(address: Address, held: HotCopy): Checked {
    if (this.#hot.peek(address.storeKey) === held) this.#hot.delete(address.storeKey)
    return { address, held: undefined, isCurrent: false }
  }
}

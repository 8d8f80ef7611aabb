/**
 * What is counted in shadow mode: which calls the cache could have answered, what that would have saved, and how often its answer was the same.
 * @module
 */
import { count } from '../../json/object.ts'
import { roundDollars } from '../pricing/dollars.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { ShadowStats } from './cache-stats.ts'
import { PendingPrices, type Priced } from './pending-prices.ts'

/** A call that the cache could have answered. */
export interface ShadowHit extends Priced {
  /** Milliseconds that the provider took when it made the stored answer. */
  readonly savedMs: number
}

const noCounts = () => ({ hits: 0, same: 0, different: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 })

/** The counts of shadow mode. No method throws. */
export class ShadowCounts {
  #counts = noCounts()
  readonly #pending: PendingPrices<ShadowHit>

  constructor(priceBook: PriceBook) {
    this.#pending = new PendingPrices<ShadowHit>(
      priceBook,
      () => true,
      (_, dollars, times) => {
        if (dollars === null) this.#counts.unpricedHits += times
        else this.#counts.savedUsd += dollars * times
      },
    )
  }

  /** Counts a call that the cache could have answered. */
  hit(event: ShadowHit): void {
    this.#counts.hits++
    this.#counts.savedTokens += count(event.usage?.input) + count(event.usage?.output)
    this.#counts.savedMs += count(event.savedMs)
    this.#pending.note(event)
  }

  /** Counts a comparison with the provider's new answer. */
  compared(isSame: boolean): void {
    if (isSame) this.#counts.same++
    else this.#counts.different++
  }

  /** The counts as they are now. */
  snapshot(): ShadowStats {
    this.#pending.settle()
    return { ...this.#counts, savedUsd: roundDollars(this.#counts.savedUsd) }
  }

  /** Sets all counts to zero. */
  reset(): void {
    this.#pending.settle()
    this.#counts = noCounts()
  }
}

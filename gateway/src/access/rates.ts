/**
 * Rate limits, counted on the shared tier by the sums that every store can add up. When the store is away, this process counts by itself.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock, Store } from 'llmemo'
import type { Rate } from '../config/access-settings.ts'
import type { Log } from '../log.ts'
import { BoundedMap } from './bounded-map.ts'
import { type Remaining, windowAt, Windows } from './windows.ts'

/** What rates are counted with. */
export interface RatesOptions {
  readonly store?: Store | undefined
  readonly clock: Clock
  readonly log: Log
}

/** Milliseconds for which the store is not asked after it failed. */
const rest = 2_000

/** Counts requests by name. */
export class Rates {
  readonly #options: RatesOptions
  readonly #own: Windows
  /** Who is over in which window: the store is not asked again for it. */
  readonly #over = new BoundedMap<number>(10_000)
  #restsUntil = 0

  constructor(options: RatesOptions) {
    this.#options = options
    this.#own = new Windows(options.clock)
  }

  /** Counts one request. Never rejects. */
  async take(name: string, rate: Rate): Promise<Remaining> {
    const { store, clock } = this.#options
    const { number, reset } = windowAt(clock.now(), rate.seconds)
    if (this.#over.get(name) === number) return { used: rate.limit + 1, reset }
    // The own count goes along, so that it is no empty one when the store goes away.
    const own = this.#own.add(name, rate)
    const used =
      store?.add === undefined || clock.monotonic() < this.#restsUntil ? own.used : await this.#shared(name, { ...rate, number, own })
    if (used > rate.limit) this.#over.set(name, number)
    return { used, reset }
  }

  async #shared(name: string, { seconds, number, own }: Rate & { readonly number: number; readonly own: Remaining }): Promise<number> {
    const { store, clock, log } = this.#options
    const key = `llmemo-gateway/rate/${createHash('sha256').update(name).digest('hex')}/${seconds}/${number}`
    try {
      const sums = await store?.add?.(key, { requests: 1 }, { ttl: seconds * 1_000 })
      return sums?.['requests'] ?? own.used
    } catch {
      this.#restsUntil = clock.monotonic() + rest
      log('warn', 'rates-counted-alone', { milliseconds: rest })
      return own.used
    }
  }
}

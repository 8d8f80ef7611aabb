/**
 * The loading of prices before a hit asks for them.
 * @module
 */
import { soonIfAlive } from '../../base/runtime.ts'
import type { PriceBook } from './price-book.ts'

/** Has the prices of one cache loaded, once. */
export class PricesAhead {
  #book: PriceBook | undefined

  /** @param book what is to be loaded; `undefined` if nothing is before it is asked for */
  constructor(book: PriceBook | undefined) {
    this.#book = book
  }

  /** The provider works on a call: while the caller waits, there is time. */
  duringCall(): void {
    void this.#take()?.load()
  }

  /** A hit is answered. Loading takes some 40 ms of the main thread, for which the caller of the first hit must not wait. */
  afterHit(): void {
    if (this.#book === undefined) return
    const book = this.#take()
    soonIfAlive(() => void book?.load())
  }

  #take(): PriceBook | undefined {
    const book = this.#book
    this.#book = undefined
    return book
  }
}

/**
 * The count of hits that are alike: the same stored answer, for the same call. What is counted of the first is counted of the next ones
 * without looking up again where.
 * @module
 */
import type { Usage } from '../../entry.ts'
import { haveOnePrice, type Note } from './pending-prices.ts'

/** What hits have in common that are counted together. */
export interface HitLike {
  readonly source: string
  /** The usage of the stored answer: one object for all hits on one entry in memory. */
  readonly usage: Usage | undefined
  readonly stale: boolean
  /** When, in milliseconds since the epoch. */
  readonly at?: number | undefined
}

/** What was counted of a hit. */
export class HitTally {
  readonly #event: HitLike
  readonly #note: Note<unknown> | undefined
  readonly #count: () => void

  /**
   * @param note where its price waits @default it has none
   * @param count counts the event once more, less its price
   */
  constructor(event: HitLike, note: Note<unknown> | undefined, count: () => void) {
    this.#event = event
    this.#note = note
    this.#count = count
  }

  /** Counts another hit of the same call. @returns whether it is alike; if not, nothing was counted */
  again({ source, usage, stale, at }: HitLike): boolean {
    const note = this.#note
    const event = this.#event
    if (note?.isOpen !== true || event.usage !== usage || event.source !== source || event.stale !== stale) return false
    if (!haveOnePrice(event.at, at)) return false
    note.times++
    this.#count()
    return true
  }
}

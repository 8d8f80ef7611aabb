/**
 * Calls that wait for their price. A price takes microseconds, and the first one loads a table, so no caller waits for it: calls are noted,
 * equal ones once. They are priced together when the counts are read, or when the event loop has nothing else to do.
 * @module
 */
import { soonIfAlive } from '../../base/runtime.ts'
import type { Usage } from '../../entry.ts'
import type { PriceBook } from '../pricing/price-book.ts'

/** A call that has a price. */
export interface Priced {
  readonly provider: string
  /** The model that was asked for. */
  readonly model: string
  /** The model that answered, by whose price it is counted. @default the one that was asked for */
  readonly answered?: string | undefined
  /** The provider's base URL, for its price. */
  readonly origin?: string | undefined
  /** What the call used; `undefined` when the answer does not say. */
  readonly usage: Usage | undefined
  /** When, in milliseconds since the epoch, for its price. */
  readonly at?: number | undefined
}

/** How many notes may wait before they are priced at the next occasion. */
const batchSize = 256
/** How many notes may wait at all. Beyond that they are priced at once, which happens only in a program that never yields. */
const maxNotes = 16_384
/** Prices change by the quarter of an hour at most. */
const minute = 60_000

/** A call that waits for its price, and how often it was made. */
export interface Note<Call> {
  readonly call: Call
  times: number
  /** Whether it still waits. */
  isOpen: boolean
}

/** Calls that wait for their price. */
export class PendingPrices<Call extends Priced> {
  readonly #prices: PriceBook
  readonly #same: (first: Call, second: Call) => boolean
  readonly #priced: (call: Call, dollars: number | null, times: number) => void
  /** Notes by their usage: all hits on one entry in memory have the same object. */
  #notes = new Map<Usage, Note<Call>[]>()
  #waiting = 0
  #settling = false

  /**
   * @param same whether two calls with the same price are counted in the same places
   * @param priced called with what a call cost, `null` if that is not known, and how often it was noted
   */
  constructor(
    prices: PriceBook,
    same: (first: Call, second: Call) => boolean,
    priced: (call: Call, dollars: number | null, times: number) => void,
  ) {
    this.#prices = prices
    this.#same = same
    this.#priced = priced
  }

  /** Notes a call, which must not be changed afterwards. @returns the note, if the call waits for its price */
  note(call: Call): Note<Call> | undefined {
    const { usage } = call
    if (usage === undefined) {
      this.#priced(call, null, 1)
      return undefined
    }
    const notes = this.#notes.get(usage)
    const equal = notes?.find((note) => costSame(note.call, call) && this.#same(note.call, call))
    if (equal !== undefined) {
      equal.times++
      return equal
    }
    const note = { call, times: 1, isOpen: true }
    if (notes === undefined) this.#notes.set(usage, [note])
    else notes.push(note)
    if (++this.#waiting >= maxNotes) this.settle()
    else if (this.#waiting >= batchSize) this.#settleSoon()
    return note
  }

  /** Prices all that wait. */
  settle(): void {
    const notes = this.#notes
    this.#notes = new Map()
    this.#waiting = 0
    for (const [usage, same] of notes) {
      for (const note of same) {
        note.isOpen = false
        this.#priced(note.call, this.#price(usage, note.call), note.times)
      }
    }
  }

  #settleSoon(): void {
    if (this.#settling) return
    this.#settling = true
    void this.#settleIdle()
  }

  async #settleIdle(): Promise<void> {
    // Without the table, the first price would load it and block the process.
    await this.#prices.load()
    soonIfAlive(() => {
      this.#settling = false
      this.settle()
    })
  }

  #price(usage: Usage, { provider, model, answered, origin, at }: Call): number | null {
    return this.#prices.price(usage, {
      provider,
      model: answered ?? model,
      ...(origin !== undefined && { origin }),
      ...(at !== undefined && { at }),
    })
  }
}

/** Whether prices are the same at both times, in milliseconds since the epoch. */
export function haveOnePrice(first: number | undefined, second: number | undefined): boolean {
  return first === second || Math.floor((first ?? 0) / minute) === Math.floor((second ?? 0) / minute)
}

function costSame(first: Priced, second: Priced): boolean {
  return (
    (first.answered ?? first.model) === (second.answered ?? second.model) &&
    first.provider === second.provider &&
    first.origin === second.origin &&
    haveOnePrice(first.at, second.at)
  )
}

/**
 * Calls that wait for their price. To price a call takes microseconds, and the first one loads a table, so nobody is made to wait for it:
 * calls are noted, equal ones once, and priced together when somebody reads or when the event loop has nothing else to do.
 * @module
 */
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

/** How many notes wait before they are priced at the next occasion. */
const enough = 256
/** How many notes wait at the most: beyond that they are priced at once, which only a program that never yields brings about. */
const most = 16_384
/** Prices change by the quarter of an hour at most. */
const minute = 60_000

interface Note<Call> {
  readonly call: Call
  times: number
}

/** Calls that wait for their price. */
export class PendingPrices<Call extends Priced> {
  readonly #prices: PriceBook
  readonly #same: (first: Call, second: Call) => boolean
  readonly #priced: (call: Call, dollars: number | null, times: number) => void
  /** Notes by their usage: every hit on one entry in memory has the very same. */
  #notes = new Map<Usage, Note<Call>[]>()
  #waiting = 0
  #settling = false

  /**
   * @param same whether two calls with the same price are counted in the same places
   * @param priced told what a call cost, `null` when that is not known, and how often it was noted
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

  /** Notes a call, which must not be changed afterwards. */
  note(call: Call): void {
    const { usage } = call
    if (usage === undefined) return this.#priced(call, null, 1)
    const notes = this.#notes.get(usage)
    const equal = notes?.find((note) => costSame(note.call, call) && this.#same(note.call, call))
    if (equal !== undefined) {
      equal.times++
      return
    }
    if (notes === undefined) this.#notes.set(usage, [{ call, times: 1 }])
    else notes.push({ call, times: 1 })
    if (++this.#waiting >= most) this.settle()
    else if (this.#waiting >= enough) this.#settleSoon()
  }

  /** Prices all that wait. */
  settle(): void {
    const notes = this.#notes
    this.#notes = new Map()
    this.#waiting = 0
    for (const [usage, same] of notes) for (const { call, times } of same) this.#priced(call, this.#price(usage, call), times)
  }

  #settleSoon(): void {
    if (this.#settling) return
    this.#settling = true
    void this.#settleIdle()
  }

  async #settleIdle(): Promise<void> {
    // Without the table, the first price would load it while everybody waits.
    await this.#prices.load()
    setImmediate(() => {
      this.#settling = false
      this.settle()
    }).unref()
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

function costSame(first: Priced, second: Priced): boolean {
  return (
    (first.answered ?? first.model) === (second.answered ?? second.model) &&
    first.provider === second.provider &&
    first.origin === second.origin &&
    (first.at === second.at || Math.floor((first.at ?? 0) / minute) === Math.floor((second.at ?? 0) / minute))
  )
}

/**
 * What the cache counts: how often it answered, and what that saved.
 * Counting is on the way of every hit, so money is not computed there: hits wait unpriced until somebody reads, or until many wait.
 * @module
 */
import type { Usage } from '../entry.ts'
import type { PriceBook } from './prices.ts'
import { count } from '../providers/endpoint.ts'

/** What one model, one operation or one source has to show. */
export interface StatsRow {
  /** Calls that the cache answered. */
  readonly hits: number
  /** Calls that the provider had to answer. */
  readonly misses: number
  /** US dollars that the hits saved, as far as it is known. */
  readonly savedUsd: number
  /** Hits of which it is not known how many dollars they saved; they are no part of `savedUsd`. */
  readonly unpricedHits: number
  /** Tokens, input and output, that the hits saved. */
  readonly savedTokens: number
  /** Milliseconds that the provider took when it made these answers. */
  readonly savedMs: number
}

/** The counts of one cache in one process, from its start. A copy: it does not change any more, and changing it changes nothing. */
export interface CacheStats {
  /** Calls that the cache answered, from a store or by joining a call that was already on its way. */
  readonly hits: number
  /** Calls that the cache could have answered but had no answer to. */
  readonly misses: number
  /** Calls that went past the cache. They count neither as hits nor as misses. */
  readonly bypasses: number
  /** Why calls went past the cache: reason to number of calls. */
  readonly bypassReasons: Readonly<Record<string, number>>
  /** Faults of the cache itself: of a store, a damaged entry. None of them reached a caller. */
  readonly errors: number
  /** Which faults: kind to number. */
  readonly errorKinds: Readonly<Record<string, number>>
  /** Answers that were stored. */
  readonly stored: number
  /** Answers that were not stored, and why: reason to number of answers. */
  readonly skipped: Readonly<Record<string, number>>
  /** Hits that were served past their TTL; they are part of `hits`. */
  readonly stale: number
  /** Entries that the memory let go to keep within its size. */
  readonly evictions: number
  /** Writes to a store that were given up, because too many waited or the store was out of order. */
  readonly droppedWrites: number
  /** Calls of `invalidate`. */
  readonly invalidations: number
  /** `hits / (hits + misses)`, from 0 to 1; 0 when there was neither. */
  readonly hitRate: number
  /** US dollars that the hits saved, as far as it is known. What the provider's own prompt cache saved is not ours and not in it. */
  readonly savedUsd: number
  /** Hits of which it is not known how many dollars they saved: the answer says no usage, or the model has no price. Not in `savedUsd`. */
  readonly unpricedHits: number
  /** Tokens, input and output, that the hits saved. */
  readonly savedTokens: number
  /** Input tokens that the hits saved. */
  readonly savedInputTokens: number
  /** Output tokens that the hits saved. */
  readonly savedOutputTokens: number
  /** Milliseconds that the provider took when it made the answers that were hit. */
  readonly savedMs: number
  /** Tokens, input and output, that calls to the provider really used. A hit adds nothing to it. */
  readonly spentTokens: number
  /** US dollars that calls to the provider cost, as far as it is known. */
  readonly spentUsd: number
  /** Calls to the provider of which the cost is not known; they are no part of `spentUsd`. */
  readonly unpricedMisses: number
  /** By model. After a thousand names, further ones are counted under `other`; so it is in every table here. */
  readonly byModel: Readonly<Record<string, StatsRow>>
  /** By operation. */
  readonly byOperation: Readonly<Record<string, StatsRow>>
  /** By where the answer came from. Misses are counted under `origin`. */
  readonly bySource: Readonly<Record<string, StatsRow>>
}

/** A call that the provider answered. */
export interface SpentEvent {
  readonly operation: string
  /** The model that was asked for, by which it is counted. */
  readonly model: string
  /** The model that answered, by whose price it is counted. @default the one that was asked for */
  readonly answered?: string | undefined
  readonly provider: string
  /** The provider's base URL, for its price. */
  readonly origin?: string | undefined
  /** What the call used; `undefined` when the answer does not say. */
  readonly usage: Usage | undefined
  /** When, in milliseconds since the epoch, for its price. */
  readonly at?: number | undefined
}

/** A call that the cache answered. `usage` is what the stored answer had cost. */
export interface HitEvent extends SpentEvent {
  /** `memory`, `redis`, `flight`… */
  readonly source: string
  /** Milliseconds that the provider took when it made the answer. */
  readonly savedMs: number
  /** Whether the answer was served past its TTL. */
  readonly stale: boolean
}

/** The counters of one cache. No method throws. An event object that was handed in must not be changed afterwards. */
export interface Stats {
  hit(event: HitEvent): void
  miss(event: { readonly operation: string; readonly model?: string | undefined }): void
  bypass(event: { readonly operation: string; readonly reason: string }): void
  spent(event: SpentEvent): void
  stored(number?: number): void
  skipped(reason: string): void
  error(kind: string): void
  dropped(number?: number): void
  evicted(number?: number): void
  invalidated(number?: number): void
  /** The counts as they are now. Prices what waits, so the first call may load the price table. */
  snapshot(): CacheStats
}

/** How many calls wait for their price: few enough that pricing them all at once, some 10 µs each, holds nobody up. */
const waitingLimit = 256

/** How many names a table holds, and how long a name may be. Names come from callers and providers, and memory must not grow with them. */
const namesLimit = 1_000
const nameLength = 200

/** A row while it is being counted. */
type Row = { -readonly [field in keyof StatsRow]: number }

/** A table by name that does not grow without end. */
class Table<T> {
  // A Map, because an object would take the name `__proto__` for its prototype.
  readonly #rows = new Map<string, T>()
  readonly #empty: () => T

  constructor(empty: () => T) {
    this.#empty = empty
  }

  row(name: string): T {
    const found = this.#rows.get(name)
    if (found !== undefined) return found
    const full = this.#rows.size >= namesLimit || name.length > nameLength
    if (full && name !== 'other') return this.row('other')
    const row = this.#empty()
    this.#rows.set(name, row)
    return row
  }

  /** As an object of copied rows. `Object.fromEntries` defines members and sets none, so that `__proto__` is a name like any other. */
  copy<Copied>(copied: (row: T) => Copied): Record<string, Copied> {
    return Object.fromEntries(Array.from(this.#rows, ([name, row]) => [name, copied(row)]))
  }
}

const rows = () => new Table<Row>(() => ({ hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }))
const counters = () => new Table<{ number: number }>(() => ({ number: 0 }))
const copyRow = (row: Row): StatsRow => ({ ...row })
const copyNumber = (counter: { number: number }): number => counter.number

const noTotals = () => ({
  hits: 0,
  misses: 0,
  bypasses: 0,
  errors: 0,
  stored: 0,
  stale: 0,
  evictions: 0,
  droppedWrites: 0,
  invalidations: 0,
  savedUsd: 0,
  unpricedHits: 0,
  savedTokens: 0,
  savedInputTokens: 0,
  savedOutputTokens: 0,
  savedMs: 0,
  spentTokens: 0,
  spentUsd: 0,
  unpricedMisses: 0,
})

/** New counters, all at zero. */
export function createStats({ priceBook }: { readonly priceBook: PriceBook }): Stats {
  const totals = noTotals()
  const models = rows()
  const operations = rows()
  const sources = rows()
  const bypassReasons = counters()
  const errorKinds = counters()
  const skipped = counters()
  let hits: HitEvent[] = []
  let misses: SpentEvent[] = []

  const rowsOf = (event: HitEvent) => [models.row(event.model), operations.row(event.operation), sources.row(event.source)]

  function price({ usage, provider, model, answered, origin, at }: SpentEvent): number | null {
    if (usage === undefined) return null
    return priceBook.price(usage, {
      provider,
      model: answered ?? model,
      ...(origin !== undefined && { origin }),
      ...(at !== undefined && { at }),
    })
  }

  function priceWaiting(): void {
    const hit = hits
    const missed = misses
    hits = []
    misses = []
    for (const event of hit) {
      const dollars = price(event)
      for (const row of [totals, ...rowsOf(event)]) {
        if (dollars === null) row.unpricedHits++
        else row.savedUsd += dollars
      }
    }
    for (const event of missed) {
      const dollars = price(event)
      if (dollars === null) totals.unpricedMisses++
      else totals.spentUsd += dollars
    }
  }

  return {
    hit(event) {
      const input = count(event.usage?.input)
      const output = count(event.usage?.output)
      totals.savedInputTokens += input
      totals.savedOutputTokens += output
      if (event.stale) totals.stale++
      addHit(totals, input + output, event.savedMs)
      addHit(models.row(event.model), input + output, event.savedMs)
      addHit(operations.row(event.operation), input + output, event.savedMs)
      addHit(sources.row(event.source), input + output, event.savedMs)
      if (hits.push(event) >= waitingLimit) priceWaiting()
    },
    miss({ operation, model }) {
      totals.misses++
      operations.row(operation).misses++
      sources.row('origin').misses++
      if (model !== undefined) models.row(model).misses++
    },
    bypass({ reason }) {
      totals.bypasses++
      bypassReasons.row(reason).number++
    },
    spent(event) {
      totals.spentTokens += count(event.usage?.input) + count(event.usage?.output)
      if (misses.push(event) >= waitingLimit) priceWaiting()
    },
    stored(number = 1) {
      totals.stored += number
    },
    skipped(reason) {
      skipped.row(reason).number++
    },
    error(kind) {
      totals.errors++
      errorKinds.row(kind).number++
    },
    dropped(number = 1) {
      totals.droppedWrites += number
    },
    evicted(number = 1) {
      totals.evictions += number
    },
    invalidated(number = 1) {
      totals.invalidations += number
    },
    snapshot() {
      priceWaiting()
      const asked = totals.hits + totals.misses
      return {
        ...totals,
        hitRate: asked === 0 ? 0 : totals.hits / asked,
        bypassReasons: bypassReasons.copy(copyNumber),
        errorKinds: errorKinds.copy(copyNumber),
        skipped: skipped.copy(copyNumber),
        byModel: models.copy(copyRow),
        byOperation: operations.copy(copyRow),
        bySource: sources.copy(copyRow),
      }
    },
  }
}

function addHit(row: Pick<Row, 'hits' | 'savedTokens' | 'savedMs'>, tokens: number, milliseconds: number): void {
  row.hits++
  row.savedTokens += tokens
  row.savedMs += count(milliseconds)
}

/**
 * What the cache counts: how often it answered, and what that saved.
 * Counting is on the way of every hit, so money is not computed there.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { count } from '../../json/object.ts'
import { BoundedTable, countedName } from './bounded-table.ts'
import type { CacheStats, StatsRow } from './cache-stats.ts'
import { roundDollars } from '../pricing/dollars.ts'
import { HitTally } from './hit-tally.ts'
import { PendingPrices, type Priced } from './pending-prices.ts'
import { maxPricedName, type PriceBook } from '../pricing/price-book.ts'
import type { SavingsBook } from './savings-book.ts'
import { ShadowCounts } from './shadow-counts.ts'

export type { CacheStats, ShadowStats, StatsRow } from './cache-stats.ts'

/** A call that the provider answered. It is counted by the model that was asked for. */
export interface SpentEvent extends Priced {
  readonly operation: string
  readonly scope: string
}

/** A call that the cache answered. `usage` is what the stored answer had cost. */
export interface HitEvent extends SpentEvent {
  /** `memory`, `redis`, `flight`… */
  readonly source: string
  /** Milliseconds that the provider took when it made the answer. */
  readonly savedMs: number
  /** Whether the answer was served past its TTL. */
  readonly stale: boolean
  /** How many inputs the answer is for, each of which is cached by itself. @default 1 */
  readonly inputs?: number | undefined
}

/** A call that the provider must answer. */
export interface MissCount {
  readonly operation: string
  readonly scope: string
  /** @default it is not counted by model */
  readonly model?: string | undefined
  /** How many inputs the provider is asked for. @default 1 */
  readonly inputs?: number | undefined
}

/** The counters of one cache. No method throws. An event object that was passed in must not be changed afterwards. */
export interface Stats {
  /** @returns what counts further hits of the same call that are alike */
  hit(event: HitEvent): HitTally
  miss(event: MissCount): void
  bypass(event: { readonly operation: string; readonly reason: string }): void
  passed(): void
  spent(event: SpentEvent): void
  stored(number?: number): void
  skipped(reason: string): void
  error(kind: string): void
  dropped(number?: number): void
  evicted(number?: number): void
  invalidated(number?: number): void
  /** What is counted in shadow mode. */
  readonly shadow: ShadowCounts
  /** Prices what waits for its price. */
  settle(): void
  /** The counts as they are now. Prices what waits, so the first call may load the price table. */
  snapshot(): CacheStats
}

/** A row while it is being counted. */
type Row = { -readonly [field in keyof StatsRow]: number }

const rows = () => new BoundedTable<Row>(() => ({ hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }))
const counters = () => new BoundedTable<{ number: number }>(() => ({ number: 0 }))
const copyRow = (row: Row): StatsRow => ({ ...row, savedUsd: roundDollars(row.savedUsd) })
const copyNumber = (counter: { number: number }): number => counter.number

const noTotals = () => ({
  hits: 0,
  misses: 0,
  bypasses: 0,
  pass: 0,
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

function isCountedAlike(first: HitEvent, second: HitEvent): boolean {
  return (
    first.model === second.model &&
    first.operation === second.operation &&
    first.scope === second.scope &&
    first.source === second.source &&
    (first.inputs ?? 1) === (second.inputs ?? 1)
  )
}

/** What counters work with. */
export interface StatsOptions {
  readonly priceBook: PriceBook
  readonly clock: Pick<Clock, 'now'>
  /** Takes the savings too. @default nothing does */
  readonly savings?: SavingsBook | undefined
}

/** The event with short names, under which it is counted and priced all the same: events wait by the hundred. */
function shortNamed<Event extends SpentEvent>(event: Event): Event {
  const { operation, scope, model, answered = model, origin = '' } = event
  const isShort = [operation, scope, model].every((name) => countedName(name) === name)
  if (isShort && answered.length <= maxPricedName && origin.length <= maxPricedName) return event
  return {
    ...event,
    operation: countedName(operation),
    scope: countedName(scope),
    model: countedName(model),
    answered: pricedName(answered),
    origin: pricedName(origin),
  }
}

/** In the place of a name that is too long for a price. */
const unpricedName = ' '.repeat(maxPricedName + 1)

function pricedName(name: string): string {
  return name.length > maxPricedName ? unpricedName : name
}

/** New counters, all at zero. */
export function createStats({ priceBook, clock, savings }: StatsOptions): Stats {
  const totals = noTotals()
  let since = clock.now()
  const models = rows()
  const operations = rows()
  const sources = rows()
  const scopes = rows()
  const bypassReasons = counters()
  const errorKinds = counters()
  const skipped = counters()

  const rowsOf = ({ model, operation, source, scope }: HitEvent) => [
    totals,
    models.row(model),
    operations.row(operation),
    sources.row(source),
    scopes.row(scope),
  ]

  const hits = new PendingPrices<HitEvent>(priceBook, isCountedAlike, (event, dollars, times) => {
    for (const row of rowsOf(event)) {
      if (dollars === null) row.unpricedHits += times * (event.inputs ?? 1)
      else row.savedUsd += dollars * times
    }
    savings?.note(event, dollars === null ? { unpricedHits: times * (event.inputs ?? 1) } : { savedUsd: dollars * times })
  })
  const misses = new PendingPrices<SpentEvent>(
    priceBook,
    () => true,
    (_, dollars, times) => {
      if (dollars === null) totals.unpricedMisses += times
      else totals.spentUsd += dollars * times
    },
  )

  const shadow = new ShadowCounts(priceBook)

  const reset = (): void => {
    // What waits for its price was counted until now.
    hits.settle()
    misses.settle()
    shadow.reset()
    Object.assign(totals, noTotals())
    for (const table of [models, operations, sources, scopes, bypassReasons, errorKinds, skipped]) table.clear()
    since = clock.now()
  }

  return {
    shadow,
    hit(event) {
      const input = count(event.usage?.input)
      const output = count(event.usage?.output)
      const savedMs = count(event.savedMs)
      const { inputs = 1 } = event
      const named = shortNamed(event)
      const counted = rowsOf(event)
      const add = (): void => {
        totals.savedInputTokens += input
        totals.savedOutputTokens += output
        if (event.stale) totals.stale += inputs
        for (const row of counted) {
          row.hits += inputs
          row.savedTokens += input + output
          row.savedMs += savedMs
        }
        savings?.note(named, { hits: inputs, savedTokens: input + output, savedMs })
      }
      add()
      return new HitTally(named, hits.note(named), add)
    },
    miss({ operation, scope, model, inputs = 1 }) {
      totals.misses += inputs
      operations.row(operation).misses += inputs
      sources.row('origin').misses += inputs
      scopes.row(scope).misses += inputs
      if (model !== undefined) models.row(model).misses += inputs
      savings?.note({ operation: countedName(operation), scope: countedName(scope), model: countedName(model ?? '') }, { misses: inputs })
    },
    bypass({ reason }) {
      totals.bypasses++
      bypassReasons.row(reason).number++
    },
    passed() {
      totals.pass++
    },
    spent(event) {
      totals.spentTokens += count(event.usage?.input) + count(event.usage?.output)
      misses.note(shortNamed(event))
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
    settle() {
      hits.settle()
    },
    snapshot() {
      hits.settle()
      misses.settle()
      const asked = totals.hits + totals.misses
      const counts = {
        ...totals,
        since,
        savedUsd: roundDollars(totals.savedUsd),
        spentUsd: roundDollars(totals.spentUsd),
        hitRate: asked === 0 ? 0 : totals.hits / asked,
        bypassReasons: bypassReasons.copy(copyNumber),
        errorKinds: errorKinds.copy(copyNumber),
        skipped: skipped.copy(copyNumber),
        byModel: models.copy(copyRow),
        byOperation: operations.copy(copyRow),
        bySource: sources.copy(copyRow),
        byScope: scopes.copy(copyRow),
        shadow: shadow.snapshot(),
      }
      // Not enumerable, so that the counts can be sent to another thread.
      return Object.defineProperty({ ...counts, reset }, 'reset', { enumerable: false })
    },
  }
}

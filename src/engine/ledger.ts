/**
 * The ledger of savings: what hits saved by day, scope, operation and model. Counts are gathered and added to the store now and then, so that
 * all processes over one store have one ledger. What a process has not added yet is lost when it dies.
 * @module
 */
import { sha256 } from '../base/digest.ts'
import type { Clock } from '../clock.ts'
import { savingsKey } from '../key/store-keys.ts'
import type { StatsRow } from './stats/cache-stats.ts'
import { type Figures, figureNames, noFigures, type Saving, type SavingsBook } from './stats/savings-book.ts'
import type { Tiers } from './tiers/tiers.ts'

/** What savings are told by. */
export type SavingsBy = 'day' | 'scope' | 'operation' | 'model'

/** Savings of some days. */
export interface Savings {
  /** The first day, as `2026-11-29`. Days are those of UTC. */
  readonly from: string
  /** The last day, which is today. */
  readonly to: string
  readonly total: StatsRow
  /** By what was asked for: by its names. */
  readonly rows: Readonly<Record<string, StatsRow>>
}

/** What a ledger works with. */
export interface LedgerOptions {
  readonly clock: Clock
  readonly tiers: Tiers
  readonly namespace: string
  /** Prices what waits for its price. Must not reject. */
  readonly settle: () => Promise<void>
}

/** Milliseconds after which counts are added to the store. */
const interval = 10_000
/** Milliseconds for which savings are kept: 400 days. */
const kept = 400 * 86_400_000
/** Rows that wait to be added, or are kept where there is no store. Further ones count under `other`. */
const maxRows = 2_000
/** Values over which the savings of one day are spread in the store. */
const parts = 16
/** Billionths of a dollar, in which the store adds up dollars: whole numbers have sums without noise. */
const nano = 1e9

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** One row: whose savings these are. */
type Row = readonly [day: string, scope: string, operation: string, model: string]

/** Gathers savings, and tells of them. */
export class Ledger implements SavingsBook {
  readonly #clock: Clock
  readonly #tiers: Tiers
  readonly #namespace: string
  #waiting = new Map<string, Figures>()
  /** Rows of this process, where no store adds them up. */
  readonly #own = new Map<string, Figures>()
  #isTimed = false
  readonly #settle: () => Promise<void>

  constructor({ clock, tiers, namespace, settle }: LedgerOptions) {
    this.#settle = settle
    this.#clock = clock
    this.#tiers = tiers
    this.#namespace = namespace
  }

  /** Notes a saving. */
  note({ at = this.#clock.now(), scope, operation, model }: Saving, figures: Partial<Figures>): void {
    addTo(this.#waiting, [dayOf(at), scope, operation, model], figures)
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(interval, () => {
      this.#isTimed = false
      void this.flush()
    })
  }

  /** Adds what waits to the store. Never rejects. */
  async flush(): Promise<void> {
    await this.#settle()
    const waiting = this.#waiting
    this.#waiting = new Map()
    const { sums } = this.#tiers
    if (sums === undefined) {
      for (const [name, figures] of waiting) addTo(this.#own, rowIn(name), figures)
      return
    }
    const amounts = new Map<string, Record<string, number>>()
    for (const [name, figures] of waiting) {
      const [day, ...rest] = rowIn(name)
      const field = JSON.stringify(rest)
      const key = savingsKey(this.#namespace, day, Number.parseInt(sha256(field).slice(0, 4), 16) % parts)
      const added = amounts.get(key) ?? {}
      for (const figure of figureNames) if (figures[figure] !== 0) added[`${figure} ${field}`] = wholeOf(figure, figures[figure])
      amounts.set(key, added)
    }
    await Promise.all(Array.from(amounts, ([key, added]) => sums.add(key, added, kept)))
  }

  /** The savings of the last days, today included. What the store cannot say is left out. */
  async read(by: SavingsBy, days: number): Promise<Savings> {
    await this.flush()
    const now = this.#clock.now()
    const wanted = Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * 86_400_000))
    const total = noFigures()
    const rows = new Map<string, Figures>()
    const take = ([day, scope, operation, model]: Row, figures: Partial<Figures>): void => {
      const name = { day, scope, operation, model }[by]
      const row = rows.get(name) ?? noFigures()
      rows.set(name, row)
      for (const figure of figureNames) {
        row[figure] += figures[figure] ?? 0
        total[figure] += figures[figure] ?? 0
      }
    }
    for (const [name, figures] of this.#own) if (wanted.includes(rowIn(name)[0])) take(rowIn(name), figures)
    for (const day of wanted) await this.#readDay(day, take)
    const shown = Array.from(rows, ([name, figures]): [string, StatsRow] => [name, shownRow(figures)])
    return { from: wanted[0] ?? '', to: wanted.at(-1) ?? '', total: shownRow(total), rows: Object.fromEntries(shown) }
  }

  async #readDay(day: string, take: (row: Row, figures: Partial<Figures>) => void): Promise<void> {
    const { sums } = this.#tiers
    if (sums === undefined) return
    const keys = Array.from({ length: parts }, (_, part) => savingsKey(this.#namespace, day, part))
    for (const found of await Promise.all(keys.map((key) => sums.add(key, {}, kept)))) {
      for (const [name, amount] of Object.entries(found ?? {})) {
        const [, figure = '', field = ''] = /^(\w+) (.*)$/s.exec(name) ?? []
        const known = figureNames.find((each) => each === figure)
        if (known !== undefined) take(rowIn(JSON.stringify([day, ...textsIn(field)])), { [known]: knownAs(known, amount) })
      }
    }
  }
}

function addTo(rows: Map<string, Figures>, [day, ...names]: Row, figures: Partial<Figures>): void {
  const name = JSON.stringify([day, ...names])
  const known = rows.get(name)
  const isFull = known === undefined && rows.size >= maxRows
  const row = known ?? (isFull ? rows.get(otherName(day)) : undefined) ?? noFigures()
  rows.set(isFull ? otherName(day) : name, row)
  for (const figure of figureNames) row[figure] += figures[figure] ?? 0
}

function otherName(day: string): string {
  return JSON.stringify([day, 'other', 'other', 'other'])
}

function rowIn(name: string): Row {
  const [day = '', scope = '', operation = '', model = ''] = textsIn(name)
  return [day, scope, operation, model]
}

function textsIn(json: string): string[] {
  try {
    const found: unknown = JSON.parse(json)
    return Array.isArray(found) ? found.filter((text): text is string => typeof text === 'string') : []
  } catch {
    return []
  }
}

function wholeOf(figure: keyof Figures, value: number): number {
  return Math.round(figure === 'savedUsd' ? value * nano : value)
}

function knownAs(figure: keyof Figures, amount: number): number {
  return figure === 'savedUsd' ? amount / nano : amount
}

function shownRow(figures: Figures): StatsRow {
  return { ...figures, savedUsd: Math.round(figures.savedUsd * nano) / nano }
}

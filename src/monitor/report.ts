/**
 * A report: figures of a stretch of time, what to do about them, and its forms for people and programs.
 * @module
 */
import type { CacheStats } from '../cache/cache.ts'
import { addCounts, type AnswerLives, type CallCounts, type Counts, noCounts, type Tally } from './counts.ts'
import { reportCsv } from './csv.ts'
import type { CallFigures, MonitorFigures, OperationFigures, Recommendation, StoreState } from './figures.ts'
import type { NamedRows } from './named-rows.ts'
import type { TextSize } from './options.ts'
import { recommendations } from './recommendations.ts'
import { reportText } from './text.ts'

/** Figures of a stretch of time. `JSON.stringify` gives all of them. */
export interface MonitorReport extends MonitorFigures {
  readonly recommendations: readonly Recommendation[]
  /** The figures as plain data. */
  toJSON(): MonitorFigures & { readonly recommendations: readonly Recommendation[] }
  /** The figures as lines `figure,name,value` of comma-separated values (RFC 4180), with a head. */
  toCsv(): string
  /** The figures for a terminal of 80 columns. */
  toString(): string
}

/** What the cache had to show at the beginning of a slot. */
export interface Baseline {
  readonly savedUsd: number
  readonly spentUsd: number
  readonly memory: { readonly bytes: number; readonly entries: number }
}

/** What a report is made of. */
export interface ReportSource {
  readonly from: number
  readonly to: number
  readonly counts: readonly Counts[]
  readonly before: Baseline
  readonly stats: CacheStats
  readonly memory: Baseline['memory']
  readonly stores: readonly StoreState[]
}

/** Makes a report. */
export function makeReport({ from, to, counts, before, stats, memory, stores }: ReportSource): MonitorReport {
  const sum = noCounts()
  for (const each of counts) addCounts(sum, each)
  const { totals, compression } = sum
  const figures: MonitorFigures = {
    from,
    to,
    calls: callFigures(sum.calls),
    savedUsd: since(stats.savedUsd, before.savedUsd),
    spentUsd: since(stats.spentUsd, before.spentUsd),
    byOperation: byOperation(sum),
    byModel: record(sum.models, callFigures),
    byScope: record(sum.scopes, callFigures),
    bySize: bySize(sum.sizes, callFigures),
    bypasses: record(sum.bypasses, number),
    passes: totals.passes,
    stored: totals.stored,
    skipped: record(sum.skipped, number),
    keyTimes: bySize(sum.keys, (times) => times.times()),
    readTimes: record(sum.reads, (times) => times.times()),
    writeTimes: record(sum.writes, (times) => times.times()),
    providerTimes: record(sum.providers, (times) => times.times()),
    compression: {
      answers: compression.answers,
      bytes: compression.bytes,
      storedBytes: compression.storedBytes,
      ratio: compression.bytes === 0 ? 1 : compression.storedBytes / compression.bytes,
      savedBytes: compression.bytes - compression.storedBytes,
      times: compression.times.times(),
    },
    memory: {
      ...memory,
      bytesGrown: memory.bytes - before.memory.bytes,
      entriesGrown: memory.entries - before.memory.entries,
      evictions: totals.evictions,
      evictedUnread: totals.evictedUnread,
    },
    written: { entries: totals.writtenEntries, bytes: totals.writtenBytes, dropped: totals.droppedWrites },
    invalidations: record(sum.invalidations, (row) => ({ ...row })),
    errors: record(sum.errors, number),
    stores,
  }
  const plain = { ...figures, recommendations: recommendations(figures) }
  const forms = { toJSON: () => ({ ...plain }), toCsv: () => reportCsv(plain), toString: () => reportText(plain) }
  const report: MonitorReport = { ...plain, ...forms }
  // A copy of a report is plain data.
  for (const name of Object.keys(forms)) Object.defineProperty(report, name, { enumerable: false })
  return report
}

/** More than before; all of it if the counters were set back meanwhile. */
function since(now: number, before: number): number {
  return now < before ? now : Number((now - before).toPrecision(12))
}

function byOperation({ operations, lives }: Counts): Record<string, OperationFigures> {
  const names = new Set([...namesOf(operations), ...namesOf(lives)])
  return Object.fromEntries(
    [...names].map((name): [string, OperationFigures] => [name, { ...callFigures(operations.row(name)), ...lifeFigures(lives.row(name)) }]),
  )
}

function namesOf<Row>(rows: NamedRows<Row>): string[] {
  return Array.from(rows.entries(), ([name]) => name)
}

function lifeFigures({ expired, expiredUnread, secondCall, ttl }: AnswerLives) {
  return { expired, expiredUnread, secondCallAfter: secondCall.times().p50 / 1_000, ttl: ttl / 1_000 }
}

function callFigures({ hits, misses, ...rest }: CallCounts): CallFigures {
  return { hits, misses, hitRate: hits + misses === 0 ? 0 : hits / (hits + misses), ...rest }
}

function number(tally: Tally): number {
  return tally.number
}

function record<Row, Shown>(rows: NamedRows<Row>, shown: (row: Row) => Shown): Record<string, Shown> {
  return Object.fromEntries(Array.from(rows.entries(), ([name, row]) => [name, shown(row)]))
}

function bySize<Row, Shown>({ small, medium, large, xlarge }: Readonly<Record<TextSize, Row>>, shown: (row: Row) => Shown) {
  return { small: shown(small), medium: shown(medium), large: shown(large), xlarge: shown(xlarge) }
}

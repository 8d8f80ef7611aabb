/**
 * What is counted in one slot of time.
 * @module
 */
import { NamedRows } from './named-rows.ts'
import type { TextSize } from './options.ts'
import { ofWaits, TimeHistogram } from './times.ts'

/** Calls, while they are counted. A call for many inputs, each of which is cached by itself, counts once for each. */
export interface CallCounts {
  hits: number
  misses: number
  stale: number
  savedTokens: number
  savedMs: number
  spentTokens: number
}

/** What became of stored answers. */
export interface AnswerLives {
  /** Answers whose TTL is over. */
  expired: number
  /** Those of them that were never asked for. */
  expiredUnread: number
  /** Times from storing an answer to the first equal call, even one that came too late. */
  readonly secondCall: TimeHistogram
  /** The TTL of the last answer that was stored, in milliseconds. */
  ttl: number
}

/** Invalidations by one kind of selector. */
export interface InvalidationCounts {
  calls: number
  /** Answers that they removed, among those that the monitor saw being stored. */
  removed: number
}

/** What was stored in compressed form or could have been. */
export interface CompressionCounts {
  answers: number
  bytes: number
  storedBytes: number
  readonly times: TimeHistogram
}

/** All that is counted in one slot. */
export interface Counts {
  readonly calls: CallCounts
  readonly operations: NamedRows<CallCounts>
  readonly models: NamedRows<CallCounts>
  readonly scopes: NamedRows<CallCounts>
  readonly sizes: Readonly<Record<TextSize, CallCounts>>
  readonly keys: Readonly<Record<TextSize, TimeHistogram>>
  readonly reads: NamedRows<TimeHistogram>
  readonly writes: NamedRows<TimeHistogram>
  readonly providers: NamedRows<TimeHistogram>
  readonly compression: CompressionCounts
  readonly lives: NamedRows<AnswerLives>
  readonly invalidations: NamedRows<InvalidationCounts>
  readonly bypasses: NamedRows<Tally>
  readonly skipped: NamedRows<Tally>
  readonly errors: NamedRows<Tally>
  readonly totals: Totals
}

/** Plain counts. */
export interface Totals {
  passes: number
  stored: number
  storedBytes: number
  evictions: number
  evictedUnread: number
  droppedWrites: number
  writtenEntries: number
  writtenBytes: number
}

/** One number by name. */
export interface Tally {
  number: number
}

/** No calls. */
export function noCalls(): CallCounts {
  return { hits: 0, misses: 0, stale: 0, savedTokens: 0, savedMs: 0, spentTokens: 0 }
}

const noTally = (): Tally => ({ number: 0 })
const noTimes = (): TimeHistogram => new TimeHistogram()

function eachSize<Value>(make: () => Value): Record<TextSize, Value> {
  return { small: make(), medium: make(), large: make(), xlarge: make() }
}

/** Nothing counted yet. */
export function noCounts(): Counts {
  return {
    calls: noCalls(),
    operations: new NamedRows(noCalls),
    models: new NamedRows(noCalls),
    scopes: new NamedRows(noCalls),
    sizes: eachSize(noCalls),
    keys: eachSize(noTimes),
    reads: new NamedRows(noTimes),
    writes: new NamedRows(noTimes),
    providers: new NamedRows(noTimes),
    compression: { answers: 0, bytes: 0, storedBytes: 0, times: new TimeHistogram() },
    lives: new NamedRows(() => ({ expired: 0, expiredUnread: 0, secondCall: new TimeHistogram(ofWaits), ttl: 0 })),
    invalidations: new NamedRows(() => ({ calls: 0, removed: 0 })),
    bypasses: new NamedRows(noTally),
    skipped: new NamedRows(noTally),
    errors: new NamedRows(noTally),
    totals: {
      passes: 0,
      stored: 0,
      storedBytes: 0,
      evictions: 0,
      evictedUnread: 0,
      droppedWrites: 0,
      writtenEntries: 0,
      writtenBytes: 0,
    },
  }
}

/** Adds what `other` counted to `sum`. */
export function addCounts(sum: Counts, other: Counts): void {
  addCalls(sum.calls, other.calls)
  for (const name of ['operations', 'models', 'scopes'] as const) addRows(sum[name], other[name], addCalls)
  for (const size of sizeNames) {
    addCalls(sum.sizes[size], other.sizes[size])
    sum.keys[size].add(other.keys[size])
  }
  for (const name of ['reads', 'writes', 'providers'] as const) addRows(sum[name], other[name], (row, added) => row.add(added))
  const { compression } = sum
  compression.answers += other.compression.answers
  compression.bytes += other.compression.bytes
  compression.storedBytes += other.compression.storedBytes
  compression.times.add(other.compression.times)
  addRows(sum.lives, other.lives, addLives)
  addRows(sum.invalidations, other.invalidations, (row, { calls, removed }) => {
    row.calls += calls
    row.removed += removed
  })
  for (const name of ['bypasses', 'skipped', 'errors'] as const) {
    addRows(sum[name], other[name], (row, { number }) => (row.number += number))
  }
  for (const name of totalNames) sum.totals[name] += other.totals[name]
}

const sizeNames = ['small', 'medium', 'large', 'xlarge'] as const
const callNames = ['hits', 'misses', 'stale', 'savedTokens', 'savedMs', 'spentTokens'] as const
const totalNames = [
  'passes',
  'stored',
  'storedBytes',
  'evictions',
  'evictedUnread',
  'droppedWrites',
  'writtenEntries',
  'writtenBytes',
] as const

/** Adds calls to `sum`. */
export function addCalls(sum: CallCounts, added: CallCounts): void {
  for (const name of callNames) sum[name] += added[name]
}

function addLives(sum: AnswerLives, { expired, expiredUnread, secondCall, ttl }: AnswerLives): void {
  sum.expired += expired
  sum.expiredUnread += expiredUnread
  sum.secondCall.add(secondCall)
  // The slots come in order, so the last one that knows it has the newest.
  if (ttl > 0) sum.ttl = ttl
}

function addRows<Row>(sum: NamedRows<Row>, others: NamedRows<Row>, add: (row: Row, added: Row) => void): void {
  for (const [name, row] of others.entries()) add(sum.row(name), row)
}

/**
 * A cache's counters in the text format of Prometheus.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 * @module
 */
import type { Cache, CacheStats } from '../cache/cache.ts'
import type { Counts } from './counts.ts'
import type { StoreState } from './figures.ts'
import type { LifetimeTimes, TimeKind } from './lifetime-times.ts'
import type { TimeHistogram } from './times.ts'

/** One line of a metric: its labels and its value. */
interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** What of a cache is told. */
export interface PrometheusSource {
  readonly stats: CacheStats
  readonly memory: ReturnType<Cache['memory']>
  /** Times since the monitor was made. */
  readonly lifetime: LifetimeTimes
  /** Times within the retention, for quantiles. */
  readonly recent: Counts
  readonly stores: readonly StoreState[]
}

/** The metrics as text, each with its help and type. No label holds a scope, which may name a customer. */
export function prometheusText({ stats, memory, lifetime, recent, stores }: PrometheusSource): string {
  const timed = (kind: TimeKind, rows: Iterable<readonly [string, TimeHistogram]>): TimedRow[] =>
    Array.from(rows, ([name, times]) => ({ name, recent: times, ...lifetime.of(kind, name) }))
  return [
    counter('hits', 'Calls that the cache answered.', byRow(stats.byOperation, 'operation', 'hits')),
    counter('misses', 'Calls that the provider had to answer.', byRow(stats.byOperation, 'operation', 'misses')),
    counter('source_hits', 'Calls that the cache answered, by where the answer was.', byRow(stats.bySource, 'source', 'hits', 'origin')),
    counter('stale_hits', 'Calls that were answered past the TTL.', [{ value: stats.stale }]),
    counter('bypasses', 'Calls that went past the cache.', byName(stats.bypassReasons, 'reason')),
    counter('passes', 'Requests to endpoints that the cache does not know.', [{ value: stats.pass }]),
    counter('stored', 'Answers that were stored.', [{ value: stats.stored }]),
    counter('skipped', 'Answers that were not stored.', byName(stats.skipped, 'reason')),
    counter('errors', 'Faults of the cache that reached no caller.', byName(stats.errorKinds, 'kind')),
    counter('evictions', 'Answers that memory let go to make room.', [{ value: stats.evictions }]),
    counter('dropped_writes', 'Writes to the store that were given up.', [{ value: stats.droppedWrites }]),
    counter('invalidations', 'Invalidations.', [{ value: stats.invalidations }]),
    counter('saved_dollars', 'US dollars that hits saved.', byRow(stats.byOperation, 'operation', 'savedUsd')),
    counter('saved_tokens', 'Tokens that hits saved.', byRow(stats.byOperation, 'operation', 'savedTokens')),
    counter('saved_seconds', 'Time that the provider took for the answers that were hit.', [{ value: stats.savedMs / 1_000 }]),
    counter('spent_dollars', 'US dollars that calls to the provider cost.', [{ value: stats.spentUsd }]),
    counter('spent_tokens', 'Tokens that calls to the provider used.', [{ value: stats.spentTokens }]),
    gauge('memory_bytes', 'Bytes in hot memory.', [{ value: memory.bytes }]),
    gauge('memory_limit_bytes', 'Bytes that hot memory may hold.', [{ value: memory.maxBytes }]),
    gauge('memory_entries', 'Entries in hot memory.', [{ value: memory.entries }]),
    gauge(
      'store_usable',
      'Whether the cache uses the store: 0 while its circuit breaker is open.',
      stores.flatMap(({ name, read, write }) => [
        { labels: { store: name, side: 'read' }, value: Number(read) },
        { labels: { store: name, side: 'write' }, value: Number(write) },
      ]),
    ),
    summary('read_seconds', 'Time of reads of a tier.', 'tier', timed('reads', recent.reads.entries())),
    summary('write_seconds', 'Time of writes of the store.', 'tier', timed('writes', recent.writes.entries())),
    summary('provider_seconds', 'Time of the provider for whole answers.', 'provider', timed('providers', recent.providers.entries())),
    summary('key_seconds', 'Time of making a key, by the size of the texts.', 'size', timed('keys', Object.entries(recent.keys))),
  ]
    .filter((text) => text !== '')
    .join('')
}

function counter(name: string, help: string, samples: readonly Sample[]): string {
  return metric(`llmemo_${name}_total`, { help, type: 'counter', lines: samples.map((sample) => line(`llmemo_${name}_total`, sample)) })
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  return metric(`llmemo_${name}`, { help, type: 'gauge', lines: samples.map((sample) => line(`llmemo_${name}`, sample)) })
}

/** Times under one name: all of them summed up, and the recent ones. */
interface TimedRow {
  readonly name: string
  readonly recent: TimeHistogram
  readonly count: number
  readonly total: number
}

/** Times by one label: quantiles of the last time, count and sum of all. */
function summary(name: string, help: string, label: string, rows: readonly TimedRow[]): string {
  const full = `llmemo_${name}`
  const lines = rows.filter(({ count }) => count > 0).map((row) => summaryLines(full, label, row))
  return metric(full, { help, type: 'summary', lines })
}

function summaryLines(name: string, label: string, { name: value, recent, count, total }: TimedRow): string {
  const labels = { [label]: value }
  const { count: recently, p50, p95, p99 } = recent.times()
  const quantile = (at: string, milliseconds: number): string =>
    line(name, { labels: { ...labels, quantile: at }, value: recently === 0 ? Number.NaN : milliseconds / 1_000 })
  return [
    quantile('0.5', p50),
    quantile('0.95', p95),
    quantile('0.99', p99),
    line(`${name}_sum`, { labels, value: total / 1_000 }),
    line(`${name}_count`, { labels, value: count }),
  ].join('')
}

/** A metric without samples is left out. */
function metric(
  name: string,
  { help, type, lines }: { readonly help: string; readonly type: string; readonly lines: readonly string[] },
): string {
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function line(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${Number.isNaN(value) ? 'NaN' : value}\n`
}

function escaped(text: string): string {
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** One column of the rows of a table. @param without the name of a row that is left out */
function byRow(
  rows: CacheStats['byOperation'],
  label: string,
  column: 'hits' | 'misses' | 'savedUsd' | 'savedTokens',
  without?: string,
): Sample[] {
  return Object.entries(rows)
    .filter(([name]) => name !== without)
    .map(([name, row]) => ({ labels: { [label]: name }, value: row[column] }))
}

function byName(numbers: Readonly<Record<string, number>>, label: string): Sample[] {
  return Object.entries(numbers).map(([name, value]) => ({ labels: { [label]: name }, value }))
}

/**
 * What a cache did, in CloudWatch's embedded metric format: lines for the log, of which CloudWatch makes metrics.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * @module
 */
import type { CacheStats, StatsRow } from '../cache/cache.ts'
import { InvalidOptionError } from '../errors.ts'
import { assertKnown, text } from '../base/option-checks.ts'

/** Where the metrics belong. */
export interface EmfOptions {
  /** The value of the dimension `service`: the program. @default 'llmemo' */
  readonly service?: string
  /** The namespace of the metrics. @default 'llmemo' */
  readonly namespace?: string
}

/** The figures of one line. */
type Figures = Readonly<Record<string, number>>

/** The units of the metrics. The service has no unit for money. */
const units: Readonly<Record<string, string>> = {
  CacheHits: 'Count',
  CacheMisses: 'Count',
  CacheHitRate: 'Percent',
  CostSaved: 'None',
  CacheInvalidations: 'Count',
}

/** Makes the lines of what happened from one call to the next. */
export class EmfLines {
  #before: CacheStats | undefined

  /**
   * One line for the whole service, and one for each operation that was called; none if nothing happened.
   * @param now milliseconds since the epoch
   * @throws {InvalidOptionError} for a name that CloudWatch does not take
   */
  next(stats: CacheStats, now: number, options: EmfOptions = {}): string[] {
    assertKnown('', options, ['service', 'namespace'])
    const { service = 'llmemo', namespace = 'llmemo' } = options
    checkName('service', service)
    checkName('namespace', namespace)
    const before = this.#before
    this.#before = stats
    const whole = { ...figuresOf(stats, before), CacheInvalidations: since(stats.invalidations, before?.invalidations) }
    const line = (names: Readonly<Record<string, string>>, figures: Figures): string => emfLine({ namespace, now, names, figures })
    const operations = Object.entries(stats.byOperation)
      .map(([operation, row]) => ({ operation, figures: figuresOf(row, before?.byOperation[operation]) }))
      .filter(({ figures }) => isAny(figures))
    return [
      ...(isAny(whole) ? [line({ service }, whole)] : []),
      ...operations.map(({ operation, figures }) => line({ service, operation: dimension(operation) }, figures)),
    ]
  }
}

function figuresOf(row: Pick<StatsRow, 'hits' | 'misses' | 'savedUsd'>, before: typeof row | undefined) {
  const hits = since(row.hits, before?.hits)
  const misses = since(row.misses, before?.misses)
  // A mean of rates says little: rates over a longer time are made of hits and misses.
  const rate = hits + misses === 0 ? {} : { CacheHitRate: (100 * hits) / (hits + misses) }
  return { CacheHits: hits, CacheMisses: misses, ...rate, CostSaved: since(row.savedUsd, before?.savedUsd) }
}

/** More than before; all of it if the counters were set back meanwhile. */
function since(now: number, before = 0): number {
  return now < before ? now : Number((now - before).toPrecision(12))
}

function isAny(figures: Figures): boolean {
  return Object.values(figures).some((value) => value > 0)
}

interface EmfLine {
  readonly namespace: string
  readonly now: number
  /** The dimensions and their values. */
  readonly names: Readonly<Record<string, string>>
  readonly figures: Figures
}

function emfLine({ namespace, now, names, figures }: EmfLine): string {
  const metrics = Object.keys(figures).map((name) => ({ Name: name, Unit: units[name] }))
  const directive = { Namespace: namespace, Dimensions: [Object.keys(names)], Metrics: metrics }
  return JSON.stringify({ _aws: { Timestamp: Math.round(now), CloudWatchMetrics: [directive] }, ...names, ...figures })
}

function checkName(option: string, given: unknown): void {
  const name = text(option, given)
  if (name !== '' && name.length <= 255 && /^[\x20-\x7e]+$/.test(name) && name.trim() !== '' && !name.startsWith(':')) return
  throw new InvalidOptionError(option, given, 'a text of 1 to 255 printable ASCII characters that does not begin with a colon')
}

/** A name of the caller's own, as a value that CloudWatch takes. */
function dimension(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]/gu, '?').replace(/^:/, '?')
  return plain.trim() === '' ? '(none)' : plain.slice(0, 1_024)
}

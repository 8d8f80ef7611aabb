/**
 * The door `llmemo/monitor`: what a cache does, as figures over the last hour, warnings, and advice.
 * It stands on the public face of a cache alone: its events, its statistics and its memory.
 * @module
 */
import type { Cache } from '../cache/cache.ts'
import { withMethods } from '../base/option-checks.ts'
import { type Duration, milliseconds } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { addCounts, type Counts, noCounts } from './counts.ts'
import { EmfLines, type EmfOptions } from './emf.ts'
import { type MonitorOptions, readMonitorOptions, slotLength } from './options.ts'
import { prometheusText } from './prometheus.ts'
import { Recorder } from './recorder.ts'
import { type Baseline, makeReport, type MonitorReport } from './report.ts'
import { Slots } from './slots.ts'
import { type MonitorWarning, Warnings } from './warnings.ts'

export type { EmfOptions } from './emf.ts'
export type {
  CallFigures,
  CompressionFigures,
  InvalidationFigures,
  MemoryFigures,
  MonitorFigures,
  OperationFigures,
  Recommendation,
  StoreState,
  WrittenFigures,
} from './figures.ts'
export type { MonitorOptions, MonitorThresholds, TextSize, TextSizeLimits } from './options.ts'
export type { MonitorReport } from './report.ts'
export type { Times } from './times.ts'
export type { MonitorWarning } from './warnings.ts'

/** Which stretch of time a report is about. */
export interface ReportOptions {
  /** How far back it goes. It begins with the ten minutes in which that lies. @default the retention of the monitor */
  readonly since?: Duration
}

/** Watches one cache. */
export interface Monitor {
  /**
   * The figures of the last time, and what to do about them.
   * @throws {InvalidOptionError} for `since` beyond the retention
   */
  report(options?: ReportOptions): MonitorReport
  /**
   * Calls `listener` when a figure crosses its threshold. Figures are checked once a minute, and with each report.
   * @returns a function that ends it
   * @throws {InvalidOptionError} for another name than `warning`
   */
  on(name: 'warning', listener: (warning: MonitorWarning) => unknown): () => void
  /** Counters, gauges and summaries in the text format of Prometheus; its content type is `text/plain; version=0.0.4`. */
  prometheus(): string
  /**
   * What happened since the last call, in CloudWatch's embedded metric format: one JSON line for the service and one for each operation, for
   * `console.log`. An empty text if nothing happened.
   * @throws {InvalidOptionError} for a name that CloudWatch does not take
   */
  emf(options?: EmfOptions): string
  /** Ends the watching. Reports stay what they were. */
  close(): void
}

/** Milliseconds between two checks of the thresholds. */
const checkInterval = 60_000

/** What one slot of time holds. */
interface SlotContent {
  readonly counts: Counts
  readonly before: Baseline
}

/**
 * Watches a cache. It costs a hit less than three per cent, and takes some megabytes at the most.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function createMonitor(cache: Cache, options: MonitorOptions = {}): Monitor {
  withMethods('cache', cache, { methods: ['on', 'stats', 'memory'], allowed: 'a cache made by createCache()' })
  const settings = readMonitorOptions(options)
  const { clock, retention } = settings
  const before = (): Baseline => {
    const { savedUsd, spentUsd } = cache.stats()
    return { savedUsd, spentUsd, memory: cache.memory() }
  }
  const slots = new Slots<SlotContent>({ clock, length: slotLength, retention, empty: () => ({ counts: noCounts(), before: before() }) })
  const recorder = new Recorder(cache, settings, () => slots.recent.counts)
  const warnings = new Warnings(settings.thresholds)
  const emf = new EmfLines()
  const listeners = new Set<(warning: MonitorWarning) => unknown>()

  const reportOf = (span: number): MonitorReport => {
    // The hits until now are told before they return.
    const stats = cache.stats()
    recorder.settle()
    recorder.sweep()
    const now = slots.current
    const [first, ...others] = slots.within(span)
    return makeReport({
      from: first?.start ?? clock.now(),
      to: clock.now(),
      counts: [first, ...others].map((slot) => slot?.content.counts ?? now.counts),
      before: first?.content.before ?? now.before,
      stats,
      memory: cache.memory(),
      stores: recorder.stores,
    })
  }
  const check = (): void => {
    for (const warning of warnings.check(reportOf(slotLength), cache.memory().maxBytes)) {
      for (const listener of Array.from(listeners)) tell(listener, warning)
    }
  }
  let cancel: (() => void) | undefined
  const checkLater = (): void => {
    cancel = clock.after(checkInterval, () => {
      check()
      checkLater()
    })
  }
  checkLater()
  // The first slot begins with what the cache has to show now.
  void slots.current

  return {
    report({ since } = {}) {
      const span = since === undefined ? retention : milliseconds('since', since)
      if (span > retention) throw new InvalidOptionError('since', since, `a duration within the retention of ${retention / 60_000} minutes`)
      check()
      return reportOf(span)
    },
    on(name, listener) {
      if (name !== 'warning') throw new InvalidOptionError('event', name, ['warning'])
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    prometheus() {
      const stats = cache.stats()
      recorder.settle()
      const recent = noCounts()
      for (const { content } of slots.within(retention)) addCounts(recent, content.counts)
      const { lifetime, stores } = recorder
      return prometheusText({ stats, memory: cache.memory(), lifetime, recent, stores })
    },
    emf: (given) => emf.next(cache.stats(), clock.now(), given).join('\n'),
    close() {
      cancel?.()
      slots.close()
      recorder.close()
    },
  }
}

/** A listener that fails disturbs neither the cache nor other listeners. */
function tell(listener: (warning: MonitorWarning) => unknown, warning: MonitorWarning): void {
  try {
    const result = listener(warning)
    if (result instanceof Promise) result.catch(() => undefined)
  } catch {
    // It is the listener's own fault.
  }
}

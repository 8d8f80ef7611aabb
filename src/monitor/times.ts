/**
 * Times, kept as a histogram: how many there were, and their quantiles.
 * @module
 */
import { createHistogram } from 'node:perf_hooks'
import { type Histogram, LogHistogram } from './log-histogram.ts'

/** How long something took, in milliseconds. A quantile is within one per cent of the true one. All are 0 if there was nothing. */
export interface Times {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** What a histogram can tell apart, in milliseconds. */
interface Resolution {
  readonly least: number
  /** A longer time counts as this one: the histogram would leave it out. */
  readonly most: number
}

/** For work: from a nanosecond to a quarter of an hour. */
export const ofWork: Resolution = { least: 1e-6, most: 900_000 }

/** For waits between calls: from a millisecond to a year. */
export const ofWaits: Resolution = { least: 1, most: 366 * 86_400_000 }

/** A histogram of times. One that holds nothing takes no room. */
export class TimeHistogram {
  readonly #resolution: Resolution
  #histogram: Histogram | undefined
  #total = 0
  #count = 0

  /** @param resolution @default that of work */
  constructor(resolution: Resolution = ofWork) {
    this.#resolution = resolution
  }

  /** The sum of all times, in milliseconds. */
  get total(): number {
    return this.#total
  }

  /** Adds a time. @param times how many such times it stands for */
  record(milliseconds: number, times = 1): void {
    const { least, most } = this.#resolution
    const within = milliseconds > least ? Math.min(most, milliseconds) : least
    this.#total += within * times
    this.#count += times
    // It takes whole numbers from 1.
    this.#made().record(Math.round(within / least))
  }

  /** Adds what another one of the same resolution holds. */
  add(other: TimeHistogram): void {
    if (other.#histogram === undefined) return
    this.#total += other.#total
    this.#count += other.#count
    this.#made().add(other.#histogram)
  }

  /** What it holds now. */
  times(): Times {
    const histogram = this.#histogram
    if (histogram === undefined) return { count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 }
    const { least } = this.#resolution
    const quantile = (percent: number): number => histogram.percentile(percent) * least
    return {
      count: this.#count,
      mean: this.#total / this.#count,
      p50: quantile(50),
      p95: quantile(95),
      p99: quantile(99),
      max: histogram.max * least,
    }
  }

  #made(): Histogram {
    return (this.#histogram ??= newHistogram(this.#resolution))
  }
}

function newHistogram({ least, most }: Resolution): Histogram {
  try {
    return createHistogram({ lowest: 1, highest: Math.round(most / least), figures: 2 })
  } catch {
    // There is the name in workerd, but what it calls is not.
    return new LogHistogram()
  }
}

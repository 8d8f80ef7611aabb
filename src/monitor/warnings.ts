/**
 * Warnings: a figure has crossed its threshold.
 * @module
 */
import type { MonitorFigures } from './figures.ts'
import type { MonitorThresholds } from './options.ts'
import { bytesText, millisecondsText, percentText } from './words.ts'

/** A figure has crossed its threshold. It is told once, and again only after the figure was within its bounds. */
export interface MonitorWarning {
  readonly about: 'memory' | 'reads' | 'hit rate' | 'invalidations'
  /** The figure: bytes, milliseconds, a share, a number. */
  readonly value: number
  /** The threshold that it crossed. */
  readonly threshold: number
  /** A sentence for a person. */
  readonly text: string
}

/** A threshold, whether it is crossed, and what that means. */
interface Check extends MonitorWarning {
  readonly crossed: boolean
}

/** Tells of each threshold when it is crossed. */
export class Warnings {
  readonly #thresholds: Required<MonitorThresholds>
  readonly #crossed = new Set<string>()

  constructor(thresholds: Required<MonitorThresholds>) {
    this.#thresholds = thresholds
  }

  /** The thresholds that were crossed since the last check. @param maxBytes the bound of hot memory */
  check(figures: MonitorFigures, maxBytes: number): MonitorWarning[] {
    return this.#checks(figures, maxBytes).flatMap(({ crossed, ...warning }) => {
      const id = `${warning.about} ${warning.threshold}`
      const isNew = crossed && !this.#crossed.has(id)
      if (crossed) this.#crossed.add(id)
      else this.#crossed.delete(id)
      return isNew ? [warning] : []
    })
  }

  #checks(figures: MonitorFigures, maxBytes: number): Check[] {
    return [...this.#memory(figures, maxBytes), ...this.#reads(figures), ...this.#hitRate(figures), ...this.#invalidations(figures)]
  }

  #memory({ memory: { bytes, entries } }: MonitorFigures, maxBytes: number): Check[] {
    const { memoryBytes, memoryShare } = this.#thresholds
    const bounds = [...(memoryBytes === false ? [] : memoryBytes), ...(memoryShare === false ? [] : [Math.round(memoryShare * maxBytes)])]
    return bounds.map((threshold) => ({
      about: 'memory',
      value: bytes,
      threshold,
      crossed: bytes > threshold,
      text: `Memory holds ${bytesText(bytes)} in ${entries} entries, more than ${bytesText(threshold)}.`,
    }))
  }

  #reads({ readTimes }: MonitorFigures): Check[] {
    const { readMs, leastCalls } = this.#thresholds
    if (readMs === false) return []
    const [name, slowest] = Object.entries(readTimes)
      .filter(([tier, { count }]) => tier !== 'memory' && count >= leastCalls)
      .reduce(([tier, most], [each, { p95 }]) => (p95 > most ? ([each, p95] as const) : ([tier, most] as const)), [
        'the store',
        0,
      ] as const as readonly [string, number])
    const text = `95 of 100 reads of ${name} take up to ${millisecondsText(slowest)}, more than ${millisecondsText(readMs)}.`
    return [{ about: 'reads', value: slowest, threshold: readMs, crossed: slowest > readMs, text }]
  }

  #hitRate({ calls: { hits, misses, hitRate } }: MonitorFigures): Check[] {
    const { hitRate: threshold, leastCalls } = this.#thresholds
    if (threshold === false) return []
    const text = `${percentText(hitRate)} of ${hits + misses} calls are hits, fewer than ${percentText(threshold)}.`
    return [{ about: 'hit rate', value: hitRate, threshold, crossed: hits + misses >= leastCalls && hitRate < threshold, text }]
  }

  #invalidations({ invalidations }: MonitorFigures): Check[] {
    const { invalidations: threshold } = this.#thresholds
    if (threshold === false) return []
    const value = Object.values(invalidations).reduce((sum, { calls }) => sum + calls, 0)
    const text = `There were ${value} invalidations within ten minutes, more than ${threshold}.`
    return [{ about: 'invalidations', value, threshold, crossed: value > threshold, text }]
  }
}

/**
 * Counts by name in windows of time, in the memory of this process.
 * @module
 */
import type { Clock } from 'llmemo'
import type { Rate } from '../config/access-settings.ts'
import { BoundedMap } from './bounded-map.ts'

/** What is left of a rate. */
export interface Remaining {
  /** How many were counted in this window. */
  readonly used: number
  /** Seconds until the next window begins, at least 1. */
  readonly reset: number
}

/** Names that are remembered at a time. */
const maxNames = 10_000

/** The window of now: its number, and the seconds until the next one. */
export function windowAt(now: number, seconds: number): { readonly number: number; readonly reset: number } {
  const length = seconds * 1_000
  return { number: Math.floor(now / length), reset: Math.max(1, Math.ceil((length - (now % length)) / 1_000)) }
}

/** Counts in windows of time. Of more than 10,000 names, those that were counted longest ago are forgotten. */
export class Windows {
  readonly #clock: Clock
  readonly #counts = new BoundedMap<{ readonly window: number; readonly count: number }>(maxNames)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#counts.size
  }

  /** What was counted in this window. */
  used(name: string, { seconds }: Rate): Remaining {
    const { number, reset } = windowAt(this.#clock.now(), seconds)
    const found = this.#counts.get(name)
    return { used: found?.window === number ? found.count : 0, reset }
  }

  /** Counts one. */
  add(name: string, rate: Rate): Remaining {
    const { number } = windowAt(this.#clock.now(), rate.seconds)
    const { used, reset } = this.used(name, rate)
    this.#counts.set(name, { window: number, count: used + 1 })
    return { used: used + 1, reset }
  }
}

/**
 * A clock that stands still until a test moves it.
 * @module
 */
import type { Clock } from '../clock.ts'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** A {@link Clock} that only a test moves. It never waits for real time. */
export class ManualClock implements Clock {
  #now: number
  #monotonic = 1_000
  /** In the order of creation, so that of two timers with the same due time the earlier one fires first. */
  readonly #timers = new Set<Timer>()

  /** @param now the first wall-clock time, in milliseconds since the epoch */
  constructor(now = 1_750_000_000_000) {
    this.#now = now
  }

  /** Number of pending timers. */
  get timers(): number {
    return this.#timers.size
  }

  /** Wall-clock time, in milliseconds since the epoch. */
  now(): number {
    return this.#now
  }

  /** Milliseconds that never go back. */
  monotonic(): number {
    return this.#monotonic
  }

  /** Calls `callback` once, when {@link ManualClock.advance} has let `milliseconds` pass. @returns a function that cancels the timer */
  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = { due: this.#monotonic + Math.max(0, milliseconds), callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** Lets `milliseconds` pass. Due timers fire in order, each at its own time; so do timers that they set. */
  advance(milliseconds: number): void {
    const end = this.#monotonic + milliseconds
    for (let timer = this.#nextDue(end); timer !== undefined; timer = this.#nextDue(end)) {
      this.#timers.delete(timer)
      this.#moveTo(timer.due)
      timer.callback()
    }
    this.#moveTo(end)
  }

  /** Moves only the wall clock, forwards or (negative) backwards, as an administrator or NTP would. */
  jump(milliseconds: number): void {
    this.#now += milliseconds
  }

  #moveTo(monotonic: number): void {
    const passed = Math.max(0, monotonic - this.#monotonic)
    this.#monotonic += passed
    this.#now += passed
  }

  #nextDue(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer
    return next
  }
}

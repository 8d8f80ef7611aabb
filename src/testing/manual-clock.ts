/**
 * A clock that stands still until a test moves it.
 * @module
 */
import type { Clock } from '../clock.ts'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** A {@link Clock} that a test moves by hand. Nothing in it waits for real time. */
export class ManualClock implements Clock {
  #now: number
  #monotonic = 1_000
  /** In the order in which they were set, so that of two with the same due time the earlier one fires first. */
  readonly #timers = new Set<Timer>()

  /** @param now the wall-clock time to begin with, in milliseconds since the epoch */
  constructor(now = 1_750_000_000_000) {
    this.#now = now
  }

  /** How many timers are pending. */
  get timers(): number {
    return this.#timers.size
  }

  /** Wall-clock time, in milliseconds since the epoch. */
  now(): number {
    return this.#now
  }

  /** Milliseconds that only ever grow. */
  monotonic(): number {
    return this.#monotonic
  }

  /** Calls back once when {@link ManualClock.advance} has let so many milliseconds pass. @returns a function that cancels it */
  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = { due: this.#monotonic + Math.max(0, milliseconds), callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** Lets `milliseconds` pass. Timers that come due fire in order, each at its own time; those set meanwhile fire too when they come due. */
  advance(milliseconds: number): void {
    const end = this.#monotonic + milliseconds
    for (let timer = this.#nextDue(end); timer !== undefined; timer = this.#nextDue(end)) {
      this.#timers.delete(timer)
      this.#moveTo(timer.due)
      timer.callback()
    }
    this.#moveTo(end)
  }

  /** Moves the wall clock alone, forwards or (negative) backwards, as an administrator or NTP would. */
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

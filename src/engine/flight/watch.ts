/**
 * The time of a flight: its deadline, and whether a caller still reads it.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** Milliseconds after which a flight is idle that no caller reads. It may take twice as long until that is seen. */
const idleTimeout = 5_000

/** What a {@link Watch} works with. */
export interface WatchOptions {
  readonly clock: Clock
  /** Milliseconds for which the flight may take. */
  readonly deadline: number
  /** Called when the deadline is over. */
  readonly expired: () => void
  /** Called when no caller has read the flight for some time. The watch ends then. */
  readonly idle: () => void
}

/** Watches the time of one flight, with one timer. */
export class Watch {
  readonly #options: WatchOptions
  readonly #begun: number
  /** How many callers wait for the head or for an item. */
  #waiting = 0
  #activity = 0
  #activityBefore = 0
  #cancel: () => void

  constructor(options: WatchOptions) {
    this.#options = options
    this.#begun = options.clock.monotonic()
    this.#cancel = this.#lookAgain(options.deadline)
  }

  /** Milliseconds since the flight began. */
  get elapsed(): number {
    return this.#options.clock.monotonic() - this.#begun
  }

  /** Notes that the provider or a caller did something. */
  noteActivity(): void {
    this.#activity++
  }

  /** Notes that so many more callers wait for something, or fewer. A flight that a caller waits for is not idle. */
  waits(more: 1 | -1): void {
    this.#waiting += more
  }

  /** Ends the watch. Further calls do nothing. */
  end(): void {
    this.#cancel()
  }

  #lookAgain(timeLeft: number): () => void {
    return this.#options.clock.after(Math.min(idleTimeout, timeLeft), () => this.#look())
  }

  #look(): void {
    const timeLeft = this.#options.deadline - this.elapsed
    if (timeLeft <= 0) return this.#options.expired()
    const isIdle = this.#waiting === 0 && this.#activity === this.#activityBefore
    if (isIdle) return this.#options.idle()
    this.#activityBefore = this.#activity
    this.#cancel = this.#lookAgain(timeLeft)
  }
}

/**
 * How often messages of other processes are heeded at once. Anyone who can send messages can send false ones, and each costs a read.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** Milliseconds of one count. */
const window = 1_000
/** Messages about one label that are heeded at once in that time. */
const maxMessages = 16

/** Counts the messages about each label. */
export class NewsLimit {
  readonly #clock: Clock
  readonly #counts = new Map<string, number>()
  #until = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** When further messages are heeded again, by the monotonic clock. */
  get until(): number {
    return this.#until
  }

  /** Counts a message. @returns whether it is to be heeded at once. `label` must be one of those that are known, which are bounded */
  admits(label: string): boolean {
    const now = this.#clock.monotonic()
    if (now >= this.#until) {
      this.#counts.clear()
      this.#until = now + window
    }
    const count = (this.#counts.get(label) ?? 0) + 1
    this.#counts.set(label, count)
    return count <= maxMessages
  }
}

/**
 * A circuit breaker: after several failures in a row it stops all tries for a while. Then one probe shows whether the store works again.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** When a breaker opens and for how long. */
export interface CircuitBreakerBounds {
  /** Failures in a row that open it. */
  readonly failures: number
  /** Milliseconds before the first probe; each failed probe doubles them, up to sixteen-fold. */
  readonly probeDelay: number
}

/** Counts failures in a row, and says whether to try. It holds no timer. */
export class CircuitBreaker {
  readonly #bounds: CircuitBreakerBounds
  readonly #clock: Clock
  readonly #changed: (usable: boolean) => void
  #failures = 0
  #probeDelay: number
  #openUntil: number | undefined
  #probing = false

  /** @param changed called at each change: with `false` when it opens, with `true` when it closes */
  constructor(bounds: CircuitBreakerBounds, clock: Clock, changed: (usable: boolean) => void) {
    this.#bounds = bounds
    this.#clock = clock
    this.#changed = changed
    this.#probeDelay = bounds.probeDelay
  }

  /** Whether what was tried last failed. */
  get hasRecentFailure(): boolean {
    return this.#failures > 0
  }

  /** Whether to try now. While it is open, the first caller after the pause is the probe, and must report back. */
  tryAcquire(): boolean {
    if (this.#openUntil === undefined) return true
    if (this.#probing || this.#clock.monotonic() < this.#openUntil) return false
    this.#probing = true
    return true
  }

  /** What was tried worked. */
  succeeded(): void {
    this.#failures = 0
    if (this.#openUntil === undefined) return
    this.#openUntil = undefined
    this.#probing = false
    this.#probeDelay = this.#bounds.probeDelay
    this.#changed(true)
  }

  /** What was tried failed, or was not done in its time. */
  failed(): void {
    this.#failures++
    const now = this.#clock.monotonic()
    if (this.#openUntil !== undefined) {
      if (!this.#probing) return
      this.#probing = false
      this.#probeDelay = Math.min(this.#probeDelay * 2, this.#bounds.probeDelay * 16)
      this.#openUntil = now + this.#probeDelay
    } else if (this.#failures >= this.#bounds.failures) {
      this.#openUntil = now + this.#probeDelay
      this.#changed(false)
    }
  }

  /** What was tried was given up for another reason, which says nothing about the store. */
  withdrawn(): void {
    this.#probing = false
  }
}

/**
 * Changes of a store: each within a deadline, none while the circuit breaker is open, and all of them can be waited for.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Fault } from '../../events.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { inTime } from './deadline.ts'

/** A change of the store. */
export interface Change {
  /** The fault that its failure is. */
  readonly doing: Fault
  /** What the error of its deadline says. */
  readonly what: string
  /** Milliseconds. @default those of a batch of writes */
  readonly deadline?: number
  /** Whether a caller waits for it, so that the process must not end before. @default false */
  readonly awaited?: boolean
}

/** What changes work with. */
export interface ChangesOptions {
  readonly clock: Clock
  readonly breaker: CircuitBreaker
  /** Milliseconds that a change may take. */
  readonly deadline: number
  /** Called with the error of each change that failed. Must not throw. */
  readonly onFault: (doing: Fault, error: unknown) => void
}

/** The changes of one store. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Changes something in the store. @returns whether it was done; `undefined` if it was not tried, as the breaker is open */
  try(change: Change, work: () => Promise<void>): Promise<boolean | undefined> {
    return this.watched(this.#attempt(change, work))
  }

  /** Remembers a change until it is done, for `settled`. It must not reject. */
  watched<Result>(change: Promise<Result>): Promise<Result> {
    this.#underWay.add(change)
    void change.then(() => this.#underWay.delete(change))
    return change
  }

  /** Resolves when all changes that were begun are done. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #attempt({ doing, what, deadline, awaited }: Change, work: () => Promise<void>): Promise<boolean | undefined> {
    const { breaker, clock } = this.#options
    if (!breaker.tryAcquire()) return undefined
    try {
      await inTime(clock, { what, deadline: deadline ?? this.#options.deadline, ...(awaited === true && { awaited }) }, work)
      breaker.succeeded()
      return true
    } catch (error) {
      breaker.failed()
      this.#options.onFault(doing, error)
      return false
    }
  }
}

/**
 * A counting semaphore whose `acquire` gives up after a timeout.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** Admits a limited number at a time. */
export class Semaphore {
  readonly #limit: number
  readonly #clock: Clock
  /** What lets each waiting caller go on, in the order in which they came. */
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(limit: number, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /**
   * Takes a slot, which must be given back by {@link Semaphore.release}.
   * @param timeout milliseconds to wait for one at the limit
   * @returns whether one was taken; at once, when one is free
   */
  acquire(timeout: number): boolean | Promise<boolean> {
    if (this.#taken < this.#limit) {
      this.#taken++
      return true
    }
    return new Promise((resolve) => {
      const take = (): void => {
        cancel()
        resolve(true)
      }
      const cancel = this.#clock.after(
        timeout,
        () => {
          this.#waiting.delete(take)
          resolve(false)
        },
        true,
      )
      this.#waiting.add(take)
    })
  }

  /** Gives a slot back, or hands it to the caller that has waited longest. */
  release(): void {
    const [next] = this.#waiting.size === 0 ? [] : this.#waiting
    if (next === undefined) {
      this.#taken--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

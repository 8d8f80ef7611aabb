/**
 * Room for so many at a time. Who finds none waits his turn, but not for longer than he can.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** Room for so many at a time. */
export class Slots {
  readonly #most: number
  readonly #clock: Clock
  /** Those who wait, in the order in which they came. */
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#clock = clock
  }

  /**
   * Takes a slot, which must be given back by {@link Slots.leave}.
   * @param patience milliseconds to wait for one at the most
   * @returns whether one was taken; at once, when one is free
   */
  enter(patience: number): boolean | Promise<boolean> {
    if (this.#taken < this.#most) {
      this.#taken++
      return true
    }
    return new Promise((resolve) => {
      const take = (): void => {
        cancel()
        resolve(true)
      }
      const cancel = this.#clock.after(patience, () => {
        this.#waiting.delete(take)
        resolve(false)
      })
      this.#waiting.add(take)
    })
  }

  /** Gives a slot back, or on to who has waited longest. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

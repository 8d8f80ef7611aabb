/**
 * What is being made anew behind the callers' backs: each thing once at a time, and after a failure not again for a while, so that an
 * outage is not met by a call for each read.
 * @module
 */
import type { Clock } from '../../clock.ts'

/** Milliseconds between two tries to make something anew, when the first failed. */
const pause = 10_000
/** Failures that are remembered, at the most. */
const maxRemembered = 10_000

/** What is being made anew, by the place where it lies. */
export class Refreshes {
  readonly #clock: Clock
  readonly #running = new Set<string>()
  /** When what failed may be tried again, by the monotonic clock. */
  readonly #retryAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Begins `work`, unless it is under way or failed of late. Never throws.
   * @param work resolves to whether there is something new now
   * @param failed told of the error where `work` rejects; must not throw
   */
  begin(storeKey: string, work: () => Promise<boolean>, failed: (error: unknown) => void): void {
    if (!this.#running.has(storeKey) && !this.isPaused(storeKey)) void this.#run(storeKey, work, failed)
  }

  /** Notes that something could not be made anew. */
  pause(storeKey: string): void {
    if (this.#retryAt.size >= maxRemembered) this.#retryAt.clear()
    this.#retryAt.set(storeKey, this.#clock.monotonic() + pause)
  }

  /** Whether something could not be made anew a short while ago. */
  isPaused(storeKey: string): boolean {
    const retryAt = this.#retryAt.get(storeKey)
    if (retryAt === undefined) return false
    if (this.#clock.monotonic() < retryAt) return true
    this.#retryAt.delete(storeKey)
    return false
  }

  async #run(storeKey: string, work: () => Promise<boolean>, failed: (error: unknown) => void): Promise<void> {
    this.#running.add(storeKey)
    try {
      if (!(await work())) this.pause(storeKey)
    } catch (error) {
      this.pause(storeKey)
      failed(error)
    } finally {
      this.#running.delete(storeKey)
    }
  }
}

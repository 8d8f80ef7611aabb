/**
 * Refreshes in the background. Each entry is refreshed once at a time, and after a failure not again for a while: in an outage, not every
 * read may cause a call.
 * @module
 */
import { shortName } from '../../base/short-name.ts'
import type { Clock } from '../../clock.ts'

/** Milliseconds after a failed refresh before the next try. */
const retryDelay = 10_000
/** Failures that are remembered, at the most. */
const maxRemembered = 10_000

/** The refreshes under way, by the keys of their entries. */
export class Refreshes {
  readonly #clock: Clock
  readonly #running = new Set<string>()
  /** When a failed refresh may be tried again, by the monotonic clock. */
  readonly #retryAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Begins `work`, unless it is under way or failed a short while ago. Never throws.
   * @param work resolves to whether there is a new entry now
   * @param failed called with the error if `work` rejects; must not throw
   */
  begin(storeKey: string, work: () => Promise<boolean>, failed: (error: unknown) => void): void {
    if (!this.#running.has(storeKey) && !this.isPaused(storeKey)) void this.#run(storeKey, work, failed)
  }

  /** Notes that a refresh failed. */
  pause(storeKey: string): void {
    if (this.#retryAt.size >= maxRemembered) this.#retryAt.clear()
    this.#retryAt.set(shortName(storeKey), this.#clock.monotonic() + retryDelay)
  }

  /** Whether a refresh failed a short while ago. */
  isPaused(storeKey: string): boolean {
    const name = shortName(storeKey)
    const retryAt = this.#retryAt.get(name)
    if (retryAt === undefined) return false
    if (this.#clock.monotonic() < retryAt) return true
    this.#retryAt.delete(name)
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

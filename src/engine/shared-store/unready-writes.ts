/**
 * Writes that wait until it is known whether they are of use. A newer write to the same key, or its deletion, ends the wait.
 * @module
 */
import { RecentMap } from '../../base/recent-map.ts'
import type { PendingWrite } from './write-queue.ts'

/** A write that waits, and the end of its wait. */
interface Unready {
  readonly write: PendingWrite
  readonly ended: Promise<void>
}

/** What becomes of a write whose wait is over. */
export type Ready = (write: PendingWrite, isReady: boolean) => void

/** Writes that wait until it is known whether they are of use. */
export class UnreadyWrites {
  readonly #maxWrites: number
  readonly #ready: Ready
  readonly #byKey = new RecentMap<Unready>()

  /**
   * @param maxWrites how many may wait; beyond that, the oldest is of no use
   * @param ready called with each write at the end of its wait. Must not throw
   */
  constructor(maxWrites: number, ready: Ready) {
    this.#maxWrites = maxWrites
    this.#ready = ready
  }

  /** How many wait. */
  get size(): number {
    return this.#byKey.size
  }

  /** Takes a write in, in place of an earlier one to the same key. @returns the end of its wait; `isReady` must not reject */
  add(write: PendingWrite, isReady: Promise<boolean>): Promise<void> {
    const ended = isReady.then((is) => this.#end(write, is))
    this.#byKey.set(write.key, { write, ended })
    const { oldest } = this.#byKey
    if (oldest !== undefined && this.#byKey.size > this.#maxWrites) this.#end(oldest.value.write, false)
    return ended
  }

  /** The write that waits for `key`. */
  peek(key: string): PendingWrite | undefined {
    return this.#byKey.get(key)?.write
  }

  /** Gives up the write that waits for `key`. */
  cancel(key: string): void {
    this.#byKey.delete(key)
  }

  /** Resolves when no write waits for `key` any more. */
  async ended(key: string): Promise<void> {
    await this.#byKey.get(key)?.ended
  }

  #end(write: PendingWrite, isReady: boolean): void {
    // A newer write took its place, or its key was deleted.
    if (this.#byKey.get(write.key)?.write !== write) return
    this.#byKey.delete(write.key)
    this.#ready(write, isReady)
  }
}

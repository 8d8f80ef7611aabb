/**
 * Writes that wait until it is known whether they are of use. A newer write to the same key, or its deletion, ends the wait.
 * @module
 */
import { RecentMap } from '../../base/recent-map.ts'
import type { PendingWrite, WriteQueueBounds } from './write-queue.ts'

/** A write that waits, and the end of its wait. */
interface Unready {
  readonly write: PendingWrite
  readonly ended: Promise<void>
}

/** How many may wait, and their bytes. Beyond that, the oldest is of no use. */
export type UnreadyBounds = Pick<WriteQueueBounds, 'maxWrites' | 'maxBytes'>

/** What becomes of a write whose wait is over. */
export type Ready = (write: PendingWrite, isReady: boolean) => void

/** Writes that wait until it is known whether they are of use. */
export class UnreadyWrites {
  readonly #bounds: UnreadyBounds
  readonly #ready: Ready
  readonly #byKey = new RecentMap<Unready>()
  #bytes = 0

  /** @param ready called with each write at the end of its wait. Must not throw */
  constructor(bounds: UnreadyBounds, ready: Ready) {
    this.#bounds = bounds
    this.#ready = ready
  }

  /** How many wait. */
  get size(): number {
    return this.#byKey.size
  }

  /** Takes a write in, in place of an earlier one to the same key. @returns the end of its wait; `isReady` must not reject */
  add(write: PendingWrite, isReady: Promise<boolean>): Promise<void> {
    const ended = isReady.then((is) => this.#end(write, is))
    this.cancel(write.key)
    this.#byKey.set(write.key, { write, ended })
    this.#bytes += write.bytes
    const { maxWrites, maxBytes } = this.#bounds
    for (let { oldest } = this.#byKey; oldest !== undefined; { oldest } = this.#byKey) {
      if (this.#byKey.size <= maxWrites && this.#bytes <= maxBytes) break
      this.#end(oldest.value.write, false)
    }
    return ended
  }

  /** The write that waits for `key`. */
  peek(key: string): PendingWrite | undefined {
    return this.#byKey.get(key)?.write
  }

  /** Gives up the write that waits for `key`. */
  cancel(key: string): void {
    const unready = this.#byKey.get(key)
    if (unready === undefined) return
    this.#byKey.delete(key)
    this.#bytes -= unready.write.bytes
  }

  /** Resolves when no write waits for `key` any more. */
  async ended(key: string): Promise<void> {
    await this.#byKey.get(key)?.ended
  }

  #end(write: PendingWrite, isReady: boolean): void {
    // A newer write took its place, or its key was deleted.
    if (this.#byKey.get(write.key)?.write !== write) return
    this.cancel(write.key)
    this.#ready(write, isReady)
  }
}

/**
 * Removals of single entries by their keys: from memory and the store, and from whatever is on its way to either.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import { type KeyPattern, Tombstones } from '../invalidation/tombstones.ts'
import type { InvalidationBus } from '../shared-store/bus.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import type { HotTier } from './hot-tier.ts'

/**
 * Milliseconds for which everything is read from the primary of a store with replicas, once another process removed something: a replica may
 * be behind, and memory would keep what it still has.
 */
const replicaLag = 10_000

/** What removals work with. */
export interface RemovalsOptions {
  readonly clock: Clock
  readonly hot: HotTier
  readonly shared: SharedStore | undefined
  readonly invalidations: Invalidations
  /** Ends a look-up that is under way: it may find what is removed. */
  readonly overtake: (storeKey: string) => void
  /** Tells other processes; `undefined` without a store. */
  readonly bus: () => InvalidationBus | undefined
}

/** Removes entries by their keys. */
export class Removals {
  readonly #options: RemovalsOptions
  readonly #tombstones = new Tombstones()
  /** The last one by another process that did not say of which entry it was. */
  #others = 0
  #othersAt = -Infinity

  constructor(options: RemovalsOptions) {
    this.#options = options
  }

  /** How many there were until now. */
  get count(): number {
    return this.#tombstones.count
  }

  /**
   * The number of the last one that concerns any of these entries, or may; 0 if there was none. Calls from before and after it must not get
   * one answer of the provider.
   */
  last(storeKeys: readonly string[]): number {
    return this.count === 0 ? 0 : storeKeys.reduce((last, storeKey) => Math.max(last, this.#tombstones.last(storeKey)), this.#others)
  }

  /** The number of the last one by another process that did not say of which entry it was. */
  get others(): number {
    return this.#others
  }

  /** Those of these entries that a replica of the store may still have though they were removed. */
  removed(storeKeys: readonly string[]): readonly string[] {
    if (this.count === 0) return []
    if (this.#options.clock.monotonic() - this.#othersAt < replicaLag) return storeKeys
    return storeKeys.filter((storeKey) => this.#tombstones.last(storeKey) > 0)
  }

  /** Whether an answer must not be stored whose call began when there were `count` removals. */
  outdates(storeKey: string, count: number): boolean {
    return this.#tombstones.outdates(storeKey, count)
  }

  /** What matches and is on its way to be stored is not stored. */
  noteMatching(pattern: KeyPattern): void {
    this.#tombstones.noteMatching(pattern)
  }

  /** Another process says that it removed an entry. */
  hear(storeKey: string): void {
    this.#forget(storeKey)
    this.#tombstones.hear(storeKey)
  }

  /** The store says that another process removed entries, and not which. */
  learn(): void {
    this.#others = this.#tombstones.noteUnknown()
    this.#othersAt = this.#options.clock.monotonic()
  }

  /** Removes one entry from every tier. @returns whether every tier did so */
  async remove(storeKey: string): Promise<boolean> {
    const { shared, bus } = this.#options
    this.#forget(storeKey)
    this.#tombstones.note(storeKey)
    if (shared === undefined) return true
    const removed = await shared.delete(storeKey)
    // A look-up may have found it while it was being removed.
    this.#forget(storeKey)
    if (removed) await bus()?.removed(storeKey)
    return removed
  }

  /** Removes entries from every tier, and from the memory of other processes. @returns whether every tier did so */
  async forget(storeKeys: readonly string[]): Promise<boolean> {
    return this.#options.invalidations.declareRemoved(storeKeys, async () => {
      const removed = await Promise.all(storeKeys.map((storeKey) => this.remove(storeKey)))
      return removed.every(Boolean)
    })
  }

  #forget(storeKey: string): void {
    this.#options.overtake(storeKey)
    this.#options.hot.delete(storeKey)
  }
}

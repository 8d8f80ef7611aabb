/**
 * Removals of single entries by their keys: from memory and the store, and from whatever is on its way to either.
 * @module
 */
import { removals } from '../invalidation/labels.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import { type KeyPattern, Tombstones } from '../invalidation/tombstones.ts'
import type { InvalidationBus } from '../shared-store/bus.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import type { HotTier } from './hot-tier.ts'
import type { Lookups } from './lookups.ts'

/** What removals work with. */
export interface RemovalsOptions {
  readonly hot: HotTier
  readonly shared: SharedStore | undefined
  readonly invalidations: Invalidations
  /** Those that are under way; `undefined` without a store. */
  readonly lookups: () => Lookups | undefined
  /** Tells other processes; `undefined` without a store. */
  readonly bus: () => InvalidationBus | undefined
}

/** Removes entries by their keys. */
export class Removals {
  readonly #options: RemovalsOptions
  readonly #tombstones = new Tombstones()
  /** The last one by another process that did not say of which entry it was. */
  #others = 0

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
    this.#options.hot.mustRevalidate()
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
    const removed = await Promise.all(storeKeys.map((storeKey) => this.remove(storeKey)))
    return (await this.#options.invalidations.declare(removals)) && removed.every(Boolean)
  }

  #forget(storeKey: string): void {
    this.#options.lookups()?.overtake(storeKey)
    this.#options.hot.delete(storeKey)
  }
}

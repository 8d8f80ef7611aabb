/**
 * Removals of single entries by their keys: from memory and the store, and from whatever is on its way to either.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { removals } from '../invalidation/labels.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import { type KeyPattern, Tombstones } from '../invalidation/tombstones.ts'
import type { InvalidationBus } from '../shared-store/bus.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { RecentMap } from '../../base/recent-map.ts'
import type { EntryHead } from '../../entry.ts'
import { kindOf } from '../../key/store-keys.ts'
import type { HotTier } from './hot-tier.ts'

/**
 * Milliseconds for which everything is read from the primary of a store with replicas, once another process removed something: a replica may
 * be behind, and memory would keep what it still has.
 */
const replicaLag = 10_000

/** How many removals are remembered with their times, and for how many milliseconds: as long as most calls may take. */
const maxTimes = 10_000
const timesKept = 900_000

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
  /** When this process removed answers, by their keys: by the wall clock, and by the monotonic one. */
  readonly #times = new RecentMap<{ readonly now: number; readonly at: number }>()
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

  /**
   * Whether the call for an answer in the store began before this process removed the one that was there. Another process may not have known of
   * the removal when it stored the answer. Clocks that disagree make this wrong by as much, which costs a call or serves what was on its way.
   */
  isFromBefore(storeKey: string, { storedAt, latency }: Pick<EntryHead, 'storedAt' | 'latency'>): boolean {
    const removed = this.#times.size === 0 ? undefined : this.#times.get(storeKey)
    if (removed === undefined || this.#options.clock.monotonic() - removed.at > timesKept) return false
    // Both are rounded.
    return storedAt - latency + 1 < removed.now
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
    this.#noteTimes(storeKeys)
    const removed = await Promise.all(storeKeys.map((storeKey) => this.remove(storeKey)))
    return (await this.#options.invalidations.declare(removals)) && removed.every(Boolean)
  }

  #noteTimes(storeKeys: readonly string[]): void {
    const { clock } = this.#options
    for (const storeKey of storeKeys) {
      if (kindOf(storeKey) !== 'v1') continue
      this.#times.set(storeKey, { now: clock.now(), at: clock.monotonic() })
      if (this.#times.size > maxTimes) this.#times.delete(this.#times.oldest?.key ?? '')
    }
  }

  #forget(storeKey: string): void {
    this.#options.overtake(storeKey)
    this.#options.hot.delete(storeKey)
  }
}

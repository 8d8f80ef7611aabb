/**
 * Look-ups in the store. Equal look-ups at the same time are one read. What was invalidated is read along with the entry. An entry that was
 * written or removed meanwhile is newer than what a look-up finds.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { Address, EntryReader } from './entry-reader.ts'
import type { HotCopy } from './hot-copy.ts'
import type { HotTier } from './hot-tier.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { unread } from '../shared-store/store-reader.ts'

/** What is looked up. */
export interface Wanted {
  readonly address: Address
  /** The copy in memory, to be compared with the store. */
  readonly held: HotCopy | undefined
}

/** A look-up that is under way. */
interface Lookup {
  readonly copy: Promise<HotCopy | undefined>
  /** Whether the entry was written or removed meanwhile, so that the look-up may find an older one. */
  overtaken: boolean
}

/** What look-ups work with. */
export interface LookupsOptions {
  readonly clock: Clock
  readonly shared: SharedStore
  readonly hot: HotTier
  readonly reader: EntryReader
  readonly invalidations: Invalidations
}

/** Look-ups in the store. Memory keeps what they find. */
export class Lookups {
  readonly #clock: Clock
  readonly #shared: SharedStore
  readonly #hot: HotTier
  readonly #reader: EntryReader
  readonly #invalidations: Invalidations
  readonly #underWay = new Map<string, Lookup>()

  constructor({ clock, shared, hot, reader, invalidations }: LookupsOptions) {
    this.#clock = clock
    this.#shared = shared
    this.#hot = hot
    this.#reader = reader
    this.#invalidations = invalidations
  }

  /**
   * What is wanted, in its order, by one read of the store at the most. Gives the copy in memory if the store has nothing newer. Never throws.
   * @param begun when the call's first read began, by the monotonic clock, if this is not the first
   */
  async get(wanted: readonly Wanted[], begun?: number): Promise<(HotCopy | undefined)[]> {
    const fresh = wanted.filter(({ address }) => !this.#underWay.has(address.storeKey))
    if (fresh.length > 0) this.#begin(fresh, begun)
    const copies = Promise.all(wanted.map(async ({ address }) => this.#underWay.get(address.storeKey)?.copy))
    // Another call may have begun a look-up that this call joins. It may end later than this call can wait.
    const limit = begun === undefined ? undefined : begun + this.#shared.extraTime(wanted.length)
    return (limit === undefined ? await copies : await this.#shared.withinDeadline(limit, copies)) ?? wanted.map(() => undefined)
  }

  /** The entry at `storeKey` was written or removed: a look-up that is under way may find an older one. */
  overtake(storeKey: string): void {
    const lookup = this.#underWay.get(storeKey)
    if (lookup === undefined) return
    lookup.overtaken = true
    this.#underWay.delete(storeKey)
  }

  #begin(wanted: readonly Wanted[], given: number | undefined): void {
    // The time that so many keys take is not taken off the reads that may follow.
    const begun = (given ?? this.#clock.monotonic()) + this.#shared.extraTime(wanted.length)
    const labels = new Set<string>()
    for (const { address, held } of wanted) {
      for (const label of address.labels) labels.add(label)
      // The copy in memory may have been made by a call with other labels.
      if (held !== undefined) for (const label of Object.keys(held.entry.head.generations)) labels.add(label)
    }
    const due = this.#invalidations.due([...labels])
    const keys = wanted.map(({ address }) => address.storeKey)
    const learnt = this.#shared.read(keys, due.keys, given).then((values) => {
      // The store gives the generations, or nothing at all.
      if (values !== undefined) due.take(values.slice(wanted.length).filter((value) => value !== unread))
      return values
    })
    wanted.forEach((each, index) => {
      const { storeKey } = each.address
      const copy = learnt
        .then((values) => {
          const value = values === undefined ? unread : values[index]
          return value === unread ? undefined : this.#take(each, value, { lookup, begun })
        })
        .finally(() => {
          if (this.#underWay.get(storeKey) === lookup) this.#underWay.delete(storeKey)
        })
      const lookup: Lookup = { copy, overtaken: false }
      this.#underWay.set(storeKey, lookup)
    })
  }

  async #take(
    { address, held }: Wanted,
    bytes: Uint8Array | undefined,
    { lookup, begun }: { readonly lookup: Lookup; readonly begun: number },
  ): Promise<HotCopy | undefined> {
    const now = this.#clock.now()
    const heldAt = this.#clock.monotonic()
    const entry = this.#reader.read(address, bytes, now)
    if (held !== undefined && !lookup.overtaken && this.#isConfirmed(address.storeKey, held, { bytes, entry })) {
      held.checkedAt = heldAt
      return this.#invalidations.matches(held.entry.head.generations) ? held : undefined
    }
    if (entry === undefined || !(await this.#invalidations.isCurrent(entry.head.generations, begun))) return undefined
    // An entry from a clock that is ahead of ours counts as new.
    const copy = { entry, heldAt, ageThen: Math.max(0, now - entry.head.storedAt), checkedAt: heldAt }
    if (!lookup.overtaken) this.#hot.put(address.storeKey, copy)
    return copy
  }

  /** Compares the copy in memory with what the store has now. @returns whether the copy may still be served */
  #isConfirmed(
    storeKey: string,
    held: HotCopy,
    { bytes, entry }: { readonly bytes: Uint8Array | undefined; readonly entry: Entry | undefined },
  ): boolean {
    if (bytes === undefined) {
      // It was removed there, or its time is over.
      this.#hot.delete(storeKey)
      return false
    }
    // An entry that cannot be read is no reason to give up one that can. Nor is an older one: the write of the newer one was lost.
    return entry === undefined || entry.head.storedAt <= held.entry.head.storedAt
  }
}

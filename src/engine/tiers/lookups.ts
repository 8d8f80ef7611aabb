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
import type { DueGenerations, Invalidations } from '../invalidation/invalidations.ts'
import { withoutRemovals } from '../invalidation/removal-labels.ts'
import type { Removals } from './removals.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { unread, type Values } from '../shared-store/store-reader.ts'

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

/** What a look-up works with. */
interface Finding {
  /** What the store has. */
  readonly learnt: Promise<Values | undefined>
  /** The place of the entry in that. */
  readonly index: number
  /** When the call's first read began, and what so many keys may take longer. */
  readonly begun: number
  readonly isOvertaken: () => boolean
}

/** A read of entries and of generations. */
interface Learning {
  readonly reading: Promise<Values | undefined>
  /** The generations that are read. */
  readonly due: DueGenerations
  /** When the call's first read began. */
  readonly begun: number
}

/** What look-ups work with. */
export interface LookupsOptions {
  readonly clock: Clock
  readonly shared: SharedStore
  readonly hot: HotTier
  readonly reader: EntryReader
  readonly invalidations: Invalidations
  readonly removals: Removals
  /** Loads what decoding needs. @returns `undefined` if it is there */
  readonly ready: () => Promise<void> | undefined
}

/** Look-ups in the store. Memory keeps what they find. */
export class Lookups {
  readonly #clock: Clock
  readonly #shared: SharedStore
  readonly #hot: HotTier
  readonly #reader: EntryReader
  readonly #invalidations: Invalidations
  readonly #removals: Removals
  readonly #ready: () => Promise<void> | undefined
  readonly #underWay = new Map<string, Lookup>()

  constructor({ clock, shared, hot, reader, invalidations, removals, ready }: LookupsOptions) {
    this.#ready = ready
    this.#removals = removals
    this.#clock = clock
    this.#shared = shared
    this.#hot = hot
    this.#reader = reader
    this.#invalidations = invalidations
  }

  /**
   * What is wanted, by one read of the store at the most. Gives the copy in memory if the store has nothing newer. Never rejects.
   * @param begun when the call's first read began, by the monotonic clock, if this is not the first
   */
  get(wanted: Wanted, begun?: number): Promise<HotCopy | undefined> {
    const { storeKey } = wanted.address
    if (!this.#underWay.has(storeKey)) this.#begin([wanted], begun)
    const copy = this.#underWay.get(storeKey)?.copy ?? Promise.resolve(undefined)
    // Another call may have begun a look-up that this call joins. It may end later than this call can wait.
    return begun === undefined ? copy : this.#shared.withinDeadline(begun, copy)
  }

  /** As `get`, for several at once: in their order, by one read of the store at the most. */
  async getMany(wanted: readonly Wanted[], begun?: number): Promise<(HotCopy | undefined)[]> {
    const fresh = wanted.filter(({ address }) => !this.#underWay.has(address.storeKey))
    if (fresh.length > 0) this.#begin(fresh, begun)
    const copies = Promise.all(wanted.map(async ({ address }) => this.#underWay.get(address.storeKey)?.copy))
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
    const keys = wanted.map(({ address }) => address.storeKey)
    const due = this.#invalidations.due(labelsOf(wanted), keys)
    const learnt = this.#learn(keys, due, given)
    wanted.forEach((each, index) => {
      const lookup: Lookup = { copy: this.#found(each, { learnt, index, begun, isOvertaken: () => lookup.overtaken }), overtaken: false }
      this.#underWay.set(each.address.storeKey, lookup)
    })
  }

  /** The values of the entries, once the generations that were read along with them are known. */
  #learn(keys: readonly string[], due: DueGenerations, given: number | undefined): Promise<Values | undefined> {
    const reading = this.#shared.read(keys, { latest: due.keys, current: this.#removals.removed(keys), begun: given })
    return due.keys.length === 0 ? reading : this.#learnt(keys, { reading, due, begun: given ?? this.#clock.monotonic() })
  }

  async #learnt(keys: readonly string[], { reading, due, begun }: Learning): Promise<Values | undefined> {
    const values = await reading
    // The store gives the generations, or nothing at all.
    if (values === undefined) return undefined
    const { others } = this.#removals
    due.take(values.slice(values.length - due.keys.length).filter((value) => value !== unread))
    // It may say that something was removed. For many entries, what that was is read at once and not one by one.
    if (keys.length > 1) await this.#invalidations.refreshRemoved(keys, begun)
    // A replica may have given what another process had removed.
    return this.#removals.others === others ? values : this.#shared.read(keys, { current: keys, begun })
  }

  async #found({ address, held }: Wanted, { learnt, index, begun, isOvertaken }: Finding): Promise<HotCopy | undefined> {
    const { storeKey } = address
    try {
      const loading = this.#ready()
      const values = await learnt
      if (loading !== undefined) await loading
      const bytes = values === undefined ? unread : values[index]
      if (bytes === unread) return undefined
      const now = this.#clock.now()
      const heldAt = this.#clock.monotonic()
      const entry = this.#reader.read(address, bytes, now)
      if (held !== undefined && !isOvertaken() && this.#isConfirmed(storeKey, held, { bytes, entry })) {
        held.checkedAt = heldAt
        return this.#invalidations.matches(held.entry.head.generations) ? held : undefined
      }
      if (entry === undefined) return undefined
      const isCurrent = this.#invalidations.isCurrent(entry.head.generations, begun)
      if (isCurrent !== true && !(await isCurrent)) return undefined
      // An entry from a clock that is ahead of ours counts as new.
      const copy = { entry, heldAt, ageThen: Math.max(0, now - entry.head.storedAt), checkedAt: heldAt }
      if (!isOvertaken()) this.#hot.put(storeKey, copy)
      return copy
    } finally {
      if (!isOvertaken()) this.#underWay.delete(storeKey)
    }
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

/** All labels on which the answers depend. */
function labelsOf(wanted: readonly Wanted[]): readonly string[] {
  const [first] = wanted
  if (first !== undefined && wanted.length === 1 && first.held === undefined) return first.address.labels
  const labels = new Set<string>()
  for (const { address, held } of wanted) {
    for (const label of address.labels) labels.add(label)
    // The copy in memory may have been made by a call with other labels.
    if (held !== undefined) for (const label of withoutRemovals(held.entry.head.generations)) labels.add(label)
  }
  return [...labels]
}

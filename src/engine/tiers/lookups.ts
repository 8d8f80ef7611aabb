/**
 * Looking entries up in the store: together with whoever asks for the same just now, along with what was invalidated, and no longer to be
 * relied on when something newer was written meanwhile.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { Address, EntryReader } from './entry-reader.ts'
import type { HotCopy } from './hot-copy.ts'
import type { HotTier } from './hot-tier.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'

/** A look-up that is under way. */
interface Lookup {
  readonly held: Promise<HotCopy | undefined>
  /** Whether the entry was written or removed meanwhile, so that what it finds may be older. */
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

/** Look-ups in the store. What they find, memory takes in. */
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

  /** The entries at `addresses`, in their order, by one read of the store at the most. Never throws. */
  async get(addresses: readonly Address[]): Promise<(HotCopy | undefined)[]> {
    const fresh = addresses.filter(({ storeKey }) => !this.#underWay.has(storeKey))
    if (fresh.length > 0) this.#begin(fresh)
    return Promise.all(addresses.map(async ({ storeKey }) => this.#underWay.get(storeKey)?.held))
  }

  /** The entry at `storeKey` was written or removed: what is being looked up may be older. */
  overtake(storeKey: string): void {
    const lookup = this.#underWay.get(storeKey)
    if (lookup === undefined) return
    lookup.overtaken = true
    this.#underWay.delete(storeKey)
  }

  #begin(addresses: readonly Address[]): void {
    const due = this.#invalidations.due([...new Set(addresses.flatMap((address) => [...address.labels, ...this.#heldLabels(address)]))])
    const stored = addresses.map(({ storeKey }) => storeKey)
    const values = this.#shared.read(stored, due.keys)
    const learnt = values.then((read) => {
      if (read !== undefined) due.take(read.slice(addresses.length))
      return read
    })
    addresses.forEach((address, index) => {
      const held = learnt
        .then((read) => (read === undefined ? undefined : this.#read(address, read[index], lookup)))
        .finally(() => {
          if (this.#underWay.get(address.storeKey) === lookup) this.#underWay.delete(address.storeKey)
        })
      const lookup: Lookup = { held, overtaken: false }
      this.#underWay.set(address.storeKey, lookup)
    })
  }

  async #read(address: Address, bytes: Uint8Array | undefined, lookup: Lookup): Promise<HotCopy | undefined> {
    const now = this.#clock.now()
    const heldAt = this.#clock.monotonic()
    const entry = this.#reader.read(address, bytes, now)
    if (!lookup.overtaken && this.#isConfirmed(address, bytes, entry, heldAt)) return undefined
    if (entry === undefined || !(await this.#invalidations.isKnownCurrent(entry.head.generations))) return undefined
    // An entry from a clock that is ahead of ours is as good as new.
    const held = { entry, heldAt, ageThen: Math.max(0, now - entry.head.storedAt), checkedAt: heldAt }
    if (!lookup.overtaken) this.#hot.put(address.storeKey, held)
    return held
  }

  /** The labels of what memory holds, which may have been filled under others than it is asked for under now. */
  #heldLabels({ storeKey }: Address): string[] {
    return Object.keys(this.#hot.peek(storeKey)?.entry.head.generations ?? {})
  }

  /** Compares what memory holds with what the store has now. @returns whether the copy in memory is to be served on */
  #isConfirmed({ storeKey }: Address, bytes: Uint8Array | undefined, entry: Entry | undefined, now: number): boolean {
    const held = this.#hot.peek(storeKey)
    if (held === undefined) return false
    if (bytes === undefined) {
      // It was removed there, or it ended.
      this.#hot.delete(storeKey)
      return false
    }
    // What cannot be read is no reason to part with what can, nor is what is older: the newer one's write was lost.
    if (entry !== undefined && entry.head.storedAt > held.entry.head.storedAt) return false
    held.checkedAt = now
    return true
  }
}

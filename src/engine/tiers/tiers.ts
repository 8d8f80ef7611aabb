/**
 * The tiers: hot memory in front, the store behind. Entries are looked up in both, checked, kept and removed.
 * @module
 */
import type { Source } from '../../call.ts'
import type { Clock } from '../../clock.ts'
import { runtimeCompression } from '../../codec/compression.ts'
import { createEntryCodec, type EntryCodec } from '../../codec/entry-codec.ts'
import type { Entry } from '../../entry.ts'
import type { EventEmitter } from '../../events.ts'
import { type Address, EntryReader } from './entry-reader.ts'
import type { LookupResult } from '../../lookup-result.ts'
import type { GenerationSnapshot } from '../invalidation/generations.ts'
import { ageOf, type HotCopy } from './hot-copy.ts'
import { HotTier, sizeOf } from './hot-tier.ts'
import { Invalidations } from '../invalidation/invalidations.ts'
import { Leases } from '../shared-store/leases.ts'
import { Lookups } from './lookups.ts'
import type { Logger } from '../settings/logger.ts'
import { InvalidationBus, type InvalidationListener } from '../shared-store/bus.ts'
import type { Settings } from '../settings/options.ts'
import { Tombstones } from '../invalidation/tombstones.ts'
import { SharedStore } from '../shared-store/shared-store.ts'

/** What was in force when a call began, to be compared with when its answer arrives. */
export interface InvalidationSnapshot extends GenerationSnapshot {
  /** How many entries had been removed by their keys until then. */
  readonly removals: number
}

/** What the tiers need of the cache they belong to. */
export interface TiersOptions {
  readonly settings: Settings
  readonly events: EventEmitter
  readonly logger: Logger
  /** Whether the user wants to store an answer that the endpoint has this reason against. Must not throw. */
  readonly allows: (entry: Entry, reason: string) => boolean
}

/** Hot memory in front, the store behind. */
export class Tiers {
  /** Who asks the origin, among the processes over one store; `undefined` where each asks for itself. */
  readonly leases: Leases | undefined
  readonly #clock: Clock
  readonly #codec: EntryCodec
  readonly #reader: EntryReader
  readonly #hot: HotTier
  readonly #shared: SharedStore | undefined
  readonly #invalidations: Invalidations
  readonly #lookups: Lookups | undefined
  readonly #tombstones = new Tombstones()
  readonly #bus: InvalidationBus | undefined

  constructor(options: TiersOptions) {
    const { settings, events, logger } = options
    const { clock, store, readDeadline, namespace, invalidationDelay } = settings
    this.#clock = clock
    this.#codec = createEntryCodec({
      compressAbove: settings.compressAbove,
      maxBodyBytes: settings.maxEntryBytes,
      encryption: settings.encryption,
      compression: runtimeCompression(async () => (await import('../../codec/fflate-compression.ts')).fflateCompression),
    })
    this.#reader = new EntryReader(this.#codec, events, options.allows)
    this.#hot = new HotTier({
      clock,
      maxBytes: settings.maxMemoryBytes,
      maxTtl: settings.maxMemoryTtl,
      onEvict: (key) => events.emit('evict', { key }),
    })
    if (store !== undefined) this.#shared = new SharedStore({ store, clock, logger, events, readDeadline })
    this.#invalidations = new Invalidations(clock, this.#shared, namespace, invalidationDelay, async (generationKey, generation) =>
      this.#bus?.declared(generationKey, generation),
    )
    if (store === undefined || this.#shared === undefined) return
    const { leaseTtl, sharedFlights } = settings
    this.#lookups = new Lookups({ clock, shared: this.#shared, hot: this.#hot, reader: this.#reader, invalidations: this.#invalidations })
    this.#bus = new InvalidationBus({ store, clock, events, namespace }, this.#busReader())
    if (sharedFlights) this.leases = new Leases(this.#shared, clock, namespace, leaseTtl)
  }

  /** The entry at `address` when memory holds it and nobody need be asked whether it is good; else {@link Tiers.find} may know of one. */
  getFromMemory(address: Address): LookupResult | undefined {
    const held = this.#held(address)
    return held !== undefined && this.#invalidations.isCurrentWithoutRead(held.entry.head.generations)
      ? this.#found(held, 'memory')
      : undefined
  }

  /** The entry at `address`, or `undefined`. Never throws, and waits for the store no longer than its deadline. */
  async get(address: Address): Promise<LookupResult | undefined> {
    const held = await this.#recall(address)
    if (held !== undefined) return this.#found(held, 'memory')
    // A copy that the store could not be asked about is still better than none.
    return this.#lookups === undefined ? undefined : ((await this.#lookUp(this.#lookups, [address]))[0] ?? this.peek(address))
  }

  /** What memory holds at this moment: for one who looked the entry up and is about to make it, as it may have come in meanwhile. */
  peek({ storeKey }: Address): LookupResult | undefined {
    const held = this.#hot.peek(storeKey)
    return held !== undefined && this.#invalidations.matches(held.entry.head.generations) ? this.#found(held, 'memory') : undefined
  }

  /** The entries at `addresses`, in their order, with one read of the store for all that memory does not hold. */
  async getMany(addresses: readonly Address[]): Promise<(LookupResult | undefined)[]> {
    const found = await Promise.all(
      addresses.map(async (address) => {
        const held = await this.#recall(address)
        return held === undefined ? undefined : this.#found(held, 'memory')
      }),
    )
    const missing = addresses.filter((_, index) => found[index] === undefined)
    if (this.#lookups === undefined || missing.length === 0) return found
    const late = (await this.#lookUp(this.#lookups, missing)).values()
    return found.map((each, index) => {
      const address = addresses[index]
      return each ?? late.next().value ?? (address && this.peek(address))
    })
  }

  /**
   * Asks the store what was invalidated, where that is not known of late. Needed before {@link Tiers.begin} by who did not look up first:
   * an entry that does not know of an earlier invalidation would be taken for outdated by it.
   */
  async refresh({ labels }: Address): Promise<void> {
    await this.#invalidations.refresh(labels)
  }

  /** What is in force now, for a call that begins to fill `address`. */
  snapshot({ labels }: Address): InvalidationSnapshot {
    return { ...this.#invalidations.snapshot(labels), removals: this.#tombstones.count }
  }

  /** Puts an entry into both tiers. @returns whether it did: not when its labels were invalidated since the snapshot */
  put(address: Address, entry: Entry, snapshot: InvalidationSnapshot): boolean {
    const { storeKey: key } = address
    if (this.#invalidations.isInvalidatedSince(address.labels, snapshot) || this.#tombstones.since(key, snapshot.removals)) return false
    this.#lookups?.overtake(key)
    const heldAt = this.#clock.monotonic()
    this.#hot.put(key, { entry, heldAt, ageThen: 0, checkedAt: heldAt })
    if (this.#reader.isForeign(key)) return true
    const { ttl, stale } = entry.head
    const left = (): number => Math.ceil(ttl + stale - (this.#clock.monotonic() - heldAt))
    this.#shared?.write({
      key,
      bytes: sizeOf(entry),
      make: () => ({ key, value: this.#codec.encode(entry), ttl: Math.max(1, left()) }),
      isOver: () => left() <= 0,
    })
    return true
  }

  /** Declares everything under `label` outdated. @returns whether every tier knows of it now */
  invalidate(label: string): Promise<boolean> {
    return this.#invalidations.declare(label)
  }

  /** Removes one entry from every tier. @returns whether every tier did so */
  async remove(storeKey: string): Promise<boolean> {
    this.#forget(storeKey)
    this.#tombstones.note(storeKey)
    if (this.#shared === undefined) return true
    const removed = await this.#shared.delete(storeKey)
    // Who looked it up while it was being removed may have found it.
    this.#forget(storeKey)
    if (removed) await this.#bus?.removed(storeKey)
    return removed
  }

  /**
   * The keys in all tiers that begin with `prefix`.
   * @throws {StoreError} when the store cannot list its keys
   */
  async keys(prefix: string): Promise<Set<string>> {
    const keys = new Set(this.#hot.keys().filter((key) => key.startsWith(prefix)))
    for (const key of (await this.#shared?.keys(prefix)) ?? []) keys.add(key)
    return keys
  }

  /** Bytes and entries in the hot memory now. */
  memory(): { readonly bytes: number; readonly entries: number } {
    return this.#hot.size()
  }

  /** Resolves when all writes were passed to the store. */
  async flush(): Promise<void> {
    await this.#shared?.flush()
  }

  /** Writes what waits and lets go of the store. Calls go on, from the origin and memory. */
  async close(): Promise<void> {
    await Promise.all([this.#bus?.close(), this.#shared?.close()])
  }

  /** What memory holds at `address`, when it is still good and the store need not be asked whether it has something newer. */
  async #recall(address: Address): Promise<HotCopy | undefined> {
    const { storeKey } = address
    const held = this.#held(address)
    if (held === undefined) return undefined
    const { generations } = held.entry.head
    if (this.#invalidations.matches(generations) && (await this.#invalidations.isCurrent(generations))) return held
    if (this.#hot.peek(storeKey) === held) this.#hot.delete(storeKey)
    return undefined
  }

  /** What memory holds at `address`, when the store need not be asked whether it has something newer. */
  #held({ storeKey }: Address): HotCopy | undefined {
    const held = this.#hot.get(storeKey)
    if (held === undefined || this.#shared === undefined) return held
    // What was invalidated is asked along with the entry, so that a store that does not answer is waited for once; nor is
    // it asked what is known already.
    return this.#hot.isDue(held) ? undefined : held
  }

  #busReader(): InvalidationListener {
    return {
      declared: (generationKey, generation) => this.#invalidations.onDeclared(generationKey, generation),
      removed: (storeKey) => {
        this.#forget(storeKey)
        this.#tombstones.note(storeKey)
      },
      missed: () => {
        this.#invalidations.mustRevalidate()
        this.#hot.mustRevalidate()
      },
    }
  }

  #forget(storeKey: string): void {
    this.#lookups?.overtake(storeKey)
    this.#hot.delete(storeKey)
  }

  async #lookUp(lookups: Lookups, addresses: readonly Address[]): Promise<(LookupResult | undefined)[]> {
    const held = await lookups.get(addresses)
    return held.map((each) => (each === undefined ? undefined : this.#found(each, this.#shared?.name ?? '')))
  }

  #found(held: HotCopy, source: Source): LookupResult {
    const age = ageOf(held, this.#clock.monotonic())
    return { entry: held.entry, source, age, freshFor: held.entry.head.ttl - age }
  }
}

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
import { Contents } from './contents.ts'
import { type Checked, CopyChecks } from './copy-checks.ts'
import { ageOf, type HotCopy } from './hot-copy.ts'
import { HotTier, sizeOf } from './hot-tier.ts'
import type { InvalidationSnapshot } from './invalidation-snapshot.ts'
import { Invalidations } from '../invalidation/invalidations.ts'
import { toldCodec } from './told-codec.ts'
import { bears, OtherLabels, union } from './other-labels.ts'
import { Leases } from '../shared-store/leases.ts'
import { Lookups, type Wanted } from './lookups.ts'
import type { Logger } from '../settings/logger.ts'
import { InvalidationBus, type InvalidationListener } from '../shared-store/bus.ts'
import type { Settings } from '../settings/options.ts'
import { Removals } from './removals.ts'
import { tierStore } from './tier-store.ts'
import { type ReadFailure, SharedStore } from '../shared-store/shared-store.ts'

/** What became of an entry: memory keeps it, only the store is to, nothing can, or its labels were invalidated since the snapshot. */
export type PutResult = 'kept' | 'queued' | 'no room' | 'invalidated'

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
  /** Which process calls the provider, among all over one store; `undefined` if each calls for itself. */
  readonly leases: Leases | undefined
  /** What is in the tiers, entry by entry. */
  readonly contents: Contents
  /** Removals of single entries. */
  readonly removals: Removals
  readonly #clock: Clock
  readonly #codec: EntryCodec
  readonly #reader: EntryReader
  readonly #hot: HotTier
  readonly #shared: SharedStore | undefined
  readonly #invalidations: Invalidations
  readonly #lookups: Lookups | undefined
  readonly #copies: CopyChecks
  readonly #otherLabels = new OtherLabels()
  readonly #bus: InvalidationBus | undefined

  constructor(options: TiersOptions) {
    const { settings, events, logger } = options
    const { clock, readDeadline, firstReadDeadline, namespace, invalidationDelay } = settings
    this.#clock = clock
    const compression = runtimeCompression(async () => (await import('../../codec/fflate-compression.ts')).fflateCompression)
    const codec = createEntryCodec({
      compressAbove: settings.compressAbove,
      compressionLevel: settings.compressionLevel,
      maxBodyBytes: settings.maxEntryBytes,
      encryption: settings.encryption,
      compression,
    })
    this.#codec = toldCodec(codec, events, clock)
    const store = tierStore({ settings, codec: this.#codec, events })
    this.#reader = new EntryReader({ codec: this.#codec, namespace, events, allows: options.allows })
    const { maxMemoryBytes: maxBytes, maxMemoryEntries: maxEntries, maxMemoryTtl: maxTtl } = settings
    this.#hot = new HotTier({ clock, maxBytes, maxEntries, maxTtl, events })
    if (store !== undefined) this.#shared = new SharedStore({ store, clock, logger, events, readDeadline, firstReadDeadline })
    this.#invalidations = new Invalidations({
      clock,
      shared: this.#shared,
      namespace,
      delay: invalidationDelay,
      onRemovals: () => this.removals.learn(),
      onFault: (error) => events.emit('error', { doing: 'entry', error }),
      onWritten: async (generationKey, generation) => this.#bus?.declared(generationKey, generation),
    })
    this.removals = new Removals({
      clock,
      hot: this.#hot,
      shared: this.#shared,
      invalidations: this.#invalidations,
      overtake: (storeKey) => this.#lookups?.overtake(storeKey),
      bus: () => this.#bus,
    })
    this.contents = new Contents({
      clock,
      hot: this.#hot,
      shared: this.#shared,
      codec: this.#codec,
      invalidations: this.#invalidations,
      ready: () => compression.ready(),
    })
    this.#copies = new CopyChecks({
      clock,
      hot: this.#hot,
      invalidations: this.#invalidations,
      hasStore: store !== undefined,
      requiresStore: settings.requireStore && store !== undefined,
    })
    if (store === undefined || this.#shared === undefined) return
    const { leaseTtl, sharedFlights } = settings
    this.#lookups = new Lookups({
      clock,
      shared: this.#shared,
      hot: this.#hot,
      reader: this.#reader,
      invalidations: this.#invalidations,
      removals: this.removals,
      ready: () => compression.ready(),
    })
    this.#bus = new InvalidationBus({ store, clock, events, namespace }, this.#busReader())
    if (sharedFlights) this.leases = new Leases({ shared: this.#shared, clock, namespace, ttl: leaseTtl })
  }

  /** Counts the entries that memory took in. While it stays the same, another look into memory finds nothing newer. */
  get changes(): number {
    return this.#hot.puts
  }

  /** The entry at `address` if memory has it and the store need not be asked about it. Looks into memory once. */
  getFromMemory(address: Address): LookupResult | undefined {
    // To read the clock takes as long as to look into memory, so a hit does it once.
    const now = this.#clock.monotonic()
    const held = this.#hot.get(address.storeKey, now)
    return held !== undefined && this.#copies.isServable(held, address, now) ? this.#found(held, 'memory', now) : undefined
  }

  /**
   * The entry at `address`, or `undefined`. A promise only if the store must be asked. Never rejects, and takes no longer than one read
   * deadline. Looks into memory once.
   * @param patience milliseconds that a read of the store may take beyond that
   */
  get(address: Address, patience = 0): LookupResult | undefined | Promise<LookupResult | undefined> {
    const now = this.#clock.monotonic()
    const held = this.#hot.get(address.storeKey, now)
    if (held !== undefined && this.#copies.isServable(held, address, now)) return this.#found(held, 'memory', now)
    if (this.#lookups !== undefined) return this.#getOne(this.#lookups, { address, held }, patience)
    // Without a store a copy is not servable only if it was invalidated, or lacks a label of the call.
    if (held === undefined || this.#invalidations.matches(held.entry.head.generations)) return held && this.#served(address, held)
    this.#hot.delete(address.storeKey)
    return undefined
  }

  /** Notes from now on whether a read of the store fails. @returns a function that says how, or `undefined` if none did */
  watchReads(): () => ReadFailure | undefined {
    return this.#shared?.watchReads() ?? (() => undefined)
  }

  /** What memory has at `address` now, for a call that looked it up before: it may have come in meanwhile. */
  peek(address: Address): LookupResult | undefined {
    const held = this.#hot.peek(address.storeKey)
    return held !== undefined && this.#copies.isGood(held) ? this.#served(address, held) : undefined
  }

  /** The entries at `addresses`, in their order, with one read of the store for all that memory does not have. */
  async getMany(addresses: readonly Address[], patience = 0): Promise<(LookupResult | undefined)[]> {
    const lookups = this.#lookups
    if (lookups === undefined) return Promise.all(addresses.map(async (address) => this.get(address)))
    const wanted = addresses.map((address) => ({ address, held: this.#hot.get(address.storeKey) }))
    return this.#getMany(lookups, wanted, patience)
  }

  /**
   * Asks the store what was invalidated, unless that was read a short while ago. A call that stores without a look-up needs this before
   * {@link Tiers.snapshot}: an entry that does not know of an earlier invalidation would count as outdated by it.
   */
  async refresh({ labels, storeKey }: Address): Promise<void> {
    await this.#invalidations.refresh(labels, [storeKey])
  }

  /** What is in force now, for a call that begins to fill `address`. */
  snapshot({ labels, storeKey }: Address): InvalidationSnapshot {
    const others = this.#otherLabels.of(storeKey)
    const { sequence, generations } = this.#invalidations.snapshot(union(labels, others.labels), storeKey)
    const isCurrent = (): boolean => this.#invalidations.isCurrentWithoutRead(generations)
    return { sequence, generations, removals: this.removals.count, otherTags: others.tags, isCurrent }
  }

  /**
   * Puts an entry into both tiers.
   * @param settled called with whether the store took the entry, and whether memory has it
   */
  put(address: Address, entry: Entry, snapshot: InvalidationSnapshot, settled?: (written: boolean, isHeld: boolean) => void): PutResult {
    const { storeKey: key } = address
    const labels = Object.keys(snapshot.generations)
    if (this.#invalidations.isInvalidatedSince(labels, snapshot) || this.removals.outdates(key, snapshot.removals)) return 'invalidated'
    this.#otherLabels.delete(key)
    this.#lookups?.overtake(key)
    const heldAt = this.#clock.monotonic()
    const isHeld = this.#hot.put(key, { entry, heldAt, ageThen: 0, checkedAt: heldAt })
    if (this.#shared === undefined || this.#reader.isForeign(key)) return isHeld ? 'kept' : 'no room'
    const { ttl, stale } = entry.head
    const left = (): number => Math.ceil(ttl + stale - (this.#clock.monotonic() - heldAt))
    const write = {
      key,
      bytes: sizeOf(entry),
      make: () => ({ key, value: this.#codec.encode(this.#asStored(entry)), ttl: Math.max(1, left()) }),
      isOver: () => left() <= 0,
      settled: (written: boolean) => settled?.(written, isHeld),
    }
    this.#shared.write(write, this.#invalidations.areStored(entry.head.generations))
    return isHeld ? 'kept' : 'queued'
  }

  /** Declares everything under `label` outdated. @returns whether every tier knows of it now */
  invalidate(label: string): Promise<boolean> {
    return this.#invalidations.declare(label)
  }

  /** The store, if it adds up numbers for several processes. */
  get sums(): Pick<SharedStore, 'add'> | undefined {
    return this.#shared?.canAdd === true ? this.#shared : undefined
  }

  /** Bytes and entries in the hot memory now, and the bound of the bytes. */
  memory(): ReturnType<HotTier['size']> {
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

  /** An entry with the generations that the store has for its labels. */
  #asStored({ head, body }: Entry): Entry {
    return { head: { ...head, generations: this.#invalidations.stored(head.generations) }, body }
  }

  async #getOne(lookups: Lookups, wanted: Wanted, patience: number): Promise<LookupResult | undefined> {
    const { changes } = this
    // A read that began later has more time left.
    const begun = this.#clock.monotonic() + patience
    const checking = this.#copies.checked(wanted)
    const isRead = checking instanceof Promise
    const checked = isRead ? await checking : checking
    // One deadline holds for both reads of a call.
    const copy = checked.isCurrent ? checked.held : await lookups.get(checked, isRead || patience > 0 ? begun : undefined)
    return this.#outcome(checked, copy, changes)
  }

  async #getMany(lookups: Lookups, wanted: readonly Wanted[], patience: number): Promise<(LookupResult | undefined)[]> {
    const { changes } = this
    const begun = this.#clock.monotonic() + patience
    const checked = wanted.map((each) => this.#copies.checked(each))
    const known = checked.filter((each): each is Checked => !(each instanceof Promise))
    const isRead = known.length < checked.length
    const recalled = isRead ? await Promise.all(checked.map(async (each) => each)) : known
    const missing = recalled.filter(({ isCurrent }) => !isCurrent)
    const copies = (missing.length === 0 ? [] : await lookups.getMany(missing, isRead || patience > 0 ? begun : undefined)).values()
    return recalled.map((each) => this.#outcome(each, each.isCurrent ? each.held : copies.next().value, changes))
  }

  /** What was found. @param changes from before the look-up */
  #outcome({ address, held }: Wanted, copy: HotCopy | undefined, changes: number): LookupResult | undefined {
    if (copy !== undefined) return this.#served(address, copy, copy === held ? 'memory' : this.#shared?.name)
    // A copy that the store could not be asked about is better than none.
    return held === undefined && this.changes === changes ? undefined : this.peek(address)
  }

  #busReader(): InvalidationListener {
    return {
      declared: (generationKey, generation) => this.#invalidations.onDeclared(generationKey, generation),
      removed: (storeKey) => this.removals.hear(storeKey),
      missed: () => {
        this.#invalidations.mustRevalidate()
        this.#hot.mustRevalidate()
      },
    }
  }

  /** What this copy is to a call: nothing if it lacks a label of the call, as an invalidation of that label would not have reached it. */
  #served({ storeKey, labels }: Address, held: HotCopy, source?: Source): LookupResult | undefined {
    if (bears(held.entry, labels)) return this.#found(held, source)
    this.#otherLabels.note(storeKey, held.entry)
    return undefined
  }

  #found(held: HotCopy, source: Source = 'memory', now = this.#clock.monotonic()): LookupResult {
    const age = ageOf(held, now)
    return { entry: held.entry, source, age, freshFor: held.entry.head.ttl - age }
  }
}

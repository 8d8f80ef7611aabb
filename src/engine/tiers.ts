/**
 * The tiers: hot memory in front, the store behind. Entries are looked up in both, checked, kept and removed.
 * @module
 */
import type { Source } from '../call.ts'
import type { Clock } from '../clock.ts'
import { runtimeCompression } from '../codec/compression.ts'
import { createEntryCodec, type EntryCodec } from '../codec/entry-codec.ts'
import type { Entry } from '../entry.ts'
import type { EventEmitter } from '../events.ts'
import { BoundedMemory } from '../stores/memory.ts'
import { type Address, EntryReader } from './entry-reader.ts'
import type { Found } from './found.ts'
import type { Standing } from './generations.ts'
import { ageOf, type HotCopy, isDue } from './hot-copy.ts'
import { Invalidations } from './invalidations.ts'
import { Leases } from './leases.ts'
import type { Logger } from './logger.ts'
import { News, type NewsReader } from './news.ts'
import type { Settings } from './options.ts'
import { Removals } from './removals.ts'
import { SharedTier } from './shared-tier.ts'

/** What was in force when a call began, to be compared with when its answer arrives. */
export interface Beginning extends Standing {
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

/** A look-up in the store that is under way. */
interface Lookup {
  readonly held: Promise<HotCopy | undefined>
  /** Whether the entry was written or removed meanwhile, so that what it finds may be older. */
  overtaken: boolean
}

/** Hot memory in front, the store behind. */
export class Tiers {
  /** Who asks the origin, among the processes over one store; `undefined` where each asks for itself. */
  readonly leases: Leases | undefined
  readonly #clock: Clock
  readonly #codec: EntryCodec
  readonly #reader: EntryReader
  readonly #memory: BoundedMemory<HotCopy> | undefined
  readonly #shared: SharedTier | undefined
  readonly #invalidations: Invalidations
  /** Milliseconds for which a copy in memory is served without asking the store. */
  readonly #maxMemoryTtl: number
  readonly #lookups = new Map<string, Lookup>()
  readonly #removals = new Removals()
  readonly #news: News | undefined
  /** What memory held before then may have been removed by others unheard. */
  #doubtedAt = -Infinity

  constructor(options: TiersOptions) {
    const { settings, events, logger } = options
    const { clock, store, readDeadline, namespace, invalidationDelay } = settings
    this.#clock = clock
    this.#maxMemoryTtl = settings.maxMemoryTtl
    this.#codec = createEntryCodec({
      compressAbove: settings.compressAbove,
      maxBodyBytes: settings.maxEntryBytes,
      encryption: settings.encryption,
      compression: runtimeCompression(async () => (await import('../codec/fflate-compression.ts')).fflateCompression),
    })
    this.#reader = new EntryReader(this.#codec, events, options.allows)
    if (settings.maxMemoryBytes > 0) {
      const onEvict = (_: string, { entry }: HotCopy): void => events.emit('evict', { key: entry.head.key })
      this.#memory = new BoundedMemory<HotCopy>({ maxBytes: settings.maxMemoryBytes, clock, onEvict })
    }
    if (store !== undefined) this.#shared = new SharedTier({ store, clock, logger, events, readDeadline })
    this.#invalidations = new Invalidations(clock, this.#shared, namespace, invalidationDelay, async (mark, generation) =>
      this.#news?.declared(mark, generation),
    )
    if (store !== undefined) this.#news = new News({ store, clock, events, namespace }, this.#newsReader())
    if (this.#shared !== undefined && settings.sharedFlights) this.leases = new Leases(this.#shared, clock, settings.leaseTtl)
  }

  /** The entry at `address` when memory holds it and nobody need be asked whether it is good; else {@link Tiers.find} may know of one. */
  recall(address: Address): Found | undefined {
    const held = this.#held(address)
    return held !== undefined && this.#invalidations.isSurelyGood(held.entry.head.generations) ? this.#found(held, 'memory') : undefined
  }

  /** The entry at `address`, or `undefined`. Never throws, and waits for the store no longer than its deadline. */
  async find(address: Address): Promise<Found | undefined> {
    const held = await this.#recall(address)
    if (held !== undefined) return this.#found(held, 'memory')
    // A copy that the store could not be asked about is still better than none.
    return this.#shared === undefined ? undefined : ((await this.#askStore(this.#shared, [address]))[0] ?? this.landed(address))
  }

  /** What memory holds at this moment: for one who looked the entry up and is about to make it, as it may have come in meanwhile. */
  landed({ storeKey }: Address): Found | undefined {
    const held = this.#memory?.peek(storeKey)
    return held !== undefined && this.#invalidations.agree(held.entry.head.generations) ? this.#found(held, 'memory') : undefined
  }

  /** The entries at `addresses`, in their order, with one read of the store for all that memory does not hold. */
  async findAll(addresses: readonly Address[]): Promise<(Found | undefined)[]> {
    const found = await Promise.all(
      addresses.map(async (address) => {
        const held = await this.#recall(address)
        return held === undefined ? undefined : this.#found(held, 'memory')
      }),
    )
    const missing = addresses.filter((_, index) => found[index] === undefined)
    if (this.#shared === undefined || missing.length === 0) return found
    const late = (await this.#askStore(this.#shared, missing)).values()
    return found.map((each, index) => {
      const address = addresses[index]
      return each ?? late.next().value ?? (address && this.landed(address))
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
  begin({ labels }: Address): Beginning {
    return { ...this.#invalidations.begin(labels), removals: this.#removals.count }
  }

  /** Puts an entry into both tiers. @returns whether it did: not when its labels were invalidated since the beginning */
  keep(address: Address, entry: Entry, beginning: Beginning): boolean {
    const { storeKey: key } = address
    if (this.#invalidations.overtook(address.labels, beginning) || this.#removals.since(key, beginning.removals)) return false
    this.#overtake(key)
    const heldAt = this.#clock.monotonic()
    this.#hold(key, { entry, heldAt, ageThen: 0, checkedAt: heldAt })
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
    this.#removals.note(storeKey)
    if (this.#shared === undefined) return true
    const removed = await this.#shared.delete(storeKey)
    // Who looked it up while it was being removed may have found it.
    this.#forget(storeKey)
    if (removed) await this.#news?.removed(storeKey)
    return removed
  }

  /**
   * The keys in all tiers that begin with `prefix`.
   * @throws {StoreError} when the store cannot list its keys
   */
  async keys(prefix: string): Promise<Set<string>> {
    const keys = new Set(this.#memory?.keys().filter((key) => key.startsWith(prefix)))
    for (const key of (await this.#shared?.keys(prefix)) ?? []) keys.add(key)
    return keys
  }

  /** Bytes and entries in the hot memory now. */
  memory(): { readonly bytes: number; readonly entries: number } {
    return { bytes: this.#memory?.bytes ?? 0, entries: this.#memory?.count ?? 0 }
  }

  /** Resolves when all writes were handed to the store. */
  async flush(): Promise<void> {
    await this.#shared?.flush()
  }

  /** Writes what waits and lets go of the store. Calls go on, from the origin and memory. */
  async close(): Promise<void> {
    this.#news?.close()
    await this.#shared?.close()
  }

  /** What memory holds at `address`, when it is still good and the store need not be asked whether it has something newer. */
  async #recall(address: Address): Promise<HotCopy | undefined> {
    const { storeKey } = address
    const held = this.#held(address)
    if (held === undefined) return undefined
    const { generations } = held.entry.head
    if (this.#invalidations.agree(generations) && (await this.#invalidations.isGood(generations))) return held
    if (this.#memory?.peek(storeKey) === held) this.#memory.delete(storeKey)
    return undefined
  }

  /** What memory holds at `address`, when the store need not be asked whether it has something newer. */
  #held({ storeKey }: Address): HotCopy | undefined {
    const held = this.#memory?.get(storeKey)
    if (held === undefined || this.#shared === undefined) return held
    // What was invalidated is asked along with the entry, so that a store that does not answer is waited for once; nor is
    // it asked what is known already.
    return isDue(held, this.#clock.monotonic(), this.#maxMemoryTtl, this.#doubtedAt) ? undefined : held
  }

  /** Looks up in the store, together with whoever asks it for the same just now. */
  async #askStore(shared: SharedTier, addresses: readonly Address[]): Promise<(Found | undefined)[]> {
    const fresh = addresses.filter(({ storeKey }) => !this.#lookups.has(storeKey))
    if (fresh.length > 0) this.#beginLookup(shared, fresh)
    const read = await Promise.all(addresses.map(async ({ storeKey }) => this.#lookups.get(storeKey)?.held))
    return read.map((held) => (held === undefined ? undefined : this.#found(held, shared.name)))
  }

  #beginLookup(shared: SharedTier, addresses: readonly Address[]): void {
    const due = this.#invalidations.due([...new Set(addresses.flatMap((address) => [...address.labels, ...this.#heldLabels(address)]))])
    const stored = addresses.map(({ storeKey }) => storeKey)
    const values = shared.read(stored, due.keys)
    const learnt = values.then((read) => {
      if (read !== undefined) due.take(read.slice(addresses.length))
      return read
    })
    addresses.forEach((address, index) => {
      const held = learnt
        .then((read) => (read === undefined ? undefined : this.#read(address, read[index], lookup)))
        .finally(() => {
          if (this.#lookups.get(address.storeKey) === lookup) this.#lookups.delete(address.storeKey)
        })
      const lookup: Lookup = { held, overtaken: false }
      this.#lookups.set(address.storeKey, lookup)
    })
  }

  async #read(address: Address, bytes: Uint8Array | undefined, lookup: Lookup): Promise<HotCopy | undefined> {
    const now = this.#clock.now()
    const heldAt = this.#clock.monotonic()
    const entry = this.#reader.read(address, bytes, now)
    if (!lookup.overtaken && this.#isConfirmed(address, bytes, entry, heldAt)) return undefined
    if (entry === undefined || !(await this.#invalidations.isCertain(entry.head.generations))) return undefined
    // An entry from a clock that is ahead of ours is as good as new.
    const held = { entry, heldAt, ageThen: Math.max(0, now - entry.head.storedAt), checkedAt: heldAt }
    if (!lookup.overtaken) this.#hold(address.storeKey, held)
    return held
  }

  /** The labels of what memory holds, which may have been filled under others than it is asked for under now. */
  #heldLabels({ storeKey }: Address): string[] {
    return Object.keys(this.#memory?.peek(storeKey)?.entry.head.generations ?? {})
  }

  /** Compares what memory holds with what the store has now. @returns whether the copy in memory is to be served on */
  #isConfirmed({ storeKey }: Address, bytes: Uint8Array | undefined, entry: Entry | undefined, now: number): boolean {
    const held = this.#memory?.peek(storeKey)
    if (held === undefined) return false
    if (bytes === undefined) {
      // It was removed there, or it ended.
      this.#memory?.delete(storeKey)
      return false
    }
    // What cannot be read is no reason to part with what can, nor is what is older: the newer one's write was lost.
    if (entry !== undefined && entry.head.storedAt > held.entry.head.storedAt) return false
    held.checkedAt = now
    return true
  }

  #newsReader(): NewsReader {
    return {
      declared: (mark, generation) => this.#invalidations.hear(mark, generation),
      removed: (storeKey) => {
        this.#forget(storeKey)
        this.#removals.note(storeKey)
      },
      missed: () => {
        this.#invalidations.doubt()
        this.#doubtedAt = this.#clock.monotonic()
      },
    }
  }

  #forget(storeKey: string): void {
    this.#overtake(storeKey)
    this.#memory?.delete(storeKey)
  }

  #overtake(storeKey: string): void {
    const lookup = this.#lookups.get(storeKey)
    if (lookup === undefined) return
    lookup.overtaken = true
    this.#lookups.delete(storeKey)
  }

  #hold(storeKey: string, held: HotCopy): void {
    const { head } = held.entry
    this.#memory?.set(storeKey, held, { bytes: sizeOf(held.entry), ttl: head.ttl + head.stale - held.ageThen, owner: head.scope })
  }

  #found(held: HotCopy, source: Source): Found {
    const age = ageOf(held, this.#clock.monotonic())
    return { entry: held.entry, source, age, remaining: held.entry.head.ttl - age }
  }
}

/** What an entry takes in memory, estimated to the high side. */
function sizeOf({ head, body }: Entry): number {
  // Texts beyond ASCII may take two bytes a character; a head takes about a kilobyte with its objects.
  const bytes = typeof body === 'string' ? (Buffer.byteLength(body) === body.length ? body.length : 2 * body.length) : body.byteLength
  const texts = [...head.tags, ...Object.keys(head.generations)]
  return texts.reduce((sum, text) => sum + 2 * text.length + 50, bytes + 1_000)
}

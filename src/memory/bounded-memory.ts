/**
 * Memory with a limit in bytes, for the hot tier and for the memory store.
 *
 * Owners share one memory, and an owner that writes much must not push out the others. So the memory counts the bytes of each owner. An
 * owner with more than half of all bytes must evict its own entries to make room. Otherwise the least recently used entry of all is
 * evicted, so that one owner alone can use the whole memory.
 * @module
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { wholeNumber } from '../base/option-checks.ts'
import { type Used, UseOrder } from '../base/use-order.ts'

/** Options of a {@link BoundedMemory}. */
export interface BoundedMemoryOptions<Value> {
  /** Maximum bytes of all entries together, including keys and bookkeeping. */
  readonly maxBytes: number
  /** Maximum bytes of one entry, including its key and bookkeeping. @default maxBytes */
  readonly maxEntryBytes?: number
  /** Maximum number of entries. @default Infinity */
  readonly maxEntries?: number | undefined
  /** Its `monotonic()` measures the ages. */
  readonly clock: Clock
  /** Called for each entry that was removed to make room; not for entries that were overwritten, deleted or expired. Must not throw. */
  readonly onEvict?: (key: string, value: Value) => void
}

/**
 * Bytes of an entry besides its value and the characters of its key: the key's header, its places in the maps, and the columns of lru-cache
 * with their spare room. Measured on Node 24: 230 bytes, and 180 more for the first entry of an owner.
 */
const entryOverhead = 300

/**
 * lru-cache drops an entry when its age is *more* than its TTL; here an entry ends when its age *equals* its TTL.
 * A TTL that is one microsecond shorter turns one rule into the other. This is more than the rounding error of `monotonic()`.
 */
const microsecond = 0.001

/** For reads: an expired entry is deleted and not returned. */
const fresh = { allowStale: false }

/** The entries of one owner. */
interface Share<Value> {
  readonly owner: string
  bytes: number
  readonly entries: UseOrder<Kept<Value>>
}

/** An entry to add to what its owner holds. */
interface NewEntry<Value> {
  readonly owner: string
  readonly key: string
  readonly value: Value
  readonly bytes: number
}

interface Kept<Value> extends Used<Kept<Value>> {
  readonly key: string
  readonly value: Value
  readonly bytes: number
  readonly share: Share<Value>
}

/**
 * Keeps the most recently used values, within a limit in bytes. It has no timers: an expired entry is never returned, and is removed when
 * its room is needed.
 */
export class BoundedMemory<Value extends object> {
  readonly #entries: LRUCache<string, Kept<Value>>
  readonly #maxBytes: number
  readonly #maxEntryBytes: number
  readonly #maxEntries: number
  readonly #onEvict: BoundedMemoryOptions<Value>['onEvict']
  /** The time by which a read judges, if its caller has asked the clock. */
  #now: number | undefined
  readonly #shares = new Map<string, Share<Value>>()
  /** The last owner that was seen with more than half of the bytes. There is at most one. */
  #greatest: Share<Value> | undefined

  /** @throws {InvalidOptionError} when a number of bytes is not a positive whole number */
  constructor(options: BoundedMemoryOptions<Value>) {
    const { maxBytes, maxEntryBytes = maxBytes, maxEntries = Infinity, clock, onEvict } = options
    this.#maxEntries = maxEntries
    this.#maxBytes = wholeNumber('maxBytes', maxBytes, { least: 1, of: 'bytes' })
    this.#maxEntryBytes = Math.min(maxBytes, wholeNumber('maxEntryBytes', maxEntryBytes, { least: 1, of: 'bytes' }))
    this.#onEvict = onEvict
    const origin = clock.monotonic()
    this.#entries = new LRUCache<string, Kept<Value>>({
      maxSize: maxBytes,
      ttlResolution: 0,
      // Makes `rkeys` list expired entries too, so that they are evicted first.
      allowStale: true,
      // lru-cache takes an entry with start time 0 for one without a TTL, and a clock may start at 0.
      perf: { now: () => (this.#now ?? clock.monotonic()) - origin + 1 },
      dispose: (kept) => this.#removeFromShare(kept),
    })
  }

  /** Estimated bytes of all entries, rather too high than too low. Walks all entries to leave out expired ones. */
  get bytes(): number {
    this.#entries.purgeStale()
    return this.#entries.calculatedSize
  }

  /** Number of entries. Walks all entries to leave out expired ones. */
  get count(): number {
    this.#entries.purgeStale()
    return this.#entries.size
  }

  /**
   * The value under `key`, which becomes the most recently used.
   * @param now the clock's monotonic time, if the caller has just asked it
   */
  get(key: string, now?: number): Value | undefined {
    this.#now = now
    const kept = this.#entries.get(key, fresh)
    this.#now = undefined
    if (kept === undefined) return undefined
    kept.share.entries.use(kept)
    return kept.value
  }

  /** The value under `key`. Does not count as a use. */
  peek(key: string): Value | undefined {
    return this.#entries.peek(key, fresh)?.value
  }

  /**
   * Keeps `value` under `key` and replaces the former value.
   * @param size `bytes`: size of the value, without the key and bookkeeping. `ttl`: milliseconds. `owner`: the owner that the bytes count
   *   for; callers that give none share one owner.
   * @returns false when the value is too large or its TTL is already over; then `key` holds nothing. A value larger than half of the memory
   *   is also too large, if another owner has entries.
   */
  set(key: string, value: Value, size: { readonly bytes: number; readonly ttl: number; readonly owner?: string }): boolean {
    // Two bytes for each character, which is what a text beyond Latin-1 takes.
    const bytes = Math.ceil(size.bytes) + 2 * key.length + entryOverhead
    const { owner = '' } = size
    this.#entries.delete(key)
    if (!(size.bytes >= 0 && bytes <= this.#maxEntryBytes && size.ttl > microsecond)) return false
    const alone = this.#shares.size === (this.#shares.has(owner) ? 1 : 0)
    if (!alone && bytes > this.#maxBytes / 2) return false
    this.#makeRoom(bytes, owner)
    this.#entries.set(key, this.#addToShare({ owner, key, value, bytes }), { size: bytes, ttl: size.ttl - microsecond })
    return true
  }

  /** Removes the value under `key`. @returns whether there was one */
  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** Removes all entries. */
  clear(): void {
    this.#entries.clear()
  }

  /** The current keys, the most recently used first. A copy, so that a caller may delete entries while it loops. */
  keys(): string[] {
    this.#entries.purgeStale()
    return [...this.#entries.keys()]
  }

  #makeRoom(bytes: number, owner: string): void {
    while (this.#entries.calculatedSize + bytes > this.#maxBytes || this.#entries.size >= this.#maxEntries) {
      const [oldest] = this.#entries.rkeys()
      if (oldest === undefined) return
      if (this.#entries.getRemainingTTL(oldest) <= 0) this.#entries.delete(oldest)
      else this.#evict(this.#oldestToGiveWay(bytes, owner)?.key ?? oldest)
    }
  }

  /** The least recently used entry of an owner that has more than half, or of `owner` if `bytes` more would make it so. */
  #oldestToGiveWay(bytes: number, owner: string): Kept<Value> | undefined {
    const half = this.#maxBytes / 2
    if (this.#greatest !== undefined && this.#greatest.bytes > half) return this.#greatest.entries.oldest
    const own = this.#shares.get(owner)
    return own !== undefined && own.bytes + bytes > half ? own.entries.oldest : undefined
  }

  #evict(key: string): void {
    const kept = this.#entries.peek(key)
    this.#entries.delete(key)
    if (kept !== undefined) this.#onEvict?.(key, kept.value)
  }

  #addToShare({ owner, key, value, bytes }: NewEntry<Value>): Kept<Value> {
    const share = this.#shares.get(owner) ?? { owner, bytes: 0, entries: new UseOrder() }
    this.#shares.set(owner, share)
    share.bytes += bytes
    if (share.bytes > this.#maxBytes / 2) this.#greatest = share
    const kept = { key, value, bytes, share, older: undefined, newer: undefined }
    share.entries.add(kept)
    return kept
  }

  #removeFromShare(kept: Kept<Value>): void {
    const { share } = kept
    share.bytes -= kept.bytes
    share.entries.remove(kept)
    if (share.entries.oldest === undefined) this.#shares.delete(share.owner)
  }
}

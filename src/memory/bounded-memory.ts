/**
 * Memory with a bound in bytes, for the hot tier and for the store in memory.
 *
 * Who shares a memory must not be pushed out of it by one who floods it. So each entry is on somebody's account, and one who holds
 * more than half of all bytes makes room at his own expense. Up to half, and for one who is alone, it is the least recently used
 * entry of all that goes, as memory that lies idle on an account is of use to nobody.
 * @module
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { wholeNumber } from '../base/option-checks.ts'
import { type Used, UseOrder } from './use-order.ts'

/** How a {@link BoundedMemory} is made. */
export interface BoundedMemoryOptions<Value> {
  /** How many bytes all entries together may take, keys and bookkeeping included. */
  readonly maxBytes: number
  /** How many bytes one entry may take, its key and bookkeeping included. @default maxBytes */
  readonly maxEntryBytes?: number
  /** Ages are measured by its `monotonic()`. */
  readonly clock: Clock
  /** Is told of each entry that was removed to make room for another; not of those overwritten, deleted or expired. Must not throw. */
  readonly onEvict?: (key: string, value: Value) => void
}

/**
 * What an entry takes besides its value and the characters of its key: the key's header, its places in the maps, and the columns of
 * lru-cache, with the room that growing arrays keep ahead. 230 bytes were measured on Node 24, and 180 more for an owner's first entry.
 */
const entryOverhead = 300

/**
 * lru-cache calls an entry stale when its age is *more* than its TTL; here it is gone when its age *is* its TTL.
 * A microsecond less makes one of the other, and is more than the rounding of `monotonic()`.
 */
const microsecond = 0.001

/** For reads: what has expired is deleted and not returned. */
const fresh = { allowStale: false }

/** What one owner holds. */
interface Share<Value> {
  readonly owner: string
  bytes: number
  readonly entries: UseOrder<Kept<Value>>
}

interface Kept<Value> extends Used<Kept<Value>> {
  readonly key: string
  readonly value: Value
  readonly bytes: number
  readonly share: Share<Value>
}

/** The most recently used values, within a bound in bytes. Has no timers: what has expired is never returned, and goes when it is in the way. */
export class BoundedMemory<Value extends object> {
  readonly #entries: LRUCache<string, Kept<Value>>
  readonly #maxBytes: number
  readonly #maxEntryBytes: number
  readonly #onEvict: BoundedMemoryOptions<Value>['onEvict']
  readonly #shares = new Map<string, Share<Value>>()
  /** The owner who was last seen with more than half. There is never more than one. */
  #greatest: Share<Value> | undefined

  /** @throws {InvalidOptionError} when a number of bytes is not whole and positive */
  constructor(options: BoundedMemoryOptions<Value>) {
    const { maxBytes, maxEntryBytes = maxBytes, clock, onEvict } = options
    this.#maxBytes = wholeNumber('maxBytes', maxBytes, { least: 1, of: 'bytes' })
    this.#maxEntryBytes = Math.min(maxBytes, wholeNumber('maxEntryBytes', maxEntryBytes, { least: 1, of: 'bytes' }))
    this.#onEvict = onEvict
    const origin = clock.monotonic()
    this.#entries = new LRUCache<string, Kept<Value>>({
      maxSize: maxBytes,
      ttlResolution: 0,
      // So that `rkeys` also tells of what has expired: that goes before anything else.
      allowStale: true,
      // lru-cache takes an entry that began at 0 for one without a TTL, and a clock may well begin there.
      perf: { now: () => clock.monotonic() - origin + 1 },
      dispose: (kept) => this.#writeOff(kept),
    })
  }

  /** The bytes that the entries take by our count, which errs to the high side. Walks all entries to leave out the expired. */
  get bytes(): number {
    this.#entries.purgeStale()
    return this.#entries.calculatedSize
  }

  /** How many entries there are. Walks all entries to leave out the expired. */
  get count(): number {
    this.#entries.purgeStale()
    return this.#entries.size
  }

  /** The value under `key`, which becomes the most recently used. */
  get(key: string): Value | undefined {
    const kept = this.#entries.get(key, fresh)
    if (kept === undefined) return undefined
    kept.share.entries.use(kept)
    return kept.value
  }

  /** The value under `key`, without counting as a use. */
  peek(key: string): Value | undefined {
    return this.#entries.peek(key, fresh)?.value
  }

  /**
   * Keeps `value` under `key` in place of what was there.
   * @param size `bytes`: what the value takes; the key and our bookkeeping are added. `ttl`: milliseconds.
   * `owner`: on whose account it is, the same one for all who name none.
   * @returns false when the value is too large or its TTL is over already: nothing is kept under `key` then. Too large is also what is
   * larger than half of all, when another owner holds anything.
   */
  set(key: string, value: Value, size: { readonly bytes: number; readonly ttl: number; readonly owner?: string }): boolean {
    // Two bytes a character, as a text beyond Latin-1 takes them.
    const bytes = Math.ceil(size.bytes) + 2 * key.length + entryOverhead
    const { owner = '' } = size
    this.#entries.delete(key)
    if (!(size.bytes >= 0 && bytes <= this.#maxEntryBytes && size.ttl > microsecond)) return false
    const alone = this.#shares.size === (this.#shares.has(owner) ? 1 : 0)
    if (!alone && bytes > this.#maxBytes / 2) return false
    this.#makeRoom(bytes, owner)
    this.#entries.set(key, this.#writeUp(owner, key, value, bytes), { size: bytes, ttl: size.ttl - microsecond })
    return true
  }

  /** Removes what is under `key`. @returns whether there was something */
  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** Removes everything. */
  clear(): void {
    this.#entries.clear()
  }

  /** The keys at this moment, the most recently used first. A list, so that deleting while going through it skips none. */
  keys(): string[] {
    this.#entries.purgeStale()
    return [...this.#entries.keys()]
  }

  #makeRoom(bytes: number, owner: string): void {
    while (this.#entries.calculatedSize + bytes > this.#maxBytes) {
      const [oldest] = this.#entries.rkeys()
      if (oldest === undefined) return
      if (this.#entries.getRemainingTTL(oldest) <= 0) this.#entries.delete(oldest)
      else this.#evict(this.#ofTooMany(bytes, owner)?.key ?? oldest)
    }
  }

  /** The least recently used entry of one who holds more than half, or would with `bytes` more for `owner`. */
  #ofTooMany(bytes: number, owner: string): Kept<Value> | undefined {
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

  #writeUp(owner: string, key: string, value: Value, bytes: number): Kept<Value> {
    const share = this.#shares.get(owner) ?? { owner, bytes: 0, entries: new UseOrder() }
    this.#shares.set(owner, share)
    share.bytes += bytes
    if (share.bytes > this.#maxBytes / 2) this.#greatest = share
    const kept = { key, value, bytes, share, older: undefined, newer: undefined }
    share.entries.add(kept)
    return kept
  }

  #writeOff(kept: Kept<Value>): void {
    const { share } = kept
    share.bytes -= kept.bytes
    share.entries.remove(kept)
    if (share.entries.oldest === undefined) this.#shares.delete(share.owner)
  }
}

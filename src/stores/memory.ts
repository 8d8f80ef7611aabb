/**
 * Memory with a bound in bytes: the hot tier's own, and a store made of it.
 * @module
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Store, StoreWrite } from '../store.ts'

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

/** How a {@link memoryStore} is made. */
export interface MemoryStoreOptions {
  /** How many bytes all entries together may take, keys and bookkeeping included. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number
  /** Where time comes from. @default the clock of the machine */
  readonly clock?: Clock
}

const defaultMaxBytes = 64 * 1_024 * 1_024

/**
 * What an entry takes besides its value and the characters of its key: the key's header, its place in the map, and the columns of
 * lru-cache, with the room that growing arrays keep ahead. 140 bytes were measured on Node 24.
 */
const entryOverhead = 200

/** What a `Uint8Array` with a buffer of its own takes besides its bytes: 190 on the heap were measured on Node 24. */
const arrayOverhead = 250

/**
 * lru-cache calls an entry stale when its age is *more* than its TTL; here it is gone when its age *is* its TTL.
 * A microsecond less makes one of the other, and is more than the rounding of `monotonic()`.
 */
const microsecond = 0.001

/** The most recently used values, within a bound in bytes. Has no timers: what has expired is never returned, and goes when it is in the way. */
export class BoundedMemory<Value extends object> {
  readonly #entries: LRUCache<string, Value>
  readonly #maxEntryBytes: number

  /** @throws {InvalidOptionError} when a number of bytes is not whole and positive */
  constructor(options: BoundedMemoryOptions<Value>) {
    const { maxBytes, maxEntryBytes = maxBytes, clock, onEvict } = options
    assertBytes('maxBytes', maxBytes)
    assertBytes('maxEntryBytes', maxEntryBytes)
    this.#maxEntryBytes = Math.min(maxBytes, maxEntryBytes)
    const origin = clock.monotonic()
    this.#entries = new LRUCache<string, Value>({
      maxSize: maxBytes,
      ttlResolution: 0,
      // lru-cache takes an entry that began at 0 for one without a TTL, and a clock may well begin there.
      perf: { now: () => clock.monotonic() - origin + 1 },
      ...(onEvict && {
        disposeAfter: (value: Value, key: string, reason: LRUCache.DisposeReason) => {
          if (reason === 'evict') onEvict(key, value)
        },
      }),
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
    return this.#entries.get(key)
  }

  /** The value under `key`, without counting as a use. */
  peek(key: string): Value | undefined {
    return this.#entries.peek(key)
  }

  /**
   * Keeps `value` under `key` in place of what was there.
   * @param size `bytes`: what the value takes; the key and our bookkeeping are added. `ttl`: milliseconds
   * @returns false when the value is too large or its TTL is over already: nothing is kept under `key` then
   */
  set(key: string, value: Value, size: { readonly bytes: number; readonly ttl: number }): boolean {
    // Two bytes a character, as a text beyond Latin-1 takes them.
    const bytes = Math.ceil(size.bytes) + 2 * key.length + entryOverhead
    // Also because lru-cache leaves the size as it was when the same object is set again.
    this.#entries.delete(key)
    if (!(size.bytes >= 0 && bytes <= this.#maxEntryBytes && size.ttl > microsecond)) return false
    this.#entries.set(key, value, { size: bytes, ttl: size.ttl - microsecond })
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
    return [...this.#entries.keys()]
  }
}

/**
 * A store in this process's memory. Values are copied on the way in and out.
 * @throws {InvalidOptionError} when an option has a value that cannot be
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxBytes = defaultMaxBytes, clock = systemClock } = options
  if (typeof clock?.monotonic !== 'function') throw new InvalidOptionError('clock', clock, 'a clock with a method monotonic()')
  const memory = new BoundedMemory<Uint8Array>({ maxBytes, clock })
  const get = (key: string) => copy(memory.get(key))
  const set = (key: string, value: Uint8Array, { ttl }: { ttl: number }) => {
    memory.set(key, new Uint8Array(value), { bytes: value.byteLength + arrayOverhead, ttl })
  }
  return {
    name: 'memory',
    get,
    set,
    delete(key) {
      memory.delete(key)
    },
    getMany: (keys) => keys.map(get),
    setMany(writes: readonly StoreWrite[]) {
      for (const write of writes) set(write.key, write.value, write)
    },
    keys: (prefix) => memory.keys().filter((key) => key.startsWith(prefix)),
    close() {
      memory.clear()
    },
  }
}

/** Not `slice()`, which for a `Buffer` would be a view of the same bytes. */
function copy(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && new Uint8Array(value)
}

function assertBytes(option: string, given: unknown): void {
  if (!(Number.isSafeInteger(given) && Number(given) > 0))
    throw new InvalidOptionError(option, given, 'a whole number of bytes, at least 1')
}

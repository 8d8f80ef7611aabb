/**
 * A store in this process's memory.
 * @module
 */
import { withMethods } from '../base/option-checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { BoundedMemory } from '../memory/bounded-memory.ts'
import type { Store, StoreWrite } from '../store.ts'

/** How a {@link memoryStore} is made. */
export interface MemoryStoreOptions {
  /** How many bytes all entries together may take, keys and bookkeeping included. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number
  /** Where time comes from. @default the clock of the machine */
  readonly clock?: Clock
}

const defaultMaxBytes = 64 * 1_024 * 1_024

/** What a `Uint8Array` with a buffer of its own takes besides its bytes: 190 on the heap were measured on Node 24. */
const arrayOverhead = 250

/**
 * A store in this process's memory. Values are copied on the way in and out.
 * @throws {InvalidOptionError} when an option has a value that cannot be
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxBytes = defaultMaxBytes, clock = systemClock } = options
  withMethods('clock', clock, ['monotonic'], 'a clock with a method monotonic()')
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
    lease(key, token, options) {
      const holder = memory.get(key)
      if (holder !== undefined && textOf(holder) !== token) return textOf(holder)
      set(key, new TextEncoder().encode(token), options)
      return token
    },
    release(key, token) {
      const holder = memory.get(key)
      if (holder !== undefined && textOf(holder) === token) memory.delete(key)
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

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

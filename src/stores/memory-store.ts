/**
 * A store in this process's memory.
 * @module
 */
import { addedSums, sumsValue } from '../base/sums.ts'
import { assertKnown, withMethods } from '../base/option-checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { BoundedMemory } from '../memory/bounded-memory.ts'
import type { Store, StoreWrite } from '../store.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Maximum bytes of all entries together, including keys and bookkeeping. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const defaultMaxBytes = 64 * 1_024 * 1_024

/** Bytes of a `Uint8Array` with its own buffer, besides its content. Measured on Node 24: 190 on the heap. */
const arrayOverhead = 250

/**
 * Makes a store in this process's memory. It copies values on the way in and out.
 * @throws {InvalidOptionError} when an option is invalid
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  assertKnown('', options, ['maxBytes', 'clock'])
  const { maxBytes = defaultMaxBytes, clock = systemClock } = options
  withMethods('clock', clock, { methods: ['monotonic'], allowed: 'a clock with a method monotonic()' })
  const memory = new BoundedMemory<Uint8Array>({ maxBytes, clock })
  const get = (key: string) => copy(memory.get(key))
  const set = (key: string, value: Uint8Array, { ttl }: { ttl: number }) => {
    memory.set(key, new Uint8Array(value), { bytes: value.byteLength + arrayOverhead, ttl })
  }
  return {
    name: 'memory',
    get,
    set,
    setIfAbsent(key, value, options) {
      if (memory.get(key) === undefined) set(key, value, options)
      return get(key) ?? new Uint8Array(value)
    },
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
    add(key, amounts, options) {
      const sums = addedSums(memory.get(key), amounts)
      if (Object.keys(amounts).length > 0) set(key, sumsValue(sums), options)
      return sums
    },
    keys: (prefix) => memory.keys().filter((key) => key.startsWith(prefix)),
    close() {
      memory.clear()
    },
  }
}

/** Not `slice()`, which for a `Buffer` returns a view of the same bytes. */
function copy(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && new Uint8Array(value)
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

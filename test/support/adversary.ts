/**
 * A program that may do anything with a store and its channel, and has no encryption key.
 * @module
 */
import type { Store } from '../../src/store.ts'

/** All that lies in a store at one moment. */
export type Records = ReadonlyMap<string, Uint8Array>

const ttl = 3_600_000

/** Reads, writes, deletes, copies and replays bytes in a store. */
export class Adversary {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Everything, or what lies under names with this text in them. */
  async records(part = 'llmemo/'): Promise<Records> {
    const keys = await Array.fromAsync(this.#store.keys?.('') ?? [])
    const records = new Map<string, Uint8Array>()
    for (const key of keys.toSorted()) {
      const value = key.includes(part) ? await this.#store.get(key) : undefined
      if (value !== undefined) records.set(key, value)
    }
    return records
  }

  async put(records: Records): Promise<void> {
    for (const [key, value] of records) await this.#store.set(key, value, { ttl })
  }

  async remove(keys: Iterable<string>): Promise<void> {
    for (const key of keys) await this.#store.delete(key)
  }

  /** Puts back whatever has vanished since then. @returns how much that was */
  async bringBack(before: Records): Promise<number> {
    const now = await this.records()
    const vanished = new Map([...before].filter(([key]) => !now.has(key)))
    await this.put(vanished)
    return vanished.size
  }

  /** Puts back all records of that time whose names have none of `parts` in them. */
  async replay(before: Records, except: readonly string[]): Promise<void> {
    await this.put(new Map([...before].filter(([key]) => !except.some((part) => key.includes(part)))))
  }

  /** Gives each record the bytes of the one that is `by` places further. */
  async rotate(records: Records, by: number): Promise<void> {
    const values = [...records.values()]
    await this.put(new Map([...records.keys()].map((key, index) => [key, values[(index + by) % values.length] ?? new Uint8Array()])))
  }
}

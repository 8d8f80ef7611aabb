/**
 * What is in the tiers: the entries of memory and of the store, one by one, without their bodies.
 * @module
 */
import type { Source } from '../../call.ts'
import { type Clock, clockSkew } from '../../clock.ts'
import type { EntryCodec } from '../../codec/entry-codec.ts'
import type { Entry, EntryHead } from '../../entry.ts'
import type { Invalidations } from '../invalidation/invalidations.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { liesAt } from './tier-store.ts'
import { unread } from '../shared-store/store-reader.ts'
import { bytesOf } from './body-size.ts'
import { ageOf, type HotCopy } from './hot-copy.ts'
import type { HotTier } from './hot-tier.ts'

/** One entry, as far as it is known without its body. */
export interface ListedEntry {
  readonly storeKey: string
  readonly head: EntryHead
  /** The size of its body, uncompressed. */
  readonly bytes: number
  readonly source: Source
  /** Milliseconds since it was made. */
  readonly age: number
}

/** What a listing works with. */
export interface ContentsOptions {
  readonly clock: Clock
  readonly hot: HotTier
  readonly shared: SharedStore | undefined
  readonly codec: EntryCodec
  readonly invalidations: Invalidations
  /** Loads what decoding needs. @returns `undefined` if it is there */
  readonly ready: () => Promise<void> | undefined
}

/** Lists the entries of both tiers. */
export class Contents {
  readonly #clock: Clock
  readonly #hot: HotTier
  readonly #shared: SharedStore | undefined
  readonly #codec: EntryCodec
  readonly #invalidations: Invalidations
  readonly #ready: () => Promise<void> | undefined

  constructor({ clock, hot, shared, codec, invalidations, ready }: ContentsOptions) {
    this.#ready = ready
    this.#clock = clock
    this.#hot = hot
    this.#shared = shared
    this.#codec = codec
    this.#invalidations = invalidations
  }

  /**
   * The keys in all tiers that begin with `prefix`.
   * @throws {StoreError} when the store cannot list its keys
   */
  async keys(prefix: string): Promise<Set<string>> {
    const keys = new Set(this.#hot.keys().filter((key) => key.startsWith(prefix)))
    for (const key of (await this.#shared?.listing.keys(prefix)) ?? []) keys.add(key)
    return keys
  }

  /**
   * The entries whose keys begin with `prefix` and that could still be served: those in memory first, then those that only the store has.
   * @throws {StoreError} when the store cannot list its keys, or fails to
   */
  async *entries(prefix: string): AsyncGenerator<ListedEntry, undefined> {
    const told = new Set<string>()
    for (const storeKey of this.#hot.keys()) {
      const held = storeKey.startsWith(prefix) ? this.#hot.peek(storeKey) : undefined
      if (held === undefined || !(await this.#invalidations.isCurrent(held.entry.head.generations))) continue
      told.add(storeKey)
      yield this.#held(storeKey, held)
    }
    if (this.#shared === undefined) return
    for await (const page of this.#shared.listing.pages(prefix)) {
      const listed = page.flatMap(({ key, value }) => (told.has(key) ? [] : (this.#stored(key, value) ?? [])))
      // One read for the labels of all.
      await this.#invalidations.confirm(listed.map(({ head }) => head.generations))
      yield* listed.filter(({ head }) => this.#invalidations.matches(head.generations))
    }
  }

  /** The entry at `storeKey`, if it could still be served. Never rejects, and takes no longer than a call may. */
  async find(storeKey: string): Promise<ListedEntry | undefined> {
    const held = this.#hot.peek(storeKey)
    const value = held === undefined ? await this.#read(storeKey) : undefined
    const found = held === undefined ? value && this.#stored(storeKey, value) : this.#held(storeKey, held)
    return found !== undefined && (await this.#invalidations.isCurrent(found.head.generations)) ? found : undefined
  }

  /** The body of the entry at `storeKey`, if it is still there. */
  async body(storeKey: string): Promise<Entry['body'] | undefined> {
    const held = this.#hot.peek(storeKey)
    if (held !== undefined) return held.entry.body
    const value = await this.#read(storeKey)
    await this.#ready()
    return value && this.#decoded(() => this.#codec.decode(value))?.body
  }

  async #read(storeKey: string): Promise<Uint8Array | undefined> {
    const value = (await this.#shared?.read([storeKey]))?.[0]
    return value === unread ? undefined : value
  }

  #held(storeKey: string, held: HotCopy): ListedEntry {
    const { entry } = held
    return { storeKey, head: entry.head, bytes: bytesOf(entry), source: 'memory', age: ageOf(held, this.#clock.monotonic()) }
  }

  /** What is not ours, is damaged, or lies under another key than its own is no entry. */
  #stored(storeKey: string, value: Uint8Array): ListedEntry | undefined {
    const described = this.#decoded(() => this.#codec.describe(value))
    if (described === undefined || !liesAt(storeKey, described.head)) return undefined
    const age = this.#clock.now() - described.head.storedAt
    if (age < -clockSkew || age >= described.head.ttl + described.head.stale) return undefined
    return { storeKey, ...described, source: this.#shared?.name ?? '', age: Math.max(0, age) }
  }

  #decoded<Value>(decode: () => Value): Value | undefined {
    try {
      return decode()
    } catch {
      return undefined
    }
  }
}

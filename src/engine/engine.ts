/**
 * The engine: looks answers up in memory and in the store, takes new ones in, and invalidates them. It knows of no SDK and no protocol.
 * @module
 */
import type { CacheInfo, Source } from '../call.ts'
import { createEntryCodec, type EntryCodec } from '../codec/entry-codec.ts'
import { longestDuration } from '../duration.ts'
import type { BodyKind, Entry, EntryHead, Usage } from '../entry.ts'
import { EntryError } from '../errors.ts'
import { EventEmitter, type Fault } from '../events.ts'
import { sha256 } from '../key/digest.ts'
import { BoundedMemory } from '../stores/memory.ts'
import { cacheInfoOf, type Facts, type Fate } from './facts.ts'
import { Generations, type Marks } from './generations.ts'
import type { Settings } from './options.ts'
import { type Plan, type Refusal, storePrefix } from './plan.ts'
import { reasonAgainst } from './policy.ts'
import { createPriceBook, type PriceBook } from './prices.ts'
import { SharedTier } from './shared-tier.ts'
import { createStats, type Stats } from './stats.ts'

/** What the engine must know of an entry's place and labels to find it. */
export interface Address {
  readonly key: string
  readonly storeKey: string
  readonly scope: string
  readonly labels: readonly string[]
}

/** An entry that was found and is good. Times are milliseconds. */
export interface Found {
  readonly entry: Entry
  readonly source: Source
  readonly age: number
  /** How long it is still fresh; 0 or less when it is stale. */
  readonly remaining: number
}

/** What was in force when a call began, to be compared with when its answer arrives. */
export interface Beginning {
  readonly turn: number
  readonly marks: Marks
}

/** A complete answer, to be stored. */
export interface Draft {
  readonly kind: BodyKind
  readonly body: string | Uint8Array
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  readonly usage: Usage | undefined
  /** Why it must not be stored by default, or `undefined`. */
  readonly reason: string | undefined
  readonly latency: number
}

interface Held {
  readonly entry: Entry
  /** By the monotonic clock. */
  readonly heldAt: number
  readonly ageThen: number
}

/** How far another machine's clock may be ahead of ours. An entry from beyond that is not believed. */
const clockSkew = 5 * 60_000
/** Longer than any entry can live, its stale time included. */
const markTtl = 2 * longestDuration + clockSkew

/** Looks answers up, takes them in, invalidates them. */
export class Engine {
  readonly settings: Settings
  readonly events: EventEmitter
  readonly stats: Stats
  readonly prices: PriceBook | undefined
  readonly #codec: EntryCodec
  readonly #memory: BoundedMemory<Held> | undefined
  readonly #shared: SharedTier | undefined
  readonly #generations: Generations
  readonly #lookups = new Map<string, Promise<Held | undefined>>()
  readonly #foreign = new Set<string>()
  #hookFailed = false

  constructor(settings: Settings) {
    this.settings = settings
    const { clock, store, logger } = settings
    this.events = new EventEmitter((error) => this.hookFailed(error))
    this.prices = settings.prices === false ? undefined : createPriceBook(settings.prices)
    this.stats = createStats({ priceBook: this.prices ?? { load: () => Promise.resolve(), price: () => null } })
    this.#codec = createEntryCodec({
      compressAbove: settings.compressAbove,
      maxBodyBytes: settings.maxEntryBytes,
      ...(settings.encryption && { encryption: settings.encryption }),
    })
    if (settings.maxMemoryBytes > 0) {
      this.#memory = new BoundedMemory<Held>({
        maxBytes: settings.maxMemoryBytes,
        clock,
        onEvict: (_, held) => {
          this.stats.evicted()
          this.events.emit('evict', { key: held.entry.head.key })
        },
      })
    }
    if (store !== undefined) {
      this.#shared = new SharedTier({ store, clock, logger, events: this.events, readDeadline: settings.readDeadline })
    }
    this.#generations = new Generations(clock, store !== undefined, settings.invalidationDelay)
    this.events.on('error', ({ doing }) => this.stats.error(doing))
    this.events.on('drop', () => this.stats.dropped())
  }

  /** The entry at `address`, or `undefined`. Never throws, and waits for the store no longer than its deadline. */
  async find(address: Address): Promise<Found | undefined> {
    const held = await this.#recall(address)
    if (held !== undefined) return this.#found(held, 'memory')
    return this.#shared === undefined ? undefined : (await this.#askStore(this.#shared, [address]))[0]
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
    return found.map((each) => each ?? late.next().value)
  }

  /** What is in force now, for a call that begins to fill `address`. */
  begin(address: Address): Beginning {
    return { turn: this.#generations.turn, marks: this.#generations.marks(address.labels) }
  }

  /** Takes a complete answer in, unless there is a reason against it. Never throws. */
  store(plan: Plan, beginning: Beginning, draft: Draft, fate: Fate): void {
    fate.usage = draft.usage
    fate.latency = draft.latency
    if (draft.model !== '') fate.model = draft.model
    const bytes = typeof draft.body === 'string' ? Buffer.byteLength(draft.body) : draft.body.byteLength
    const reason =
      reasonAgainst(this.settings.policy, this.#answerFacts(plan, draft, bytes), (error) => this.hookFailed(error)) ??
      (bytes > this.settings.maxEntryBytes ? 'too large' : undefined)
    if (reason !== undefined) return this.skip(plan, reason, fate)
    const { scope, operation, tags, key } = plan
    const head: EntryHead = {
      key,
      scope,
      provider: plan.endpoint.provider,
      endpoint: plan.endpoint.name,
      operation,
      model: fate.model,
      kind: draft.kind,
      storedAt: this.settings.clock.now(),
      ttl: plan.ttl,
      stale: this.settings.stale,
      tags,
      generations: beginning.marks,
      status: draft.status,
      headers: draft.headers,
      omits: draft.kind === 'sse' ? plan.omits : [],
      latency: Math.round(draft.latency),
      ...(draft.usage && { usage: draft.usage }),
    }
    this.keep(plan, { head, body: draft.body }, beginning, fate)
  }

  /** Puts an entry into both tiers, unless its labels were invalidated since the beginning. */
  keep(address: Address, entry: Entry, beginning: Beginning, fate: Fate): void {
    const { head } = entry
    if (this.#generations.changedSince(address.labels, beginning.turn)) return this.skip(head, 'invalidated', fate)
    this.#hold(address.storeKey, { entry, heldAt: this.settings.clock.monotonic(), ageThen: 0 })
    const bytes = typeof entry.body === 'string' ? entry.body.length : entry.body.byteLength
    if (!this.#foreign.has(address.storeKey)) {
      const key = address.storeKey
      this.#shared?.write({
        key,
        bytes: bytes + 1_000,
        make: () => ({ key, value: this.#codec.encode(entry), ttl: head.ttl + head.stale }),
      })
    }
    fate.stored = true
    this.stats.stored()
    this.events.emit('store', { key: head.key, operation: head.operation, bytes })
  }

  /** Notes that an answer is not stored. */
  skip(plan: { readonly key: string; readonly operation: string }, reason: string, fate: Fate): void {
    fate.reason = reason
    this.stats.skipped(reason)
    this.events.emit('skip', { key: plan.key, operation: plan.operation, reason })
  }

  /** Counts a hit on `entry`, and says so. @returns the facts for its caller */
  hit(plan: Plan, found: Found): CacheInfo {
    const { entry, source, age, remaining } = found
    const { usage, model, latency } = entry.head
    const stale = remaining <= 0
    const fate: Fate = { stored: true, reason: undefined, usage, model, latency }
    this.countHit(plan, source, stale, fate)
    return this.info(plan, { hit: true, source, age, ttl: remaining, stale }, fate)
  }

  /** Counts a hit, and says so. Of a flight that is joined, the fate is known at its end. */
  countHit(plan: Plan, source: Source, stale: boolean, fate: Fate): void {
    const { operation, origin, key, model } = plan
    const { provider } = plan.endpoint
    void this.prices?.load()
    const at = this.settings.clock.now()
    this.stats.hit({
      operation,
      model,
      answered: fate.model,
      provider,
      origin,
      source,
      usage: fate.usage,
      savedMs: fate.latency,
      stale,
      at,
    })
    this.events.emit('hit', { key, operation, source, stale })
  }

  /** The facts of one result. */
  info(plan: Plan, facts: Pick<Facts, 'hit' | 'source' | 'age' | 'ttl' | 'stale'>, fate: Fate): CacheInfo {
    const { key, operation, scope, origin } = plan
    return cacheInfoOf({ ...facts, key, operation, scope, origin, provider: plan.endpoint.provider, fate }, this.prices)
  }

  /** Counts a call that the provider must answer, and says so. */
  miss(plan: Plan): void {
    this.stats.miss({ operation: plan.operation, model: plan.model })
    this.events.emit('miss', { key: plan.key, operation: plan.operation })
  }

  /** Counts what a call cost that the provider answered. */
  spent(plan: Plan, fate: Fate): void {
    const { operation, origin, model } = plan
    const at = this.settings.clock.now()
    this.stats.spent({ operation, model, answered: fate.model, provider: plan.endpoint.provider, origin, usage: fate.usage, at })
  }

  /** Counts a bypass, and says so. @returns the facts for its caller */
  bypass(refusal: Refusal): CacheInfo {
    const { operation, scope, reason } = refusal
    this.stats.bypass({ operation, reason })
    this.events.emit('bypass', { operation, reason })
    const fate: Fate = { stored: false, reason, usage: undefined, model: '', latency: 0 }
    const facts = { hit: false, source: 'origin', age: 0, ttl: 0, key: '', operation, scope, stale: false, provider: '', origin: '', fate }
    return cacheInfoOf(facts, undefined)
  }

  /** Declares everything under `labels` outdated. @returns whether every tier knows of it now */
  async invalidate(labels: readonly string[]): Promise<boolean> {
    const generation = crypto.randomUUID()
    let everywhere = true
    for (const label of labels) {
      this.#generations.advance(label, generation)
      this.stats.invalidated()
      this.events.emit('invalidate', { label })
      const value = new TextEncoder().encode(generation)
      const written = (await this.#shared?.writeNow({ key: this.#markKey(label), value, ttl: markTtl })) ?? true
      everywhere &&= written
    }
    return everywhere
  }

  /** Removes one entry from every tier. @returns whether every tier did so */
  async remove(storeKey: string): Promise<boolean> {
    this.#memory?.delete(storeKey)
    return (await this.#shared?.delete(storeKey)) ?? true
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
    await this.#shared?.close()
  }

  /** A function of the user's own threw: counted, and logged the first time. */
  hookFailed(error: unknown): void {
    this.stats.error('hook')
    if (this.#hookFailed) return
    this.#hookFailed = true
    this.settings.logger?.warn(
      `llmemo: a function of yours failed (${nameOf(error)}); calls go on, and further such errors are only counted.`,
    )
  }

  /** What memory holds at `address`, when it is still good. */
  async #recall(address: Address): Promise<Held | undefined> {
    const held = this.#memory?.get(address.storeKey)
    if (held === undefined || (await this.#isGood(held.entry))) return held
    this.#memory?.delete(address.storeKey)
    return undefined
  }

  /** Looks up in the store, together with whoever asks it for the same just now. */
  async #askStore(shared: SharedTier, addresses: readonly Address[]): Promise<(Found | undefined)[]> {
    const fresh = addresses.filter((address) => !this.#lookups.has(address.storeKey))
    if (fresh.length > 0) {
      const all = this.#lookUp(shared, fresh)
      fresh.forEach((address, index) => {
        const one = all.then((read) => read[index]).finally(() => this.#lookups.delete(address.storeKey))
        this.#lookups.set(address.storeKey, one)
      })
    }
    const read = await Promise.all(addresses.map(async (address) => this.#lookups.get(address.storeKey)))
    return read.map((held) => (held === undefined ? undefined : this.#found(held, shared.name)))
  }

  async #lookUp(shared: SharedTier, addresses: readonly Address[]): Promise<(Held | undefined)[]> {
    const outdated = this.#generations.outdated([...new Set(addresses.flatMap((address) => address.labels))])
    const keys = [...addresses.map((address) => address.storeKey), ...outdated.map((label) => this.#markKey(label))]
    const values = await shared.read(keys)
    if (values === undefined) return []
    this.#learn(outdated, values.slice(addresses.length))
    return Promise.all(addresses.map((address, index) => this.#read(address, values[index])))
  }

  async #read(address: Address, bytes: Uint8Array | undefined): Promise<Held | undefined> {
    this.#foreign.delete(address.storeKey)
    if (bytes === undefined) return undefined
    const entry = this.#decode(bytes, address)
    if (entry === undefined || !(await this.#isGood(entry))) return undefined
    const { clock } = this.settings
    const age = clock.now() - entry.head.storedAt
    if (age < -clockSkew || age >= entry.head.ttl + entry.head.stale) return undefined
    const held = { entry, heldAt: clock.monotonic(), ageThen: Math.max(0, age) }
    this.#hold(address.storeKey, held)
    return held
  }

  #decode(bytes: Uint8Array, address: Address): Entry | undefined {
    try {
      const entry = this.#codec.decode(bytes)
      if (entry.head.key === address.key && entry.head.scope === address.scope) return entry
      this.#fault('foreign', new EntryError('NOT_RECOGNISED', 'a stored entry belongs to another key or scope'))
    } catch (error) {
      // What is not ours, or is of a newer version, is left to its owner; what is ours and damaged will be overwritten.
      if (error instanceof EntryError && error.code === 'NOT_RECOGNISED') this.#spare(address.storeKey)
      this.#fault('entry', error)
    }
    return undefined
  }

  #spare(storeKey: string): void {
    if (this.#foreign.size >= 10_000) this.#foreign.clear()
    this.#foreign.add(storeKey)
  }

  /** Whether none of an entry's labels was invalidated since its fill began. */
  async #isGood(entry: Entry): Promise<boolean> {
    const outdated = this.#generations.outdated(Object.keys(entry.head.generations))
    if (outdated.length > 0 && this.#shared !== undefined) {
      const values = await this.#shared.read(outdated.map((label) => this.#markKey(label)))
      if (values !== undefined) this.#learn(outdated, values)
    }
    return this.#generations.agree(entry.head.generations)
  }

  #learn(labels: readonly string[], values: readonly (Uint8Array | undefined)[]): void {
    labels.forEach((label, index) => {
      const value = values[index]
      this.#generations.learn(label, value === undefined ? undefined : new TextDecoder().decode(value))
    })
  }

  #markKey(label: string): string {
    return `${storePrefix(this.settings.namespace)}mark:${sha256(label)}`
  }

  #hold(storeKey: string, held: Held): void {
    const { head, body } = held.entry
    // Texts beyond ASCII may take two bytes a character; a head takes about a kilobyte with its objects.
    const bytes = typeof body === 'string' ? (Buffer.byteLength(body) === body.length ? body.length : 2 * body.length) : body.byteLength
    const texts = head.tags.reduce((sum, tag) => sum + 2 * tag.length + 50, 0)
    this.#memory?.set(storeKey, held, { bytes: bytes + texts + 1_000, ttl: head.ttl + head.stale - held.ageThen })
  }

  #found(held: Held, source: Source): Found {
    const age = held.ageThen + this.settings.clock.monotonic() - held.heldAt
    return { entry: held.entry, source, age, remaining: held.entry.head.ttl - age }
  }

  #answerFacts(plan: Plan, draft: Draft, bytes: number) {
    const { operation, endpoint } = plan
    const streamed = draft.kind === 'sse'
    const { model, usage, reason } = draft
    return { provider: endpoint.provider, endpoint: endpoint.name, operation, model, streamed, bytes, usage, reason }
  }

  #fault(doing: Fault, error: unknown): void {
    this.events.emit('error', { doing, error })
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

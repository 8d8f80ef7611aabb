/**
 * The engine: decides what is stored, counts what happens, and tells it. It knows of no SDK and no protocol.
 * @module
 */
import type { CacheInfo, Source } from '../call.ts'
import type { BodyKind, Entry, EntryHead, Usage } from '../entry.ts'
import { EventEmitter } from '../events.ts'
import type { Address } from './tiers/entry-reader.ts'
import type { LookupResult } from '../lookup-result.ts'
import { cacheInfoOf, type Facts, type StoreOutcome } from './cache-info.ts'
import { Flights } from './flight/flights.ts'
import { Refreshes } from './flight/refreshes.ts'
import type { Leases } from './shared-store/leases.ts'
import { guardedLogger, type Logger } from './settings/logger.ts'
import type { Settings } from './settings/options.ts'
import type { CachedCall, Bypass } from './cached-call.ts'
import { type AnswerFacts, skipReason } from './settings/policy.ts'
import { createPriceBook, type PriceBook } from './pricing/price-book.ts'
import { createStats, type Stats } from './stats/counters.ts'
import { type InvalidationSnapshot, Tiers } from './tiers/tiers.ts'

export type { Address } from './tiers/entry-reader.ts'
export type { LookupResult } from '../lookup-result.ts'
export type { InvalidationSnapshot } from './tiers/tiers.ts'

/** A complete answer, to be stored. */
export interface NewEntry {
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

/** Looks answers up, takes them in, invalidates them, and counts all of it. */
export class Engine {
  readonly settings: Settings
  readonly events: EventEmitter
  readonly stats: Stats
  readonly prices: PriceBook | undefined
  /** What is being fetched anew behind the callers' backs. */
  readonly refreshes: Refreshes
  readonly #tiers: Tiers
  readonly #logger: Logger
  #hookFailed = false
  #pricesExpected = false

  constructor(settings: Settings) {
    this.settings = settings
    this.refreshes = new Refreshes(settings.clock)
    this.events = new EventEmitter((error) => this.hookFailed(error))
    this.prices = settings.prices === false ? undefined : createPriceBook(settings.prices)
    this.stats = createStats({ priceBook: this.prices ?? { load: () => Promise.resolve(), price: () => null } })
    this.#logger = guardedLogger(settings.logger, () => this.stats.error('hook'))
    this.#tiers = new Tiers({
      settings,
      events: this.events,
      logger: this.#logger,
      allows: (entry, reason) => this.#skipReason(factsOf(entry, reason)) === undefined,
    })
    this.events.on('error', ({ doing }) => this.stats.error(doing))
    this.events.on('drop', () => this.stats.dropped())
    this.events.on('evict', () => this.stats.evicted())
  }

  /** The entry at `address` when memory holds it and nobody need be asked whether it is good; else {@link Engine.find} may know of one. */
  getFromMemory(address: Address): LookupResult | undefined {
    return this.#tiers.getFromMemory(address)
  }

  /** The entry at `address`, or `undefined`. Never throws, and waits for the store no longer than its deadline. */
  get(address: Address): Promise<LookupResult | undefined> {
    return this.#tiers.get(address)
  }

  /** Who asks the origin, among the processes over one store; `undefined` where each asks for itself. */
  get leases(): Leases | undefined {
    return this.#tiers.leases
  }

  /** What memory holds at this moment: for one who looked the entry up and is about to make it, as it may have come in meanwhile. */
  peek(address: Address): LookupResult | undefined {
    return this.#tiers.peek(address)
  }

  /** Flights under the bounds of this cache, for a seam to put. */
  flights<Head, Item>(): Flights<Head, Item> {
    const { maxEntryBytes, flightDeadline, clock } = this.settings
    return new Flights({ maxBytes: maxEntryBytes, deadline: flightDeadline }, clock)
  }

  /** The entries at `addresses`, in their order, with one read of the store for all that memory does not hold. */
  getMany(addresses: readonly Address[]): Promise<(LookupResult | undefined)[]> {
    return this.#tiers.getMany(addresses)
  }

  /**
   * Asks the store what was invalidated, where that is not known of late. Needed before {@link Engine.begin} by who did not look up first:
   * an entry that does not know of an earlier invalidation would be taken for outdated by it.
   */
  refresh(address: Address): Promise<void> {
    return this.#tiers.refresh(address)
  }

  /** What is in force now, for a call that begins to fill `address`. */
  snapshot(address: Address): InvalidationSnapshot {
    return this.#tiers.snapshot(address)
  }

  /** Takes a complete answer in, unless there is a reason against it. Never throws. */
  store(cachedCall: CachedCall, snapshot: InvalidationSnapshot, draft: NewEntry, outcome: StoreOutcome): void {
    outcome.metering.usage = draft.usage
    outcome.metering.latency = draft.latency
    if (draft.model !== '') outcome.metering.model = draft.model
    const { scope, operation, tags, key } = cachedCall
    const head: EntryHead = {
      key,
      scope,
      provider: cachedCall.endpoint.provider,
      endpoint: cachedCall.endpoint.name,
      operation,
      model: outcome.metering.model,
      kind: draft.kind,
      storedAt: this.settings.clock.now(),
      ttl: cachedCall.ttl,
      stale: this.settings.stale,
      tags,
      generations: snapshot.generations,
      status: draft.status,
      headers: draft.headers,
      omits: draft.kind === 'sse' ? cachedCall.missingParts : [],
      latency: Math.round(draft.latency),
      ...(draft.usage && { usage: draft.usage }),
    }
    const entry = { head, body: draft.body }
    const reason = this.#skipReason(factsOf(entry, draft.reason))
    if (reason === undefined) this.put(cachedCall, entry, snapshot, outcome)
    else this.skip(cachedCall, reason, outcome)
  }

  /** Puts an entry into both tiers, unless it is too large or its labels were invalidated since the snapshot. */
  put(address: Address, entry: Entry, snapshot: InvalidationSnapshot, outcome: StoreOutcome): void {
    const { key, operation } = entry.head
    const bytes = bytesOf(entry)
    if (bytes > this.settings.maxEntryBytes) return this.skip(entry.head, 'too large', outcome)
    if (!this.#tiers.put(address, entry, snapshot)) return this.skip(entry.head, 'invalidated', outcome)
    outcome.stored = true
    this.stats.stored()
    this.events.emit('store', { key, operation, bytes })
  }

  /** Notes that an answer is not stored. */
  skip(cachedCall: { readonly key: string; readonly operation: string }, reason: string, outcome: StoreOutcome): void {
    outcome.reason = reason
    this.stats.skipped(reason)
    this.events.emit('skip', { key: cachedCall.key, operation: cachedCall.operation, reason })
  }

  /** Counts a hit on an entry, and says so. @returns what makes the facts for its caller, who may never ask for them */
  hit(cachedCall: CachedCall, found: LookupResult): () => CacheInfo {
    const { entry, source, age, freshFor } = found
    const { usage, model, latency } = entry.head
    const stale = freshFor <= 0
    const outcome: StoreOutcome = { stored: true, reason: undefined, metering: { usage, model, latency } }
    this.countHit(cachedCall, source, stale, outcome)
    let info: CacheInfo | undefined
    return () => (info ??= this.info(cachedCall, { hit: true, source, age, ttl: freshFor, stale }, outcome))
  }

  /** Counts a hit, and says so. Of a flight that is joined, the outcome is known at its end. */
  countHit(cachedCall: CachedCall, source: Source, stale: boolean, outcome: StoreOutcome): void {
    const { operation, origin, key, model } = cachedCall
    const { provider } = cachedCall.endpoint
    this.#expectPrices()
    const at = this.settings.clock.now()
    this.stats.hit({
      operation,
      model,
      answered: outcome.metering.model,
      provider,
      origin,
      source,
      usage: outcome.metering.usage,
      savedMs: outcome.metering.latency,
      stale,
      at,
    })
    this.events.emit('hit', { key, operation, source, stale })
  }

  /** The facts of one result. */
  info(cachedCall: CachedCall, facts: Pick<Facts, 'hit' | 'source' | 'age' | 'ttl' | 'stale'>, outcome: StoreOutcome): CacheInfo {
    const { key, operation, scope, origin } = cachedCall
    return cacheInfoOf({ ...facts, key, operation, scope, origin, provider: cachedCall.endpoint.provider, outcome }, this.prices)
  }

  /** Counts a call that the provider must answer, and says so. */
  miss(cachedCall: CachedCall): void {
    // While the provider is waited for there is time for what the next hit will need.
    this.#pricesExpected = true
    void this.prices?.load()
    this.stats.miss({ operation: cachedCall.operation, model: cachedCall.model })
    this.events.emit('miss', { key: cachedCall.key, operation: cachedCall.operation })
  }

  /** Counts what a call cost that the provider answered. */
  spent(cachedCall: CachedCall, outcome: StoreOutcome): void {
    const { operation, origin, model } = cachedCall
    const at = this.settings.clock.now()
    this.stats.spent({
      operation,
      model,
      answered: outcome.metering.model,
      provider: cachedCall.endpoint.provider,
      origin,
      usage: outcome.metering.usage,
      at,
    })
  }

  /** Counts a bypass, and says so. @returns the facts for its caller */
  bypass(refusal: Bypass): CacheInfo {
    const { operation, scope, reason } = refusal
    this.stats.bypass({ operation, reason })
    this.events.emit('bypass', { operation, reason })
    const outcome: StoreOutcome = { stored: false, reason, metering: { usage: undefined, model: '', latency: 0 } }
    const facts = {
      hit: false,
      source: 'origin',
      age: 0,
      ttl: 0,
      key: '',
      operation,
      scope,
      stale: false,
      provider: '',
      origin: '',
      outcome,
    }
    return cacheInfoOf(facts, undefined)
  }

  /** Declares everything under `labels` outdated. @returns whether every tier knows of it now */
  async invalidate(labels: readonly string[]): Promise<boolean> {
    const told = labels.map((label) => {
      const done = this.#tiers.invalidate(label)
      this.stats.invalidated()
      this.events.emit('invalidate', { label })
      return done
    })
    return (await Promise.all(told)).every(Boolean)
  }

  /** Removes one entry from every tier. @returns whether every tier did so */
  remove(storeKey: string): Promise<boolean> {
    return this.#tiers.remove(storeKey)
  }

  /**
   * The keys in all tiers that begin with `prefix`.
   * @throws {StoreError} when the store cannot list its keys
   */
  keys(prefix: string): Promise<Set<string>> {
    return this.#tiers.keys(prefix)
  }

  /** Bytes and entries in the hot memory now. */
  memory(): { readonly bytes: number; readonly entries: number } {
    return this.#tiers.memory()
  }

  /** Resolves when all writes were passed to the store. */
  flush(): Promise<void> {
    return this.#tiers.flush()
  }

  /** Writes what waits and lets go of the store. Calls go on, from the origin and memory. */
  close(): Promise<void> {
    return this.#tiers.close()
  }

  /** A function of the user's own threw: counted, and logged the first time. */
  hookFailed(error: unknown): void {
    this.stats.error('hook')
    if (this.#hookFailed) return
    this.#hookFailed = true
    this.#logger.warn(`llmemo: a function of yours failed (${nameOf(error)}); calls go on, and further such errors are only counted.`)
  }

  #skipReason(answer: AnswerFacts): string | undefined {
    return skipReason(this.settings.policy, answer, (error) => this.hookFailed(error))
  }

  /** Loading takes some 40 ms of the one thread, which the caller of the first hit should not wait for. */
  #expectPrices(): void {
    if (this.#pricesExpected || this.prices === undefined) return
    this.#pricesExpected = true
    setImmediate((prices: PriceBook) => void prices.load(), this.prices).unref()
  }
}

/** What a policy is told of an answer. */
function factsOf(entry: Entry, reason: string | undefined): AnswerFacts {
  const { provider, endpoint, operation, model, kind, usage } = entry.head
  return { provider, endpoint, operation, model, streamed: kind === 'sse', bytes: bytesOf(entry), usage, reason }
}

function bytesOf({ body }: Entry): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

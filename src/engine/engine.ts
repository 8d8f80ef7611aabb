/**
 * The engine: decides what is stored, counts what happens, and reports it as events. It knows no SDK and no protocol.
 * @module
 */
import { sleepAware } from '../clock.ts'
import type { CacheInfo, InputCounts, Source } from '../call.ts'
import type { Entry } from '../entry.ts'
import { type CacheEvents, EventEmitter } from '../events.ts'
import { entryKey } from '../key/store-keys.ts'
import type { Address } from './tiers/entry-reader.ts'
import type { LookupResult } from '../lookup-result.ts'
import { type Facts, LaterInfo, noteCost, outcomeOf, type Reused, type StoreOutcome, wholeUsage } from './cache-info.ts'
import type { NewEntry } from './draft.ts'
import { Flights } from './flight/flights.ts'
import { Refreshes } from './flight/refreshes.ts'
import { LostWrites } from './lost-writes.ts'
import { MissLog } from './miss-log.ts'
import { Notices } from './notices.ts'
import { guardedLogger } from './settings/logger.ts'
import type { Settings } from './settings/options.ts'
import { freshForCall } from './reuse.ts'
import { guardedReplay } from './settings/replay.ts'
import type { CachedCall, Bypass } from './cached-call.ts'
import { skipReason } from './settings/policy.ts'
import { factsOf } from './answer-facts.ts'
import { bytesOf } from './tiers/body-size.ts'
import { CallEvents, type ToldCall } from './call-events.ts'
import { ToldHits } from './told-hits.ts'
import { createPriceBook, type PriceBook } from './pricing/price-book.ts'
import { PricesAhead } from './pricing/prices-ahead.ts'
import { Ledger } from './ledger.ts'
import type { SavingsBook } from './stats/savings-book.ts'
import { createStats, type Stats } from './stats/counters.ts'
import { UsageView } from './shown-usage.ts'
import { headOf, lifeOf } from './new-head.ts'
import type { InvalidationSnapshot } from './tiers/invalidation-snapshot.ts'
import { TracedTiers } from './tiers/traced-tiers.ts'

/** An answer that is being stored: what was in force when its call began, and the outcome for its caller. */
export interface Filling {
  readonly snapshot: InvalidationSnapshot
  readonly outcome: StoreOutcome
}

/** How a call was answered from the cache. */
export interface HitFacts {
  readonly source: Source
  /** Whether the answer was past its TTL. */
  readonly stale: boolean
  readonly outcome: StoreOutcome
  /** What was found. @default nothing: the call joined a flight */
  readonly found?: LookupResult
}

/** Stored inputs of a call that the provider had to answer for the rest. */
export interface ReusedInputs extends Reused {
  readonly source: Source
  /** The model that answered. */
  readonly answered: string
  /** How many inputs they are. */
  readonly inputs: number
}

/** Stores answers, invalidates them, and counts what happens. Looking up is done through its `tiers`. */
export class Engine {
  readonly settings: Settings
  readonly events: EventEmitter
  readonly stats: Stats
  readonly prices: PriceBook | undefined
  /** Memory, and the store behind it. */
  readonly tiers: TracedTiers
  /** The answers that are being fetched again in the background. */
  readonly refreshes: Refreshes
  /** What hits show as their usage. */
  readonly usageView: UsageView
  /** The savings by day, if they are kept. */
  readonly ledger: Ledger | undefined
  /** Finds the facts of a result; set by the clients, which put them there. */
  infoOf: (result: unknown) => CacheInfo | undefined = () => undefined
  /** Lines that the log has once each. */
  readonly notices: Notices
  /** Writes that the store did not take. */
  readonly lost = new LostWrites()
  /** What is told of calls as events. */
  readonly told: CallEvents
  /** Says of each miss why it was one; `undefined` unless it is asked for. */
  readonly missLog: MissLog | undefined
  readonly #pricesAhead: PricesAhead

  constructor(given: Settings) {
    const replay = guardedReplay(given.replay, (error) => this.hookFailed(error))
    const settings = { ...given, replay, clock: sleepAware(given.clock) }
    this.settings = settings
    this.usageView = new UsageView(settings.usage)
    this.refreshes = new Refreshes(settings.clock)
    this.events = new EventEmitter((error) => this.hookFailed(error))
    this.prices = settings.prices === false ? undefined : createPriceBook(settings.prices)
    // Jest fails a test file that loads anything once its last test is over, and what is recorded is not paid for again.
    this.#pricesAhead = new PricesAhead(settings.recordings === undefined ? this.prices : undefined)
    const priceBook = this.prices ?? { load: () => Promise.resolve(), price: () => null }
    const savings: SavingsBook = { note: (saving, figures) => this.ledger?.note(saving, figures) }
    this.stats = createStats({ priceBook, clock: settings.clock, ...(settings.savings && { savings }) })
    this.told = new CallEvents(this.events, this.prices, new ToldHits(this.events, settings.clock))
    const logger = guardedLogger(settings.logger, () => this.stats.error('hook'))
    this.notices = new Notices(logger)
    if (settings.debug === 'miss') this.missLog = new MissLog({ ...settings, events: this.events, logger })
    for (const warning of settings.warnings) this.notices.once(warning, warning)
    this.tiers = new TracedTiers({
      settings,
      events: this.events,
      logger,
      allows: (entry, reason) => this.#skipReason(entry, reason) === undefined,
    })
    if (settings.savings) {
      const settle = async (): Promise<void> => priceBook.load().then(() => this.stats.settle())
      this.ledger = new Ledger({ clock: settings.clock, tiers: this.tiers, namespace: settings.namespace, settle })
    }
    this.events.on('error', ({ doing, error }) => {
      this.stats.error(doing)
      if (doing === 'entry' || doing === 'foreign') this.notices.entryFailed(error)
    })
    this.events.on('drop', () => this.stats.dropped())
    this.events.on('evict', () => this.stats.evicted())
  }

  /** Flights within the bounds of this cache, for a seam to keep. */
  flights<Head, Item>(): Flights<Head, Item> {
    const { maxEntryBytes, flightDeadline, clock } = this.settings
    return new Flights({ maxBytes: maxEntryBytes, deadline: flightDeadline }, clock)
  }

  /** Stores a complete answer, unless there is a reason against it. Never throws. */
  store(cachedCall: CachedCall, draft: NewEntry, filling: Filling): void {
    const { outcome } = filling
    noteCost(outcome, draft)
    const now = this.settings.clock.now()
    const life = lifeOf(cachedCall, { expiresAt: draft.expiresAt?.(now), now, stale: this.settings.stale })
    if (life === undefined) return this.skip(cachedCall, 'expires', outcome)
    const { namespace } = this.settings
    const head = headOf(cachedCall, draft, { ...life, ...filling, namespace, storedAt: now })
    const entry = { head, body: draft.body }
    const reason = this.#skipReason(entry, draft.reason)
    if (life.ttl < cachedCall.ttl) outcome.ttl = life.ttl
    if (reason === undefined) this.put(cachedCall, entry, filling)
    else this.skip(cachedCall, reason, outcome, entry)
  }

  /** Puts an entry into both tiers, unless it is too large or its labels were invalidated since the snapshot. */
  put(call: Address & ToldCall, entry: Entry, { snapshot, outcome }: Filling): void {
    const bytes = bytesOf(entry)
    if (bytes > this.settings.maxEntryBytes) return this.skip(call, 'too large', outcome, entry)
    // Until the store says otherwise, which it may do at once, a write to it counts as done.
    outcome.stored = true
    const put = this.tiers.put(call, entry, snapshot, (written, isHeld) => {
      this.lost.note(written)
      if (isHeld) return
      if (written) this.#stored(call, entry, bytes)
      else this.skip(call, 'store failed', outcome, entry)
    })
    if (put === 'kept') this.#stored(call, entry, bytes)
    else if (put !== 'queued') this.skip(call, put, outcome, entry)
  }

  #stored(call: ToldCall, { head }: Entry, bytes: number): void {
    this.stats.stored()
    this.told.store(call, { model: head.model, latency: head.latency, usage: head.usage, bytes, ttl: head.ttl, tags: head.tags })
  }

  /** Notes that an answer is not stored. */
  skip(call: ToldCall, reason: string, outcome: StoreOutcome, entry?: Entry): void {
    outcome.stored = false
    outcome.reason = reason
    this.stats.skipped(reason)
    this.told.skip(call, reason, { ...outcome.metering, entry })
  }

  /** Counts a hit on an entry, and emits it. @returns a function that makes the facts, as many callers never read them */
  hit(cachedCall: CachedCall, found: LookupResult): () => CacheInfo {
    const freshFor = freshForCall(found, cachedCall)
    const stale = freshFor <= 0
    const { source, age, entry } = found
    const at = this.settings.clock.now()
    // A hit that is told is counted by itself, and so is one of several inputs.
    const tally = this.told.isHitHeard || cachedCall.inputs !== undefined ? undefined : cachedCall.tally
    const isAlike = tally?.again({ source, usage: entry.head.usage, stale, at }) === true
    if (!isAlike) this.countHit(cachedCall, { source, stale, outcome: outcomeOf(entry), found })
    let info: CacheInfo | undefined
    return () => (info ??= this.info(cachedCall, { hit: true, source, age, ttl: freshFor, stale }, outcomeOf(entry)).info)
  }

  /** Counts a hit, and emits it. A call that joined a flight is counted at its end, when the outcome is known. */
  countHit(cachedCall: CachedCall, { source, stale, outcome, found }: HitFacts): void {
    const { operation, scope, origin, model, inputs } = cachedCall
    const { provider } = cachedCall.endpoint
    this.#pricesAhead.afterHit()
    const at = this.settings.clock.now()
    const { model: answered, latency } = outcome.metering
    const usage = wholeUsage(outcome)
    const answers = inputs && inputs.hits + inputs.misses
    const event = { operation, scope, model, answered, provider, origin, source, usage, savedMs: latency, stale, at, inputs: answers }
    cachedCall.tally = this.stats.hit(event)
    if (!this.told.isHitHeard) return
    const { age = 0, entry } = found ?? {}
    this.told.hit(cachedCall, { model: answered, latency, usage, entry, source, stale, age, inputs: answers ?? 1 })
  }

  /** Counts the stored inputs of a call that the provider had to answer for the rest. Time is not saved: the call waited for the provider. */
  countReused(cachedCall: CachedCall, { source, usage, answered, inputs }: ReusedInputs): void {
    const { operation, scope, origin, model, endpoint } = cachedCall
    const { provider } = endpoint
    const at = this.settings.clock.now()
    this.stats.hit({ operation, scope, model, answered, provider, origin, source, usage, savedMs: 0, stale: false, at, inputs })
    this.told.hit(cachedCall, { model: answered, latency: 0, usage, source, stale: false, age: 0, inputs })
  }

  /** The facts of one result. */
  info(cachedCall: CachedCall, facts: Pick<Facts, 'hit' | 'source' | 'age' | 'ttl' | 'stale'>, outcome: StoreOutcome): LaterInfo {
    const { key, operation, scope, origin, inputKeys } = cachedCall
    const inputs = facts.hit ? allHits(cachedCall.inputs) : cachedCall.inputs
    const { provider } = cachedCall.endpoint
    return new LaterInfo({ ...facts, inputs, inputKeys, key, operation, scope, origin, provider, outcome }, this.prices)
  }

  /** Counts a call that the provider must answer, and emits it. */
  miss(cachedCall: CachedCall): void {
    this.#pricesAhead.duringCall()
    const { operation, scope, model, inputs } = cachedCall
    this.stats.miss({ operation, scope, model, inputs: inputs?.misses })
    this.told.miss(cachedCall)
  }

  /** Counts what a call cost that the provider answered. */
  spent(cachedCall: CachedCall, outcome: StoreOutcome): void {
    const { operation, scope, origin, model, endpoint } = cachedCall
    const { model: answered, usage } = outcome.metering
    const at = this.settings.clock.now()
    this.stats.spent({ operation, scope, model, answered, provider: endpoint.provider, origin, usage, at })
    this.told.spent(cachedCall, outcome.metering)
  }

  /** Counts a request that passes through unseen, as it is none of an endpoint that is known, and emits it. */
  pass(request: CacheEvents['pass']): void {
    this.stats.passed()
    this.events.emit('pass', request)
  }

  /** Counts a bypass, and emits it. @returns the facts for its caller */
  bypass(bypass: Bypass): LaterInfo {
    const { operation, scope, reason, key = '' } = bypass
    this.stats.bypass({ operation, reason })
    if (bypass.fault !== undefined) {
      this.stats.error('hook')
      this.notices.optionFailed(bypass.fault)
    }
    this.told.bypass(bypass)
    const outcome: StoreOutcome = { stored: false, reason, metering: { usage: undefined, model: '', latency: 0 } }
    const facts = { hit: false, source: 'origin', age: 0, ttl: 0, key, operation, scope, stale: false, provider: '', origin: '', outcome }
    return new LaterInfo(facts, undefined)
  }

  /** Invalidates everything that has one of `labels`. @returns whether every tier knows of it now */
  async invalidate(labels: readonly string[]): Promise<boolean> {
    const declared = labels.map((label) => {
      const done = this.tiers.invalidate(label)
      this.stats.invalidated()
      this.events.emit('invalidate', { label })
      return done
    })
    return (await Promise.all(declared)).every(Boolean)
  }

  /** Removes answers by their keys. @returns whether every tier did so */
  forget(keys: readonly string[]): Promise<boolean> {
    for (const key of keys) {
      this.stats.invalidated()
      this.missLog?.removed(key)
    }
    return this.tiers.removals.forget(keys.map((key) => entryKey(this.settings.namespace, key)))
  }

  /** A function of the user's own threw: counted, and logged the first time. */
  hookFailed(error: unknown): void {
    this.stats.error('hook')
    this.notices.hookFailed(error)
  }

  #skipReason(entry: Entry, reason: string | undefined): string | undefined {
    const { policy } = this.settings
    if (policy === undefined) return reason
    return skipReason(policy, factsOf(entry, reason), (error) => {
      this.stats.error('hook')
      this.notices.policyFailed(error)
    })
  }
}

/** The counts of a call whose inputs were all answered without a call to the provider. */
function allHits(inputs: InputCounts | undefined): InputCounts | undefined {
  return inputs && { hits: inputs.hits + inputs.misses, misses: 0 }
}

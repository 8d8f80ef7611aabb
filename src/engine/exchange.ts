/**
 * The way of a call, the same at every seam: look the answer up, serve it, or else join or start a flight and store what it brings.
 * An answer past its TTL may be served while a new one is fetched, or in place of a provider's outage.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { CachedCall } from './cached-call.ts'
import type { StoreOutcome } from './cache-info.ts'
import type { NewEntry } from './draft.ts'
import type { Engine } from './engine.ts'
import type { Flights } from './flight/flights.ts'
import type { FlightReader, Recording, Upstream } from './flight/upstream.ts'
import { forBatch, isRead, mayStandIn, notCached, reuse, type ReuseSettings } from './reuse.ts'
import { AnsweredByAnotherProcess, type LeaseHandle } from './shared-store/leases.ts'
import type { InvalidationSnapshot } from './tiers/tiers.ts'

/** What the calls of one flight share. */
export interface Shared<Head> {
  readonly head: Head
  /** Whether it is an answer rather than an error. */
  readonly good: boolean
  readonly outcome: StoreOutcome
  /** The calls that joined the flight. They are counted at its end. */
  readonly joiners: CachedCall[]
}

/** How the provider answered a call: with a head, or not at all. */
export type OriginResult<Head> = { readonly head: Head } | { readonly error: unknown }

/** A look-up that was made before the call came to the seam. */
export interface EarlierLookup {
  readonly found: LookupResult | undefined
  /** `Tiers.changes` from before the look-up. While it stays the same, memory holds nothing newer. */
  readonly changes: number
}

/** What a seam can do for one call. */
export interface Seam<Head, Item, Result> {
  readonly cachedCall: CachedCall
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  readonly flights: Flights<Shared<Head>, Item>
  /** Finds the answer to a batch of inputs, which is stored in parts. @default one entry, by the key of `cachedCall` */
  readonly find?: () => Promise<LookupResult | undefined>
  /** Set if the entry was looked up just now. It is then not looked up again. */
  readonly earlier?: EarlierLookup | undefined
  /** Calls the provider. Writes what the call cost to `outcome` if {@link Seam.draft} does not. */
  start(signal: AbortSignal, outcome: StoreOutcome): Promise<Upstream<Head, Item>>
  /** Whether the provider is out of order, rather than the call wrong, judged by its answer or by what was thrown in place of one. */
  isOutage(said: OriginResult<Head>): boolean
  /** An item's size in bytes. */
  size(item: Item): number
  /** The entry of what was recorded, or the reason why there is none; `undefined` if the answer is already stored in parts. */
  draft(recording: Recording<Head, Item>): NewEntry | string | undefined
  /** The result of a hit; `info` makes its facts. */
  stored(found: LookupResult, info: () => CacheInfo): Result
  /** The result of a flight. */
  shared(head: Head, reader: FlightReader<Shared<Head>, Item>, info: CacheInfo): Result | Promise<Result>
  /** The result of a call in mode `only-if-cached` for which nothing is stored. */
  missing(info: CacheInfo): Result
}

/** Answers a call from the cache or from the provider. Rejects only as the provider does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  if (!isRead(cachedCall.mode)) {
    await engine.tiers.refresh(cachedCall)
    signal?.throwIfAborted()
    return fetchNew(engine, call)
  }
  // Always await, even for a hit in memory: an event listener that makes the same call must not re-enter itself.
  const lookup = await look(engine, call)
  signal?.throwIfAborted()
  // From here until the call has joined a flight, nothing is awaited.
  const found = latest(engine, call, lookup)
  const use = reuse(found, cachedCall, settingsOf(engine, call))
  if (found !== undefined && use !== 'fetch') {
    if (use === 'refresh') refresh(engine, call)
    return call.stored(found, engine.hit(cachedCall, found))
  }
  if (cachedCall.mode === 'only-if-cached') {
    const { operation, scope } = cachedCall
    return call.missing(engine.bypass({ operation, scope, reason: notCached }))
  }
  if (found === undefined || !mayStandIn(found, cachedCall, engine.settings)) return fetchNew(engine, call)
  return engine.refreshes.isPaused(cachedCall.storeKey) ? call.stored(found, engine.hit(cachedCall, found)) : fetchCovered(engine, call)
}

async function look<Head, Item, Result>(
  { tiers }: Engine,
  { cachedCall, find, earlier }: Seam<Head, Item, Result>,
): Promise<EarlierLookup> {
  if (earlier !== undefined) return earlier
  const { changes } = tiers
  return { found: await (find === undefined ? tiers.get(cachedCall) : find()), changes }
}

/** What was looked up, or the newer entry that came into memory meanwhile. */
function latest<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { found, changes }: EarlierLookup,
): LookupResult | undefined {
  if (call.find !== undefined || engine.tiers.changes === changes || isFresh(engine, call, found)) return found
  const newer = engine.tiers.peek(call.cachedCall)
  return isFresh(engine, call, newer) ? newer : (found ?? newer)
}

function isFresh<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>, found: LookupResult | undefined): boolean {
  return found !== undefined && found.freshFor > 0 && reuse(found, call.cachedCall, settingsOf(engine, call)) !== 'fetch'
}

function settingsOf<Head, Item, Result>({ settings }: Engine, { find }: Seam<Head, Item, Result>): ReuseSettings {
  return find === undefined ? settings : forBatch(settings)
}

/** Calls the provider for an answer of which the cache has nothing to serve. */
async function fetchNew<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const flight = join(engine, call, {
    signal: call.signal,
    look: waitingFor(engine, call),
    onStart: () => engine.miss(call.cachedCall),
  })
  const shared = await flight.reader.head().catch(ifAnsweredByAnotherProcess)
  return shared instanceof AnsweredByAnotherProcess ? answeredElsewhere(engine, call, shared) : handOut(engine, call, flight, shared)
}

/** Calls the provider for an answer of which there is an old one. That one is served if the provider is out of order. */
async function fetchCovered<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  const flight = join(engine, call, { signal, look: waitingFor(engine, call) })
  const shared = await flight.reader.head().catch((error: unknown) => ({ error }))
  if ('error' in shared && shared.error instanceof AnsweredByAnotherProcess) return answeredElsewhere(engine, call, shared.error)
  if (signal?.aborted !== true && call.isOutage(shared)) {
    // Looked up again, as it may have been invalidated meanwhile.
    const lookup = await look(engine, { ...call, earlier: undefined })
    signal?.throwIfAborted()
    const found = latest(engine, call, lookup)
    if (found !== undefined && mayStandIn(found, cachedCall, engine.settings)) {
      flight.reader.leave()
      engine.refreshes.pause(cachedCall.storeKey)
      return call.stored(found, engine.hit(cachedCall, found))
    }
  }
  if (!flight.joined) engine.miss(cachedCall)
  if ('error' in shared) throw shared.error
  return handOut(engine, call, flight, shared)
}

/** Finds what another process stores, for a call that waits for it. */
function waitingFor<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): () => Promise<LookupResult | undefined> {
  return async () => {
    const found = await engine.tiers.get(call.cachedCall)
    return isFresh(engine, call, found) ? found : undefined
  }
}

function ifAnsweredByAnotherProcess(error: unknown): AnsweredByAnotherProcess {
  if (error instanceof AnsweredByAnotherProcess) return error
  throw error
}

/** The result of a call that another process answers. */
function answeredElsewhere<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { found }: AnsweredByAnotherProcess,
): Result | Promise<Result> {
  // A flight ends without the answer only if the call that started it does not wait for one. A call that joined it starts over.
  if (found === undefined) return exchange(engine, { ...call, earlier: undefined })
  return call.stored(found, engine.hit(call.cachedCall, found))
}

/** A call's part in a flight. */
interface Joined<Head, Item> {
  readonly reader: FlightReader<Shared<Head>, Item>
  /** Whether another call had started it. */
  readonly joined: boolean
}

/** The result of a flight, once its head is there. */
function handOut<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { reader, joined }: Joined<Head, Item>,
  { head, good, outcome, joiners }: Shared<Head>,
): Result | Promise<Result> {
  const { cachedCall } = call
  const hit = joined && good
  if (hit) joiners.push(cachedCall)
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: cachedCall.ttl, stale: false }
  return call.shared(head, reader, engine.info(cachedCall, facts, outcome))
}

/** Fetches a new answer in the background. A failure is counted and disturbs no call while the old answer may be served. */
function refresh<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): void {
  const failed = (): void => engine.stats.error('refresh')
  const work = async (): Promise<boolean> => {
    try {
      const isNew = await isRenewed(join(engine, call, { signal: undefined, look: undefined }).reader)
      if (!isNew) failed()
      return isNew
    } catch (error) {
      // Another process refreshes it, which is as good and no failure.
      if (error instanceof AnsweredByAnotherProcess) return false
      throw error
    }
  }
  engine.refreshes.begin(call.cachedCall.storeKey, work, failed)
}

async function isRenewed<Head, Item>(reader: FlightReader<Shared<Head>, Item>): Promise<boolean> {
  const { good, outcome } = await reader.head()
  if (!good) {
    reader.leave()
    return false
  }
  while ((await reader.next()) !== undefined);
  return outcome.stored
}

/** How a call takes part in a flight. */
interface Participation {
  readonly signal: AbortSignal | undefined
  /** Finds what another process stores meanwhile; `undefined` if the call does not wait for that. */
  readonly look: (() => Promise<LookupResult | undefined>) | undefined
  /** Called before the provider is called, if this call starts the flight. */
  readonly onStart?: () => void
}

/** Joins the flight of a call, or starts it. */
function join<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { signal, look: lookElsewhere, onStart }: Participation,
): Joined<Head, Item> {
  const { cachedCall } = call
  const outcome: StoreOutcome = { stored: false, reason: undefined, metering: { usage: undefined, model: cachedCall.model, latency: 0 } }
  const snapshot = engine.tiers.snapshot(cachedCall)
  const joiners: CachedCall[] = []
  const alone = !isRead(cachedCall.mode)
  // The parts of a batch are stored under keys of their own. A call that does not read must not wait for another process's answer.
  const leases = call.find === undefined && !alone ? engine.tiers.leases : undefined
  let lease: LeaseHandle | undefined
  const origin = {
    async start(flightSignal: AbortSignal): Promise<Upstream<Shared<Head>, Item>> {
      lease = await leases?.acquire(cachedCall.storeKey, lookElsewhere, flightSignal)
      onStart?.()
      try {
        const { head, items, shareable } = await call.start(flightSignal, outcome)
        return { head: { head, good: shareable, outcome, joiners }, items, shareable }
      } catch (error) {
        lease?.end()
        throw error
      }
    },
    size: (item: Item) => call.size(item),
  }
  const ended = (recording: Recording<Shared<Head>, Item>): void => {
    take(engine, call, { ...recording, head: recording.head.head }, { snapshot, outcome })
    lease?.end()
    if (recording.head.good) engine.spent(cachedCall, outcome)
    for (const joiner of joiners) engine.countHit(joiner, { source: 'flight', stale: false, outcome })
  }
  return call.flights.join(flightName(cachedCall, snapshot), origin, { signal, alone, ended })
}

/** Stores what a flight recorded, or notes why not. */
function take<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  recording: Recording<Head, Item>,
  filling: { readonly snapshot: InvalidationSnapshot; readonly outcome: StoreOutcome },
): void {
  try {
    const draft = call.draft(recording)
    if (typeof draft === 'string') engine.skip(call.cachedCall, draft, filling.outcome)
    else if (draft !== undefined) engine.store(call.cachedCall, draft, filling)
  } catch (error) {
    engine.hookFailed(error)
  }
}

/**
 * Calls with one flight name get one answer of the provider, byte for byte. So a stream and a whole answer are two flights, and so are
 * calls from before and after an invalidation.
 */
function flightName(cachedCall: CachedCall, { generations }: InvalidationSnapshot): string {
  return JSON.stringify([cachedCall.key, cachedCall.streamed, cachedCall.missingParts, generations])
}

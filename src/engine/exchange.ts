/**
 * The way of a call, the same at every seam: look it up, else join or open a flight, and take in what the flight leaves behind.
 * An answer past its TTL may be served while a new one is fetched, or in place of the origin's outage.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { InvalidationSnapshot, NewEntry, Engine, LookupResult } from './engine.ts'
import type { StoreOutcome } from './cache-info.ts'
import type { FlightReader, Recording, Upstream } from './flight/flight.ts'
import type { Flights } from './flight/flights.ts'
import { AnsweredByAnotherProcess, type LeaseHandle } from './shared-store/leases.ts'
import type { CachedCall } from './cached-call.ts'
import { mayStandIn, useOf } from './reuse.ts'

/** A flight's head, with what becomes of the answer and who shares in it. */
export interface Shared<Head> {
  readonly head: Head
  /** Whether it is an answer rather than an error. */
  readonly good: boolean
  readonly outcome: StoreOutcome
  /** The calls that joined the flight and are to be counted at its end. */
  readonly joiners: CachedCall[]
}

/** How an origin answered a call: with a head, or not at all. */
export type OriginResult<Head> = { readonly head: Head } | { readonly error: unknown }

/** What a seam knows how to do for one call. */
export interface Seam<Head, Item, Result> {
  readonly cachedCall: CachedCall
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  readonly flights: Flights<Shared<Head>, Item>
  /** Looks the answer up. @default by the cachedCall's own key */
  readonly find?: () => Promise<LookupResult | undefined>
  /** What was found by the cachedCall's own key just now, by one who need not look once more. */
  readonly looked?: { readonly found: LookupResult | undefined } | undefined
  /** Asks the origin. What the call cost goes into `outcome` where {@link Seam.draft} does not info it. */
  start(signal: AbortSignal, outcome: StoreOutcome): Promise<Upstream<Head, Item>>
  /** Whether the origin is out of order, rather than the call at fault, by what it answered or by what was thrown in place of an answer. */
  isOutage(said: OriginResult<Head>): boolean
  /** An item's size in bytes. */
  size(item: Item): number
  /** The draft of what was recorded, or the reason why there is none; `undefined` when the answer is stored in parts already. */
  draft(recording: Recording<Head, Item>): NewEntry | string | undefined
  /** The result of a hit; `info` makes its facts. */
  stored(found: LookupResult, info: () => CacheInfo): Result
  /** The result of a flight. */
  shared(head: Head, reader: FlightReader<Shared<Head>, Item>, info: CacheInfo): Result | Promise<Result>
  /** The result of a call that must not go to the origin and has nothing stored. */
  missing(info: CacheInfo): Result
}

/** Answers a call from the cache or from the origin. Rejects only as the origin does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  if (cachedCall.mode !== 'reload') {
    // Waited for in any case, so that a listener who asks the same is not called within himself.
    const looked = await look(engine, call)
    signal?.throwIfAborted()
    // From here to boarding a flight nothing is waited for.
    const found = freshest(engine, cachedCall, looked)
    const use = found === undefined ? 'ask' : useOf(found, cachedCall.mode, engine.settings)
    if (found !== undefined && use !== 'ask') {
      if (use === 'refresh') refresh(engine, call, found)
      return call.stored(found, engine.hit(cachedCall, found))
    }
    if (cachedCall.mode === 'only-if-cached') {
      const { operation, scope } = cachedCall
      return call.missing(engine.bypass({ operation, scope, reason: 'not cached' }))
    }
    const isCovered = found !== undefined && mayStandIn(found, engine.settings)
    if (isCovered && engine.refreshes.isPaused(cachedCall.storeKey)) return call.stored(found, engine.hit(cachedCall, found))
    if (isCovered) return askCovered(engine, call)
  } else {
    await engine.refresh(cachedCall)
    signal?.throwIfAborted()
  }
  const { reader, joined } = board(engine, call, signal, waitingFor(engine, call), () => engine.miss(cachedCall))
  const shared = await reader.head().catch(ifAnsweredByAnotherProcess)
  return shared instanceof AnsweredByAnotherProcess ? elsewhere(engine, call, shared) : handOut(engine, call, reader, joined, shared)
}

function look<Head, Item, Result>(
  engine: Engine,
  { cachedCall, find, looked }: Seam<Head, Item, Result>,
): LookupResult | undefined | Promise<LookupResult | undefined> {
  if (find !== undefined) return find()
  return looked === undefined ? (engine.getFromMemory(cachedCall) ?? engine.get(cachedCall)) : looked.found
}

/** Asks the origin for an answer of which there is an old one, which stands in where the origin is out of order. */
async function askCovered<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  const { reader, joined } = board(engine, call, signal, waitingFor(engine, call))
  const shared = await reader.head().catch((error: unknown) => ({ error }))
  if ('error' in shared && shared.error instanceof AnsweredByAnotherProcess) return elsewhere(engine, call, shared.error)
  if (signal?.aborted !== true && call.isOutage(shared)) {
    // EarlierLookup up anew, as it may have been invalidated meanwhile.
    const looked = call.find === undefined ? await engine.get(cachedCall) : await call.find()
    signal?.throwIfAborted()
    const found = freshest(engine, cachedCall, looked)
    if (found !== undefined && mayStandIn(found, engine.settings)) {
      reader.leave()
      engine.refreshes.pause(cachedCall.storeKey)
      return call.stored(found, engine.hit(cachedCall, found))
    }
  }
  if (!joined) engine.miss(cachedCall)
  if ('error' in shared) throw shared.error
  return handOut(engine, call, reader, joined, shared)
}

/** Finds what another process stores meanwhile, where a call may wait for that. */
function waitingFor<Head, Item, Result>(engine: Engine, { cachedCall }: Seam<Head, Item, Result>): () => Promise<LookupResult | undefined> {
  return async () => {
    const found = fitting(await engine.get(cachedCall), cachedCall)
    return found !== undefined && found.freshFor > 0 ? found : undefined
  }
}

/** What ended a flight, when it is that another process has the answer. */
function ifAnsweredByAnotherProcess(error: unknown): AnsweredByAnotherProcess {
  if (error instanceof AnsweredByAnotherProcess) return error
  throw error
}

/** The result of a call that another process has the answer to. */
function elsewhere<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { found }: AnsweredByAnotherProcess,
): Result | Promise<Result> {
  // Only who does not wait for it is told of an answer that is not there yet, and nobody joins his flight unless he would do the same.
  return found === undefined ? exchange(engine, call) : call.stored(found, engine.hit(call.cachedCall, found))
}

/** The result of a flight, once its head is there. */
function handOut<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  reader: FlightReader<Shared<Head>, Item>,
  joined: boolean,
  { head, good, outcome, joiners }: Shared<Head>,
): Result | Promise<Result> {
  const { cachedCall } = call
  const hit = joined && good
  if (hit) joiners.push(cachedCall)
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: cachedCall.ttl, stale: false }
  return call.shared(head, reader, engine.info(cachedCall, facts, outcome))
}

/** Fetches an answer anew behind the caller's back. That it failed is counted, and nobody's concern until the old one is over. */
function refresh<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>, { freshFor }: LookupResult): void {
  // Of a batch that is fresh as a whole, no input is missing, and so there would be nothing to ask for.
  if (call.find !== undefined && freshFor > 0) return
  const failed = (): void => engine.stats.error('refresh')
  const work = async (): Promise<boolean> => {
    try {
      const renewed = await isRenewed(board(engine, call, undefined, undefined).reader)
      if (!renewed) failed()
      return renewed
    } catch (error) {
      // Another process is at it, which is as good, and no failure.
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

/** What was found, or what came in while it was looked for. */
function freshest(engine: Engine, cachedCall: CachedCall, looked: LookupResult | undefined): LookupResult | undefined {
  const found = fitting(looked, cachedCall)
  return found !== undefined && found.freshFor > 0 ? found : (fitting(engine.peek(cachedCall), cachedCall) ?? found)
}

/**
 * What was found, when it holds all that the call asks for.
 * A stream that was recorded without its usage is no answer to one who would have got it.
 */
function fitting(found: LookupResult | undefined, cachedCall: CachedCall): LookupResult | undefined {
  return found?.entry.head.omits.every((facet) => cachedCall.missingParts.includes(facet)) === true ? found : undefined
}

/**
 * Boards the flight of a call, or begins it.
 * @param look finds what another process stores meanwhile @default the call does not wait for that
 * @param asked told when the origin is asked, by the call that begins the flight
 */
function board<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  signal: AbortSignal | undefined,
  look: (() => Promise<LookupResult | undefined>) | undefined,
  asked?: () => void,
) {
  const { cachedCall } = call
  const outcome: StoreOutcome = { stored: false, reason: undefined, metering: { usage: undefined, model: cachedCall.model, latency: 0 } }
  const snapshot = engine.snapshot(cachedCall)
  const joiners: CachedCall[] = []
  // The parts of a batch lie at places of their own, and an answer that is made anew is not to be waited for.
  const leases = call.find === undefined && cachedCall.mode !== 'reload' ? engine.leases : undefined
  let lease: LeaseHandle | undefined
  const origin = {
    async start(flightSignal: AbortSignal): Promise<Upstream<Shared<Head>, Item>> {
      lease = await leases?.acquire(cachedCall.storeKey, look, flightSignal)
      asked?.()
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
  const land = (recording: Recording<Shared<Head>, Item>): void => {
    takeIn(engine, call, snapshot, { ...recording, head: recording.head.head }, outcome)
    lease?.end()
    if (recording.head.good) engine.spent(cachedCall, outcome)
    for (const joiner of joiners) engine.countHit(joiner, 'flight', false, outcome)
  }
  return call.flights.join(flightName(cachedCall, snapshot), origin, signal, cachedCall.mode === 'reload', land)
}

function takeIn<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  snapshot: InvalidationSnapshot,
  recording: Recording<Head, Item>,
  outcome: StoreOutcome,
): void {
  try {
    const draft = call.draft(recording)
    if (typeof draft === 'string') engine.skip(call.cachedCall, draft, outcome)
    else if (draft !== undefined) engine.store(call.cachedCall, snapshot, draft, outcome)
  } catch (error) {
    engine.hookFailed(error)
  }
}

/**
 * Callers with one flight name get one upstream answer, byte for byte; so a stream and a whole answer are two flights, and so are
 * calls from before and after an invalidation.
 */
function flightName(cachedCall: CachedCall, { generations }: InvalidationSnapshot): string {
  return JSON.stringify([cachedCall.key, cachedCall.streamed, cachedCall.missingParts, generations])
}

/**
 * The way of a call, the same at every seam: look the answer up, serve it, or else join or start a flight and store what it brings.
 * An answer past its TTL may be served while a new one is fetched, or in place of a provider's outage.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { LookupResult } from '../lookup-result.ts'
import { replaceFacts, type StoreOutcome } from './cache-info.ts'
import type { Engine } from './engine.ts'
import type { FlightReader } from './flight/upstream.ts'
import { type Joined, joinFlight } from './join-flight.ts'
import { joinedReader } from './joined-reader.ts'
import { NotCachedError } from '../not-cached.ts'
import { forBatch, freshForCall, isRead, mayStandIn, notCached, patienceOf, reuse, type ReuseSettings } from './reuse.ts'
import type { EarlierLookup, FlightHead, Seam } from './seam.ts'
import { AnsweredByAnotherProcess } from './shared-store/leases.ts'

/** Answers a call from the cache or from the provider. Rejects only as the provider does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  if (!isRead(cachedCall.mode)) {
    await engine.tiers.refresh(cachedCall)
    signal?.throwIfAborted()
    return fetchNew(engine, call)
  }
  const failure = cachedCall.mode === 'only-if-cached' ? engine.tiers.watchReads() : undefined
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
  if (failure !== undefined) {
    const { operation, scope, key } = cachedCall
    const reason = failure() ?? 'not stored'
    return call.missing(engine.bypass({ operation, scope, key, reason: notCached }), new NotCachedError({ reason, key, scope }))
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
  return { found: await (find === undefined ? tiers.get(cachedCall, patienceOf(cachedCall)) : find()), changes }
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
  const { cachedCall } = call
  return found !== undefined && freshForCall(found, cachedCall) > 0 && reuse(found, cachedCall, settingsOf(engine, call)) !== 'fetch'
}

function settingsOf<Head, Item, Result>({ settings }: Engine, { find }: Seam<Head, Item, Result>): ReuseSettings {
  return find === undefined ? settings : forBatch(settings)
}

/** Calls the provider for an answer of which the cache has nothing to serve. */
async function fetchNew<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const flight = joinFlight(engine, call, {
    signal: call.signal,
    look: waitingFor(engine, call),
    onStart: () => engine.miss(call.cachedCall),
  })
  const shared = await flight.reader.head().catch(ifAnsweredByAnotherProcess)
  return shared instanceof AnsweredByAnotherProcess
    ? answeredElsewhere(engine, call, shared)
    : handOut(engine, call, { ...flight, arrived: shared })
}

/** Calls the provider for an answer of which there is an old one. That one is served if the provider is out of order. */
async function fetchCovered<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  const flight = joinFlight(engine, call, { signal, look: waitingFor(engine, call) })
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
  return handOut(engine, call, { ...flight, arrived: shared })
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

/** The result of a flight, once its head is there. */
function handOut<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { reader, joined, arrived: { head, good, outcome, joiners } }: Joined<Head, Item> & { readonly arrived: FlightHead<Head> },
): Result | Promise<Result> {
  const info = infoOf(engine, call, { hit: joined && good, joined, outcome })
  if (!joined || !good) return call.shared(head, reader, info)
  const joiner = { cachedCall: call.cachedCall, given: false }
  joiners.push(joiner)
  const askAgain = async (): Promise<FlightReader<FlightHead<Head>, Item> | undefined> => askForItself(engine, call, info)
  return call.shared(head, joinedReader({ reader, joiner, signal: call.signal, askAgain }), info)
}

/** Joins or starts another flight, for a call that joined one that broke. @returns nothing if the provider gives no answer */
async function askForItself<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  info: CacheInfo,
): Promise<FlightReader<FlightHead<Head>, Item> | undefined> {
  const { cachedCall, signal } = call
  const onStart = (): void => engine.miss(cachedCall)
  const { reader, joined } = joinFlight(engine, call, { signal, look: undefined, onStart, withoutLease: true })
  const { good, outcome, joiners } = await reader.head()
  if (!good) {
    reader.leave()
    return undefined
  }
  if (joined) joiners.push({ cachedCall, given: true })
  // The caller has the facts already. From now on they are about the other flight.
  replaceFacts(info, infoOf(engine, call, { hit: joined, joined, outcome }))
  return reader
}

function infoOf<Head, Item, Result>(
  engine: Engine,
  { cachedCall }: Seam<Head, Item, Result>,
  { hit, joined, outcome }: { readonly hit: boolean; readonly joined: boolean; readonly outcome: StoreOutcome },
): CacheInfo {
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: cachedCall.ttl, stale: false }
  return engine.info(cachedCall, facts, outcome)
}

/** Fetches a new answer in the background. A failure is counted and disturbs no call while the old answer may be served. */
function refresh<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): void {
  const failed = (): void => engine.stats.error('refresh')
  const work = async (): Promise<boolean> => {
    try {
      const isNew = await isRenewed(joinFlight(engine, call, { signal: undefined, look: undefined }).reader)
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

async function isRenewed<Head, Item>(reader: FlightReader<FlightHead<Head>, Item>): Promise<boolean> {
  const { good, outcome } = await reader.head()
  if (!good) {
    reader.leave()
    return false
  }
  while ((await reader.next()) !== undefined);
  return outcome.stored
}

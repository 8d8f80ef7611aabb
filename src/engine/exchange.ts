/**
 * The way of a call, the same at every seam: look the answer up, serve it, or else join or start a flight and store what it brings.
 * An answer past its TTL may be served while a new one is fetched, or in place of a provider's outage.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { LookupResult } from '../lookup-result.ts'
import { arrival, type AskOneself } from './arrival.ts'
import { isStored, type LaterInfo, replaceFacts, type StoreOutcome } from './cache-info.ts'
import type { Engine } from './engine.ts'
import type { FlightReader } from './flight/upstream.ts'
import { joinFlight } from './join-flight.ts'
import { joinedReader } from './joined-reader.ts'
import { NotCachedError } from '../not-cached.ts'
import { forBatch, freshForCall, isRead, mayStandIn, notCached, patienceOf, reuse, type ReuseSettings } from './reuse.ts'
import type { EarlierLookup, FlightHead, Joined, Seam } from './seam.ts'
import { watched } from './shadow.ts'
import { AnsweredByAnotherProcess } from './shared-store/leases.ts'

/** Answers a call from the cache or from the provider. Rejects only as the provider does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Result> {
  const { cachedCall, signal } = call
  if (call.joined !== undefined) return fetchNew(engine, call)
  if (!isRead(cachedCall.mode)) {
    await engine.tiers.refresh(cachedCall)
    const asked = cachedCall.shadow === true ? await watched(engine, call) : call
    signal?.throwIfAborted()
    return fetchNew(engine, asked)
  }
  const failure = cachedCall.mode === 'only-if-cached' ? engine.tiers.watchReads() : undefined
  // Always await, even for a hit in memory: an event listener that makes the same call must not re-enter itself.
  const lookup = await look(engine, call)
  signal?.throwIfAborted()
  // From here until the call has joined a flight, nothing is awaited.
  const found = latest(engine, call, lookup)
  const use = reuse(found, cachedCall, settingsOf(engine, call))
  if (found !== undefined && use !== 'fetch') {
    const result = serve(engine, call, found)
    if (result !== undefined && use === 'refresh') refresh(engine, call)
    if (result !== undefined) return result.value
  }
  if (failure !== undefined) {
    const { scope, key } = cachedCall
    const reason = failure() ?? 'not stored'
    const message = engine.settings.recordings?.whyMissing(cachedCall.inputKeys ?? [key])
    return call.missing(engine.bypass({ ...cachedCall, reason: notCached }), new NotCachedError({ reason, key, scope, message }))
  }
  if (found === undefined || use !== 'fetch' || !mayStandIn(found, cachedCall, engine.settings)) return fetchNew(engine, call)
  const result = engine.refreshes.isPaused(cachedCall.storeKey) ? serve(engine, call, found) : undefined
  return result === undefined ? fetchCovered(engine, call) : result.value
}

async function look<Head, Item, Result>(engine: Engine, { cachedCall, find, earlier }: Seam<Head, Item, Result>): Promise<EarlierLookup> {
  if (earlier !== undefined) return earlier
  const { tiers } = engine
  const { changes } = tiers
  return { found: await (find === undefined ? tiers.get(cachedCall, patienceOf(cachedCall)) : findSafely(engine, find)), changes }
}

/** An answer that cannot be put together of its parts is a miss. */
async function findSafely(engine: Engine, find: () => Promise<LookupResult | undefined>): Promise<LookupResult | undefined> {
  try {
    return await find()
  } catch (error) {
    engine.hookFailed(error)
    return undefined
  }
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
async function fetchNew<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>, turn = firstTurn): Promise<Result> {
  const isFirst = turn === firstTurn
  const flight =
    (isFirst ? call.joined : undefined) ??
    joinFlight(engine, call, {
      signal: call.signal,
      look: waitingFor(engine, call),
      onStart: () => engine.miss(call.cachedCall),
      alone: turn.alone,
      crowd: isFirst && call.find === undefined ? call.crowd : undefined,
    })
  const arrived = await arrival(engine, call, flight)
  if ('alone' in arrived) return fetchNew(engine, call, nextTurn(turn, arrived))
  if (!('error' in arrived)) return handOut(engine, call, { ...flight, arrived })
  if (arrived.error instanceof AnsweredByAnotherProcess) return answeredElsewhere(engine, call, arrived.error)
  throw arrived.error
}

/** Calls the provider for an answer of which there is an old one. That one is served if the provider is out of order. */
async function fetchCovered<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>, turn = firstTurn): Promise<Result> {
  const { cachedCall, signal } = call
  // Each of the others decides about the old answer for itself.
  call.crowd?.close()
  const flight = joinFlight(engine, call, { signal, look: waitingFor(engine, call), alone: turn.alone })
  const arrived = await arrival(engine, call, flight)
  if ('alone' in arrived) return fetchCovered(engine, call, nextTurn(turn, arrived))
  if ('error' in arrived && arrived.error instanceof AnsweredByAnotherProcess) return answeredElsewhere(engine, call, arrived.error)
  if (signal?.aborted !== true && call.isOutage(arrived)) {
    // Looked up again, as it may have been invalidated meanwhile.
    const lookup = await look(engine, { ...call, earlier: undefined })
    signal?.throwIfAborted()
    const found = latest(engine, call, lookup)
    const result = found !== undefined && mayStandIn(found, cachedCall, engine.settings) ? serve(engine, call, found) : undefined
    if (result !== undefined) {
      flight.reader.leave()
      engine.refreshes.pause(cachedCall.storeKey)
      return result.value
    }
  }
  if (!flight.joined) engine.miss(cachedCall)
  if ('error' in arrived) throw arrived.error
  return handOut(engine, call, { ...flight, arrived })
}

/** How often a call has joined flights that failed by another call's fault. */
interface Turn extends AskOneself {
  readonly number: number
}

const firstTurn: Turn = { number: 0, alone: false }

/** A call joins another flight once. After that it asks alone, or calls would fail one after the other, each with the limits of the next. */
function nextTurn({ number }: Turn, { alone }: AskOneself): Turn {
  return { number: number + 1, alone: alone || number > 0 }
}

/**
 * The result of a hit; `undefined` if the entry cannot be given in the form that the call asks for, as when it is nested too deeply. That is
 * a fault of the cache, and the provider is called.
 */
function serve<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  found: LookupResult,
): { readonly value: Result } | undefined {
  try {
    let info: (() => CacheInfo) | undefined
    const value = call.stored(engine.usageView.of(found), () => (info ??= engine.hit(call.cachedCall, found))())
    info ??= engine.hit(call.cachedCall, found)
    return { value }
  } catch (error) {
    engine.hookFailed(error)
    return undefined
  }
}

/** Finds what another process stores, for a call that waits for it. */
function waitingFor<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): () => Promise<LookupResult | undefined> {
  return async () => {
    const found = await engine.tiers.get(call.cachedCall)
    return isFresh(engine, call, found) ? found : undefined
  }
}

/** The result of a call that another process answers. */
function answeredElsewhere<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { found }: AnsweredByAnotherProcess,
): Result | Promise<Result> {
  // A flight ends without the answer only if the call that started it does not wait for one. A call that joined it starts over.
  if (found === undefined) return exchange(engine, { ...call, earlier: undefined, joined: undefined })
  const result = serve(engine, call, found)
  return result === undefined ? fetchNew(engine, call, { number: 1, alone: true }) : result.value
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
  info: LaterInfo,
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
  replaceFacts(info.info, infoOf(engine, call, { hit: joined, joined, outcome }).info)
  return reader
}

function infoOf<Head, Item, Result>(
  engine: Engine,
  { cachedCall }: Seam<Head, Item, Result>,
  { hit, joined, outcome }: { readonly hit: boolean; readonly joined: boolean; readonly outcome: StoreOutcome },
): LaterInfo {
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
  return isStored(outcome)
}

/**
 * The way of a call, the same at every seam: look it up, else join or open a flight, and take in what the flight leaves behind.
 * An answer past its TTL may be served while a new one is fetched, or in place of the origin's outage.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { Beginning, Draft, Engine, Found } from './engine.ts'
import type { Fate } from './cache-info.ts'
import type { Passenger, Recording, Upstream } from './flight/flight.ts'
import type { Flights } from './flight/flights.ts'
import { AnsweredElsewhere, type Turn } from './shared-store/leases.ts'
import type { Plan } from './cached-call.ts'
import { refreshesOf } from './flight/refreshes.ts'
import { mayStandIn, useOf } from './reuse.ts'

/** A flight's head, with what becomes of the answer and who shares in it. */
export interface Shared<Head> {
  readonly head: Head
  /** Whether it is an answer rather than an error. */
  readonly good: boolean
  readonly fate: Fate
  /** The calls that joined the flight and are to be counted at its end. */
  readonly joiners: Plan[]
}

/** How an origin answered a call: with a head, or not at all. */
export type Said<Head> = { readonly head: Head } | { readonly error: unknown }

/** What a seam knows how to do for one call. */
export interface Exchange<Head, Item, Result> {
  readonly plan: Plan
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  readonly flights: Flights<Shared<Head>, Item>
  /** Looks the answer up. @default by the plan's own key */
  readonly find?: () => Promise<Found | undefined>
  /** What was found by the plan's own key just now, by one who need not look once more. */
  readonly looked?: { readonly found: Found | undefined } | undefined
  /** Asks the origin. What the call cost goes into `fate` where {@link Exchange.draft} does not tell it. */
  start(signal: AbortSignal, fate: Fate): Promise<Upstream<Head, Item>>
  /** Whether the origin is out of order, rather than the call at fault, by what it answered or by what was thrown in place of an answer. */
  isOutage(said: Said<Head>): boolean
  /** An item's size in bytes. */
  size(item: Item): number
  /** The draft of what was recorded, or the reason why there is none; `undefined` when the answer is stored in parts already. */
  draft(recording: Recording<Head, Item>): Draft | string | undefined
  /** The result of a hit; `tell` makes its facts. */
  stored(found: Found, tell: () => CacheInfo): Result
  /** The result of a flight. */
  shared(head: Head, passenger: Passenger<Shared<Head>, Item>, info: CacheInfo): Result | Promise<Result>
  /** The result of a call that must not go to the origin and has nothing stored. */
  missing(info: CacheInfo): Result
}

/** Answers a call from the cache or from the origin. Rejects only as the origin does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Exchange<Head, Item, Result>): Promise<Result> {
  const { plan, signal } = call
  if (plan.mode !== 'reload') {
    // Waited for in any case, so that a listener who asks the same is not called within himself.
    const looked = await look(engine, call)
    signal?.throwIfAborted()
    // From here to boarding a flight nothing is waited for.
    const found = freshest(engine, plan, looked)
    const use = found === undefined ? 'ask' : useOf(found, plan.mode, engine.settings)
    if (found !== undefined && use !== 'ask') {
      if (use === 'refresh') refresh(engine, call, found)
      return call.stored(found, engine.hit(plan, found))
    }
    if (plan.mode === 'only-if-cached') {
      const { operation, scope } = plan
      return call.missing(engine.bypass({ operation, scope, reason: 'not cached' }))
    }
    const isCovered = found !== undefined && mayStandIn(found, engine.settings)
    if (isCovered && refreshesOf(engine).isPaused(plan.storeKey)) return call.stored(found, engine.hit(plan, found))
    if (isCovered) return askCovered(engine, call)
  } else {
    await engine.refresh(plan)
    signal?.throwIfAborted()
  }
  const { passenger, joined } = board(engine, call, signal, waitingFor(engine, call), () => engine.miss(plan))
  const shared = await passenger.head().catch(ifElsewhere)
  return shared instanceof AnsweredElsewhere ? elsewhere(engine, call, shared) : handOut(engine, call, passenger, joined, shared)
}

function look<Head, Item, Result>(
  engine: Engine,
  { plan, find, looked }: Exchange<Head, Item, Result>,
): Found | undefined | Promise<Found | undefined> {
  if (find !== undefined) return find()
  return looked === undefined ? (engine.recall(plan) ?? engine.find(plan)) : looked.found
}

/** Asks the origin for an answer of which there is an old one, which stands in where the origin is out of order. */
async function askCovered<Head, Item, Result>(engine: Engine, call: Exchange<Head, Item, Result>): Promise<Result> {
  const { plan, signal } = call
  const { passenger, joined } = board(engine, call, signal, waitingFor(engine, call))
  const shared = await passenger.head().catch((error: unknown) => ({ error }))
  if ('error' in shared && shared.error instanceof AnsweredElsewhere) return elsewhere(engine, call, shared.error)
  if (signal?.aborted !== true && call.isOutage(shared)) {
    // Looked up anew, as it may have been invalidated meanwhile.
    const looked = call.find === undefined ? await engine.find(plan) : await call.find()
    signal?.throwIfAborted()
    const found = freshest(engine, plan, looked)
    if (found !== undefined && mayStandIn(found, engine.settings)) {
      passenger.leave()
      refreshesOf(engine).pause(plan.storeKey)
      return call.stored(found, engine.hit(plan, found))
    }
  }
  if (!joined) engine.miss(plan)
  if ('error' in shared) throw shared.error
  return handOut(engine, call, passenger, joined, shared)
}

/** Finds what another process stores meanwhile, where a call may wait for that. */
function waitingFor<Head, Item, Result>(engine: Engine, { plan }: Exchange<Head, Item, Result>): () => Promise<Found | undefined> {
  return async () => {
    const found = fitting(await engine.find(plan), plan)
    return found !== undefined && found.remaining > 0 ? found : undefined
  }
}

/** What ended a flight, when it is that another process has the answer. */
function ifElsewhere(error: unknown): AnsweredElsewhere {
  if (error instanceof AnsweredElsewhere) return error
  throw error
}

/** The result of a call that another process has the answer to. */
function elsewhere<Head, Item, Result>(
  engine: Engine,
  call: Exchange<Head, Item, Result>,
  { found }: AnsweredElsewhere,
): Result | Promise<Result> {
  // Only who does not wait for it is told of an answer that is not there yet, and nobody joins his flight unless he would do the same.
  return found === undefined ? exchange(engine, call) : call.stored(found, engine.hit(call.plan, found))
}

/** The result of a flight, once its head is there. */
function handOut<Head, Item, Result>(
  engine: Engine,
  call: Exchange<Head, Item, Result>,
  passenger: Passenger<Shared<Head>, Item>,
  joined: boolean,
  { head, good, fate, joiners }: Shared<Head>,
): Result | Promise<Result> {
  const { plan } = call
  const hit = joined && good
  if (hit) joiners.push(plan)
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: plan.ttl, stale: false }
  return call.shared(head, passenger, engine.info(plan, facts, fate))
}

/** Fetches an answer anew behind the caller's back. That it failed is counted, and nobody's concern until the old one is over. */
function refresh<Head, Item, Result>(engine: Engine, call: Exchange<Head, Item, Result>, { remaining }: Found): void {
  // Of a batch that is fresh as a whole, no input is missing, and so there would be nothing to ask for.
  if (call.find !== undefined && remaining > 0) return
  const failed = (): void => engine.stats.error('refresh')
  const work = async (): Promise<boolean> => {
    try {
      const renewed = await isRenewed(board(engine, call, undefined, undefined).passenger)
      if (!renewed) failed()
      return renewed
    } catch (error) {
      // Another process is at it, which is as good, and no failure.
      if (error instanceof AnsweredElsewhere) return false
      throw error
    }
  }
  refreshesOf(engine).begin(call.plan.storeKey, work, failed)
}

async function isRenewed<Head, Item>(passenger: Passenger<Shared<Head>, Item>): Promise<boolean> {
  const { good, fate } = await passenger.head()
  if (!good) {
    passenger.leave()
    return false
  }
  while ((await passenger.next()) !== undefined);
  return fate.stored
}

/** What was found, or what came in while it was looked for. */
function freshest(engine: Engine, plan: Plan, looked: Found | undefined): Found | undefined {
  const found = fitting(looked, plan)
  return found !== undefined && found.remaining > 0 ? found : (fitting(engine.landed(plan), plan) ?? found)
}

/**
 * What was found, when it holds all that the call asks for.
 * A stream that was recorded without its usage is no answer to one who would have got it.
 */
function fitting(found: Found | undefined, plan: Plan): Found | undefined {
  return found?.entry.head.omits.every((facet) => plan.omits.includes(facet)) === true ? found : undefined
}

/**
 * Boards the flight of a call, or begins it.
 * @param look finds what another process stores meanwhile @default the call does not wait for that
 * @param asked told when the origin is asked, by the call that begins the flight
 */
function board<Head, Item, Result>(
  engine: Engine,
  call: Exchange<Head, Item, Result>,
  signal: AbortSignal | undefined,
  look: (() => Promise<Found | undefined>) | undefined,
  asked?: () => void,
) {
  const { plan } = call
  const fate: Fate = { stored: false, reason: undefined, usage: undefined, model: plan.model, latency: 0 }
  const beginning = engine.begin(plan)
  const joiners: Plan[] = []
  // The parts of a batch lie at places of their own, and an answer that is made anew is not to be waited for.
  const leases = call.find === undefined && plan.mode !== 'reload' ? engine.leases : undefined
  let turn: Turn | undefined
  const origin = {
    async start(flightSignal: AbortSignal): Promise<Upstream<Shared<Head>, Item>> {
      turn = await leases?.turn(plan.storeKey, look, flightSignal)
      asked?.()
      try {
        const { head, items, shareable } = await call.start(flightSignal, fate)
        return { head: { head, good: shareable, fate, joiners }, items, shareable }
      } catch (error) {
        turn?.end()
        throw error
      }
    },
    size: (item: Item) => call.size(item),
  }
  const land = (recording: Recording<Shared<Head>, Item>): void => {
    takeIn(engine, call, beginning, { ...recording, head: recording.head.head }, fate)
    turn?.end()
    if (recording.head.good) engine.spent(plan, fate)
    for (const joiner of joiners) engine.countHit(joiner, 'flight', false, fate)
  }
  return call.flights.board(flightName(plan, beginning), origin, signal, plan.mode === 'reload', land)
}

function takeIn<Head, Item, Result>(
  engine: Engine,
  call: Exchange<Head, Item, Result>,
  beginning: Beginning,
  recording: Recording<Head, Item>,
  fate: Fate,
): void {
  try {
    const draft = call.draft(recording)
    if (typeof draft === 'string') engine.skip(call.plan, draft, fate)
    else if (draft !== undefined) engine.store(call.plan, beginning, draft, fate)
  } catch (error) {
    engine.hookFailed(error)
  }
}

/**
 * Callers with one flight name get one upstream answer, byte for byte; so a stream and a whole answer are two flights, and so are
 * calls from before and after an invalidation.
 */
function flightName(plan: Plan, { marks }: Beginning): string {
  return JSON.stringify([plan.key, plan.streamed, plan.omits, marks])
}

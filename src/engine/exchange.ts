/**
 * The way of a call, the same at every seam: look it up, else join or open a flight, and take in what the flight leaves behind.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { Beginning, Draft, Engine, Found } from './engine.ts'
import type { Fate } from './facts.ts'
import type { Passenger, Recording, Upstream } from './flight.ts'
import type { Flights } from './flights.ts'
import type { Plan } from './plan.ts'

/** A flight's head, with what becomes of the answer and who shares in it. */
export interface Shared<Head> {
  readonly head: Head
  /** Whether it is an answer rather than an error. */
  readonly good: boolean
  readonly fate: Fate
  /** The calls that joined the flight and are to be counted at its end. */
  readonly joiners: Plan[]
}

/** What a seam knows how to do for one call. */
export interface Exchange<Head, Item, Result> {
  readonly plan: Plan
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  readonly flights: Flights<Shared<Head>, Item>
  /** Looks the answer up. @default by the plan's own key */
  readonly find?: () => Promise<Found | undefined>
  /** Asks the origin. What the call cost goes into `fate` where {@link Exchange.draft} does not tell it. */
  start(signal: AbortSignal, fate: Fate): Promise<Upstream<Head, Item>>
  /** An item's size in bytes. */
  size(item: Item): number
  /** The draft of what was recorded, or the reason why there is none; `undefined` when the answer is stored in parts already. */
  draft(recording: Recording<Head, Item>): Draft | string | undefined
  /** The result of a hit. */
  stored(found: Found, info: CacheInfo): Result
  /** The result of a flight. */
  shared(head: Head, passenger: Passenger<Shared<Head>, Item>, info: CacheInfo): Result | Promise<Result>
  /** The result of a call that must not go to the origin and has nothing stored. */
  missing(info: CacheInfo): Result
}

/** Answers a call from the cache or from the origin. Rejects only as the origin does, or with the caller's own abort reason. */
export async function exchange<Head, Item, Result>(engine: Engine, call: Exchange<Head, Item, Result>): Promise<Result> {
  const { plan, signal } = call
  if (plan.mode !== 'reload') {
    const looked = call.find === undefined ? await engine.find(plan) : await call.find()
    signal?.throwIfAborted()
    // The answer may have come in while the look-up was on its way; from here to boarding a flight nothing is waited for.
    const found = usable(looked, plan) ?? usable(engine.landed(plan), plan)
    if (found !== undefined) return call.stored(found, engine.hit(plan, found))
    if (plan.mode === 'only-if-cached') {
      const { operation, scope } = plan
      return call.missing(engine.bypass({ operation, scope, reason: 'not cached' }))
    }
  } else {
    await engine.refresh(plan)
    signal?.throwIfAborted()
  }
  const { passenger, joined } = board(engine, call)
  if (!joined) engine.miss(plan)
  const { head, good, fate, joiners } = await passenger.head()
  const hit = joined && good
  if (hit) joiners.push(plan)
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: plan.ttl, stale: false }
  return call.shared(head, passenger, engine.info(plan, facts, fate))
}

/**
 * What was found, when it may answer this call: fresh, or stale where that is good enough, and holding all that the call asks for.
 * A stream that was recorded without its usage is no answer to one who would have got it.
 */
function usable(found: Found | undefined, plan: Plan): Found | undefined {
  if (found === undefined || (found.remaining <= 0 && plan.mode !== 'force-cache')) return undefined
  return found.entry.head.omits.every((facet) => plan.omits.includes(facet)) ? found : undefined
}

function board<Head, Item, Result>(engine: Engine, call: Exchange<Head, Item, Result>) {
  const { plan, signal } = call
  const fate: Fate = { stored: false, reason: undefined, usage: undefined, model: plan.model, latency: 0 }
  const beginning = engine.begin(plan)
  const joiners: Plan[] = []
  const origin = {
    async start(flightSignal: AbortSignal): Promise<Upstream<Shared<Head>, Item>> {
      const { head, items, shareable } = await call.start(flightSignal, fate)
      return { head: { head, good: shareable, fate, joiners }, items, shareable }
    },
    size: (item: Item) => call.size(item),
  }
  const land = (recording: Recording<Shared<Head>, Item>): void => {
    takeIn(engine, call, beginning, { ...recording, head: recording.head.head }, fate)
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

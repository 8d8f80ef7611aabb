/**
 * How a call takes part in a flight, and how the flight's answer is stored.
 * @module
 */
import { entryKey } from '../key/store-keys.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { CachedCall } from './cached-call.ts'
import { noteCost, type StoreOutcome } from './cache-info.ts'
import type { Engine, Filling } from './engine.ts'
import type { Recording, Upstream } from './flight/upstream.ts'
import { isRead } from './reuse.ts'
import type { CallLimits, Crowd, FlightHead, Joined, Joiner, Seam } from './seam.ts'
import type { LeaseHandle } from './shared-store/leases.ts'
import { beginFlight, type ToldFlight } from './told-flight.ts'
import type { InvalidationSnapshot } from './tiers/invalidation-snapshot.ts'

/** How a call takes part in a flight. */
export interface Participation<Head, Item> {
  readonly signal: AbortSignal | undefined
  /** Finds what another process stores meanwhile; `undefined` if the call does not wait for that. */
  readonly look: (() => Promise<LookupResult | undefined>) | undefined
  /** Equal calls that wait for this one before they come to the seam. */
  readonly crowd?: Crowd<Head, Item> | undefined
  /** Called before the provider is called, if this call starts the flight. */
  readonly onStart?: () => void
  /** Whether to start a flight even if one is open. @default only if the call does not read the cache */
  readonly alone?: boolean
  /** Whether to call the provider without a lease, so that the call never waits for another process. @default false */
  readonly withoutLease?: boolean
}

/** Joins the flight of a call, or starts it. What the flight brings is stored, or it is noted why not. */
export function joinFlight<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { signal, look: lookElsewhere, onStart, withoutLease = false, alone: startsOwn = false, crowd }: Participation<Head, Item>,
): Joined<Head, Item> {
  const { cachedCall } = call
  const outcome: StoreOutcome = { stored: false, reason: undefined, metering: { usage: undefined, model: cachedCall.model, latency: 0 } }
  const snapshot = engine.tiers.snapshot(cachedCall)
  const joiners: Joiner[] = []
  const alone = startsOwn || !isRead(cachedCall.mode)
  // The parts of a batch are stored under keys of their own. A call that does not read must not wait for another process's answer.
  const leases = call.find === undefined && !alone && !withoutLease ? engine.tiers.leases : undefined
  let lease: LeaseHandle | undefined
  let told: ToldFlight | undefined
  const origin = {
    async start(flightSignal: AbortSignal): Promise<Upstream<FlightHead<Head>, Item>> {
      lease = await leases?.acquire(cachedCall.storeKey, lookElsewhere, flightSignal)
      onStart?.()
      told = beginFlight(engine, cachedCall, flightSignal)
      try {
        const { head, items, shareable } = await call.start(flightSignal, outcome)
        told?.arrived()
        return { head: { head, good: shareable, outcome, joiners }, items, shareable }
      } catch (error) {
        told?.land('failed', outcome)
        lease?.end()
        throw error
      }
    },
    size: (item: Item) => call.size(item),
  }
  const ended = (recording: Recording<FlightHead<Head>, Item>): void => {
    take(engine, call, { recording: { ...recording, head: recording.head.head }, snapshot, outcome })
    lease?.end()
    told?.land(recording.head.good ? recording.end : 'failed', outcome)
    if (recording.head.good) engine.spent(cachedCall, outcome)
    for (const { cachedCall: joined, given } of joiners) {
      // A call that got nothing of a broken flight asks for itself, and is counted there.
      if (given || recording.end !== 'failed') engine.countHit(joined, { source: 'flight', stale: false, outcome })
    }
    if (recording.head.good && recording.end === 'complete') crowd?.landed()
  }
  // Other processes must not wait for an answer that no caller reads.
  const idle = (): void => lease?.end()
  const begun = engine.settings.clock.monotonic()
  const leader: Leader = { begun, limits: call.limits }
  const name = flightName(engine, call, snapshot)
  const closed = crowd && ((): void => crowd.close())
  const flight = call.flights.join(name, origin, { signal, alone, idle, ended, leader, closed })
  // Calls from before and after an invalidation must not get one answer.
  const mayJoin = (): boolean =>
    flight.isOpen() && snapshot.isCurrent() && flightName(engine, call, engine.tiers.snapshot(cachedCall)) === name
  if (flight.joined || alone) crowd?.close()
  else crowd?.started({ cachedCall, outcome, mayJoin, join: flight.join, size: origin.size })
  const { begun: start, limits } = isLeader(flight.leader) ? flight.leader : leader
  return { reader: flight.reader, joined: flight.joined, late: begun - start, limits }
}

/** What a flight knows of the call that started it. */
interface Leader {
  readonly begun: number
  readonly limits: CallLimits | undefined
}

function isLeader(value: unknown): value is Leader {
  return typeof value === 'object' && value !== null && 'begun' in value
}

/** Stores what a flight recorded, or notes why not. */
function take<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { recording, ...filling }: Filling & { readonly recording: Recording<Head, Item> },
): void {
  try {
    const draft = call.draft(recording)
    if (typeof draft === 'string') engine.skip(call.cachedCall, draft, filling.outcome)
    if (typeof draft === 'string' || draft === undefined) return
    const reason = call.beforeStore?.(draft)
    if (reason === undefined) return engine.store(call.cachedCall, draft, filling)
    noteCost(filling.outcome, draft)
    engine.skip(call.cachedCall, reason, filling.outcome)
  } catch (error) {
    engine.hookFailed(error)
  }
}

/**
 * Calls with one flight name get one answer of the provider, byte for byte. So a stream and a whole answer are two flights, and so are
 * calls from before and after an invalidation, or the removal of the answer or of one of its inputs.
 */
function flightName({ tiers, settings }: Engine, { cachedCall, form }: NamedCall, { generations }: InvalidationSnapshot): string {
  const { key, streamed, missingParts, storeKey, inputKeys = [] } = cachedCall
  const removal = tiers.removals.last([storeKey, ...inputKeys.map((inputKey) => entryKey(settings.namespace, inputKey))])
  return JSON.stringify([key, streamed, missingParts, generations, removal, ...(form === undefined ? [] : [form])])
}

/** What names a flight. */
interface NamedCall {
  readonly cachedCall: CachedCall
  readonly form?: string | undefined
}

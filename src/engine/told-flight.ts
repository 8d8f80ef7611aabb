/**
 * What the cache tells of calls to the provider: when each begins, and how it ends.
 * @module
 */
import { DeadlineError } from '../errors.ts'
import type { LandingEvent } from '../events.ts'
import type { StoreOutcome } from './cache-info.ts'
import type { CachedCall } from './cached-call.ts'
import { factsOf } from './call-events.ts'
import type { Engine } from './engine.ts'

/** A flight that was told of. */
export interface ToldFlight {
  /** Its head has come. A flight that no caller waits for any longer ends here. */
  arrived(): void
  /** It is over. Only the first call tells of it. */
  land(end: LandingEvent['end'], outcome: StoreOutcome): void
}

let flights = 0

/** Tells that a flight begins. @returns `undefined` if nothing listens */
export function beginFlight(
  { events, settings: { clock } }: Pick<Engine, 'events' | 'settings'>,
  cachedCall: CachedCall,
  signal: AbortSignal,
): ToldFlight | undefined {
  if (!events.isHeard('flight') && !events.isHeard('landing')) return undefined
  const facts = { ...factsOf(cachedCall), flight: ++flights }
  const begun = clock.monotonic()
  let isOver = false
  const land = (end: LandingEvent['end'], answered = cachedCall.model, usage?: LandingEvent['usage']): void => {
    if (isOver) return
    isOver = true
    // An abort by our own deadline is a failure: callers were waiting.
    const isCancelled = signal.aborted && !(signal.reason instanceof DeadlineError) && end !== 'complete'
    events.emit('landing', { ...facts, end: isCancelled ? 'cancelled' : end, answered, usage, milliseconds: clock.monotonic() - begun })
  }
  events.emit('flight', facts)
  return {
    arrived() {
      if (signal.aborted) land('cancelled')
    },
    land: (end, { metering: { model, usage } }) => land(end, model === '' ? cachedCall.model : model, usage),
  }
}

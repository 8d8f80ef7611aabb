/**
 * What the cache tells of calls to the provider, as events and on the tracing channel `llmemo:flight`: when each begins, and how it ends.
 * @module
 */
import { Tracing } from '../base/tracing.ts'
import { DeadlineError } from '../errors.ts'
import type { FlightEvent, LandingEvent } from '../events.ts'
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

/** What is told on the tracing channel: the members of a `landing` event, the last ones when it is over. */
export type TracedFlight = FlightEvent & Partial<LandingEvent>

let flights = 0
/** Made for the first flight: an import of this module loads nothing. */
let tracing: Tracing<TracedFlight> | undefined

/** Tells that a flight begins. @returns `undefined` if nothing listens */
export function beginFlight(
  { events, settings: { clock } }: Pick<Engine, 'events' | 'settings'>,
  cachedCall: CachedCall,
  signal: AbortSignal,
): ToldFlight | undefined {
  tracing ??= new Tracing<TracedFlight>('llmemo:flight')
  if (!events.isHeard('flight') && !events.isHeard('landing') && !tracing.isHeard) return undefined
  const facts = { ...factsOf(cachedCall), flight: ++flights }
  const begun = clock.monotonic()
  let isOver = false
  const land = (end: LandingEvent['end'], answered = cachedCall.model, usage?: LandingEvent['usage']): void => {
    if (isOver) return
    isOver = true
    // An abort by our own deadline is a failure: callers were waiting.
    const isCancelled = signal.aborted && !(signal.reason instanceof DeadlineError) && end !== 'complete'
    const ended = { end: isCancelled ? 'cancelled' : end, answered, usage, milliseconds: clock.monotonic() - begun } as const
    events.emit('landing', { ...facts, ...ended })
    settle?.(ended, ended.end === 'failed')
  }
  const settle = tracing.begin(() => ({ ...facts }))
  events.emit('flight', facts)
  return {
    arrived() {
      if (signal.aborted) land('cancelled')
    },
    land: (end, { metering: { model, usage } }) => land(end, model === '' ? cachedCall.model : model, usage),
  }
}

/**
 * Hits that are told together, for who only counts them: the event `hits`. To tell each hit by itself takes several times longer than to
 * count it.
 * @module
 */
import type { Clock } from '../clock.ts'
import type { Usage } from '../entry.ts'
import type { EventEmitter, HitsEvent } from '../events.ts'
import { factsOf, type ToldCall, type ToldHit } from './call-events.ts'
import { charactersOf } from './characters.ts'

/** Milliseconds after which hits are told at the latest. */
const interval = 1_000
/** Kinds of hits that wait at most; the next one has all told at once. */
const maxWaiting = 256

/** Hits that are alike. */
interface Alike {
  readonly call: ToldCall
  readonly usage: Usage | undefined
  readonly source: ToldHit['source']
  readonly stale: boolean
  readonly latency: number
  readonly inputs: number
  times: number
}

/** Gathers hits, and emits them. */
export class ToldHits {
  readonly #events: EventEmitter
  readonly #clock: Clock
  #waiting: Alike[] = []
  #last: Alike | undefined
  #isTelling = false
  /** Whether a timer runs. There is one at a time, however often other events have all told. */
  #isTimed = false

  constructor(events: EventEmitter, clock: Clock) {
    this.#events = events
    this.#clock = clock
    // What is told later must not seem to have happened before.
    events.beforeOthers('hits', () => this.flush())
  }

  /** Notes a hit. Calls no listener. */
  note(call: ToldCall, { usage, source, stale, latency, inputs }: ToldHit): void {
    const last = this.#last
    if (last !== undefined && isSameCall(last.call, call)) {
      // The usage of a stored answer is one object.
      if (last.usage === usage && last.source === source && last.stale === stale && last.latency === latency && last.inputs === inputs) {
        last.times++
        return
      }
    }
    this.#last = { call, usage, source, stale, latency, inputs, times: 1 }
    this.#waiting.push(this.#last)
    this.#tellInTime()
    // No listener is called before the caller has its answer.
    if (this.#waiting.length === maxWaiting) void Promise.resolve().then(() => this.flush())
  }

  #tellInTime(): void {
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(interval, () => {
      this.#isTimed = false
      this.flush()
    })
  }

  /** Tells of all hits until now. */
  flush(): void {
    // A listener that makes calls must not be told of them while it makes them.
    if (this.#isTelling || this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#last = undefined
    this.#isTelling = true
    for (const alike of waiting) this.#events.emit('hits', eventOf(alike))
    this.#isTelling = false
  }
}

/** Whether two calls are told as one. A lane has the same object for each; model and endpoint are in the key. */
function isSameCall(first: ToldCall, second: ToldCall): boolean {
  if (first === second) return true
  const { key, scope, operation, streamed } = first
  return key === second.key && scope === second.scope && operation === second.operation && streamed === second.streamed
}

function eventOf({ call, usage, source, stale, latency, inputs, times }: Alike): HitsEvent {
  const tokens = usage === undefined ? 0 : (usage.input + usage.output) * times
  const characters = charactersOf(call)
  return { ...factsOf(call), source, stale, characters, inputs: inputs * times, tokens, latency: Math.round(latency) * times }
}

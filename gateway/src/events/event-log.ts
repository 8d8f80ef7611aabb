/**
 * The last events of the cache, by number. It listens only while a stream is open, and a short time after the last one: what a hit saved
 * takes time to find out.
 * @module
 */
import type { Cache, Clock } from 'llmemo'
import { hitEvent, invalidateEvent, type KeptEvent, missEvent } from './events.ts'

/** Events that are kept: the oldest go first. */
const kept = 1_000

/** Milliseconds for which it goes on listening when the last stream has ended, so that its client finds what it missed. */
const listensOn = 5 * 60_000

/** An event and its number. */
export interface NumberedEvent extends KeptEvent {
  readonly number: number
}

/** The last events of one cache. */
export class EventLog {
  /** Tells the numbers of this process from those of another one. */
  readonly name = crypto.randomUUID().slice(0, 8)
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #events: NumberedEvent[] = []
  readonly #wakers = new Set<() => void>()
  #last = 0
  #stopListening: (() => void) | undefined
  #cancelStop: (() => void) | undefined

  constructor(cache: Cache, clock: Clock) {
    this.#cache = cache
    this.#clock = clock
  }

  /** The number of the last event; 0 if there was none. */
  get last(): number {
    return this.#last
  }

  /** How many streams follow it. */
  get followers(): number {
    return this.#wakers.size
  }

  /** Calls `wake` at each event. @returns a function that ends that */
  follow(wake: () => void): () => void {
    this.#wakers.add(wake)
    this.#cancelStop?.()
    this.#stopListening ??= this.#listen()
    return () => {
      const isLast = this.#wakers.delete(wake) && this.#wakers.size === 0
      if (isLast && this.#stopListening !== undefined) this.#cancelStop = this.#clock.after(listensOn, () => this.stop())
    }
  }

  /** The events after this number; `undefined` if some of them are not kept any longer. */
  after(number: number): readonly NumberedEvent[] | undefined {
    const first = this.#last - this.#events.length
    return number < first || number > this.#last ? undefined : this.#events.slice(number - first)
  }

  /** Listens no longer, and forgets. A number from before is then one that is not kept. */
  stop(): void {
    this.#cancelStop?.()
    this.#stopListening?.()
    this.#stopListening = undefined
    this.#events.length = 0
    this.#last++
  }

  #listen(): () => void {
    const now = (): number => this.#clock.now()
    const ends = [
      this.#cache.on('hit', (event) => this.#add(hitEvent(event, now()))),
      this.#cache.on('miss', (event) => this.#add(missEvent(event, now()))),
      this.#cache.on('invalidate', (event) => this.#add(invalidateEvent(event, now()))),
    ]
    return () => ends.forEach((end) => end())
  }

  #add(event: KeptEvent): void {
    this.#events.push({ ...event, number: ++this.#last })
    if (this.#events.length > kept) this.#events.shift()
    for (const wake of this.#wakers) wake()
  }
}

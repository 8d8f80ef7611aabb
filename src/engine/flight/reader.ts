/**
 * One caller's part in a flight.
 * @module
 */
import type { FlightReader } from './upstream.ts'

/** What a flight does for one of its readers. */
export interface ReaderFlight<Head, Item> {
  arrival(reader: Reader<Head, Item>): Promise<Head>
  next(reader: Reader<Head, Item>): Promise<Item | undefined>
  leave(reader: Reader<Head, Item>, reason: () => unknown): void
  hasFailed(): boolean
}

/** Listens to a caller's signal. An object of its own: a listener is collected late, and a reader holds its whole flight. */
class Listener implements EventListenerObject {
  readonly #signal: AbortSignal
  #left: { leaveFor(signal: AbortSignal): void } | undefined

  constructor(signal: AbortSignal, left: { leaveFor(signal: AbortSignal): void }) {
    this.#signal = signal
    this.#left = left
    signal.addEventListener('abort', this, { once: true })
  }

  handleEvent(): void {
    this.#left?.leaveFor(this.#signal)
  }

  end(): void {
    this.#left = undefined
    this.#signal.removeEventListener('abort', this)
  }
}

/** One caller of a flight. It holds no function of its own: ten thousand may join at once. */
export class Reader<Head, Item> implements FlightReader<Head, Item> {
  position = 0
  left = false
  /** Makes what the caller's further reads are rejected with: most callers that leave read no more. */
  reason: () => unknown = () => undefined
  /** Ends its wait. Not a closure: V8 keeps a closure that lies on an object which it holds until the next full collection. */
  wake: ((value: undefined) => void) | undefined
  readonly #flight: ReaderFlight<Head, Item>
  readonly #signal: AbortSignal | undefined
  #listener: Listener | undefined

  constructor(flight: ReaderFlight<Head, Item>, signal: AbortSignal | undefined) {
    this.#flight = flight
    this.#signal = signal
  }

  get failed(): boolean {
    return this.#flight.hasFailed()
  }

  head(): Promise<Head> {
    return this.#flight.arrival(this)
  }

  next(): Promise<Item | undefined> {
    return this.#flight.next(this)
  }

  leave(): void {
    this.#flight.leave(this, () => new DOMException('This caller has left the answer.', 'AbortError'))
  }

  /** Listens to the caller's signal, or leaves if it has fired already. */
  listen(): void {
    if (this.#signal === undefined) return
    if (this.#signal.aborted) this.leaveFor(this.#signal)
    else this.#listener = new Listener(this.#signal, this)
  }

  /** Stops listening to the caller's signal, which may live much longer than the flight. */
  release(): void {
    this.#listener?.end()
    this.#listener = undefined
  }

  /** The caller's signal has fired. */
  leaveFor(signal: AbortSignal): void {
    this.#flight.leave(this, () => signal.reason)
  }
}

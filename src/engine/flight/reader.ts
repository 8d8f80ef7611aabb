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

/** One caller of a flight. It listens to its caller's signal itself, and holds no function of its own: ten thousand may join at once. */
export class Reader<Head, Item> implements FlightReader<Head, Item>, EventListenerObject {
  position = 0
  left = false
  /** Makes what the caller's further reads are rejected with: most callers that leave read no more. */
  reason: () => unknown = () => undefined
  wake: (() => void) | undefined
  readonly #flight: ReaderFlight<Head, Item>
  readonly #signal: AbortSignal | undefined

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
    if (this.#signal?.aborted === true) this.handleEvent()
    else this.#signal?.addEventListener('abort', this, { once: true })
  }

  /** Stops listening to the caller's signal, which may live much longer than the flight. */
  release(): void {
    this.#signal?.removeEventListener('abort', this)
  }

  handleEvent(): void {
    this.#flight.leave(this, () => this.#signal?.reason)
  }
}

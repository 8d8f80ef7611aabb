/**
 * The flights that are under way, by what makes callers equal.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../clock.ts'
import { Flight, type FlightBounds, type Origin, type FlightReader, type Recording } from './flight.ts'

interface Open<Head, Item> {
  readonly flight: Flight<Head, Item>
  readonly mark: symbol
}

/**
 * The marks of the flights that the running code belongs to: their upstream calls, and what these call in turn.
 * GenerationByLabel and not the flights, as a socket that is opened within keeps them for its whole life.
 */
const within = new AsyncLocalStorage<ReadonlySet<symbol>>()

/** The flights that are open to callers, by what makes callers equal. */
export class Flights<Head, Item> {
  readonly #open = new Map<string, Open<Head, Item>>()
  readonly #bounds: FlightBounds
  readonly #clock: Clock

  constructor(bounds: FlightBounds, clock: Clock) {
    this.#bounds = bounds
    this.#clock = clock
  }

  /** How many flights are open. */
  get size(): number {
    return this.#open.size
  }

  /**
   * Boards the open flight `name`, or begins it.
   * A call that is made from within the very flight it would wait for gets one of its own, as it would wait for itself.
   * @param alone whether to begin a new flight even where one is open; later callers board the new one
   * @param ended called with what the flight leaves behind, only when this call began it
   */
  join(
    name: string,
    origin: Origin<Head, Item>,
    signal: AbortSignal | undefined,
    alone: boolean,
    ended: (recording: Recording<Head, Item>) => void,
  ): { readonly reader: FlightReader<Head, Item>; readonly joined: boolean } {
    const outer = within.getStore()
    const open = this.#open.get(name)
    const nested = open !== undefined && outer?.has(open.mark) === true
    if (open !== undefined && !alone && !nested) return { reader: open.flight.join(signal), joined: true }
    const mark = Symbol(name)
    const closed = (): void => {
      if (this.#open.get(name)?.mark === mark) this.#open.delete(name)
    }
    const begin = (): Flight<Head, Item> => new Flight(origin, this.#bounds, this.#clock, closed, ended)
    const flight = within.run(new Set(outer).add(mark), begin)
    if (!nested) this.#open.set(name, { flight, mark })
    return { reader: flight.join(signal), joined: false }
  }
}

/** For a seam: the flights of each engine that it serves, made when they are first needed. */
export function flightsByEngine<Head, Item>(): (engine: { flights(): Flights<Head, Item> }) => Flights<Head, Item> {
  const known = new WeakMap<object, Flights<Head, Item>>()
  return (engine) => {
    const flights = known.get(engine) ?? engine.flights()
    known.set(engine, flights)
    return flights
  }
}

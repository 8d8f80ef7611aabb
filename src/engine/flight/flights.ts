/**
 * The flights that are under way, by what makes callers equal.
 * @module
 */
import { type AsyncStorage, asyncStorage } from '../../base/async-storage.ts'
import type { Clock } from '../../clock.ts'
import { Flight } from './flight.ts'
import type { FlightBounds, FlightReader, Origin, Recording } from './upstream.ts'

interface Open<Head, Item> {
  readonly flight: Flight<Head, Item>
  readonly mark: symbol
  readonly leader: unknown
}

/**
 * The marks of the flights that the running code belongs to: their upstream calls, and what these call in turn.
 * Marks rather than flights, as a socket that is opened there keeps them for its whole life.
 */
const within: AsyncStorage<ReadonlySet<symbol>> = asyncStorage() ?? withoutStorage()

/** Without a storage no call knows which flight it belongs to. A call that waits for itself then ends by the deadline of flights. */
function withoutStorage(): AsyncStorage<ReadonlySet<symbol>> {
  return { getStore: () => undefined, run: (_: unknown, work: (...given: never[]) => unknown) => Reflect.apply(work, undefined, []) }
}

/** How a call joins a flight. */
export interface JoinOptions<Head, Item> {
  readonly signal: AbortSignal | undefined
  /** Whether to start a new flight even if one is open. Later calls join the new one. */
  readonly alone: boolean
  /** What later calls are told of this one, if it starts the flight. */
  readonly leader?: unknown
  /** Called when no further call may join, only if this call started the flight. */
  readonly closed?: (() => void) | undefined
  /** Called when no caller reads the answer any longer, only if this call started the flight. */
  readonly idle?: (() => void) | undefined
  /** Called with what the flight leaves behind, only if this call started it. */
  readonly ended: (recording: Recording<Head, Item>) => void
}

/** A flight that a call has joined or started. */
export interface JoinedFlight<Head, Item> {
  readonly reader: FlightReader<Head, Item>
  readonly joined: boolean
  readonly leader: unknown
  /** Whether a call that begins now, in the running code, may join it. */
  readonly isOpen: () => boolean
  /** Another reader of the answer from its beginning, even if no further call may join. It must come while another one has read nothing. */
  readonly join: () => FlightReader<Head, Item>
}

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
   * Joins the open flight `name`, or starts it.
   * A call from within the very flight that it would wait for gets a flight of its own, as it would otherwise wait for itself.
   */
  join(
    name: string,
    origin: Origin<Head, Item>,
    { signal, alone, idle, ended, leader, closed: whenClosed }: JoinOptions<Head, Item>,
  ): JoinedFlight<Head, Item> {
    const outer = within.getStore()
    const open = this.#open.get(name)
    const nested = open !== undefined && outer?.has(open.mark) === true
    if (open !== undefined && !alone && !nested) return this.#seat(name, open, { signal, joined: true })
    const mark = Symbol('flight')
    const closed = (): void => {
      if (this.#open.get(name)?.mark === mark) this.#open.delete(name)
      whenClosed?.()
    }
    const begin = (): Flight<Head, Item> => new Flight({ origin, bounds: this.#bounds, clock: this.#clock, closed, idle, ended })
    const flight = within.run(new Set(outer).add(mark), begin)
    const own = { flight, mark, leader }
    if (!nested) this.#open.set(name, own)
    return this.#seat(name, own, { signal, joined: false })
  }

  #seat(
    name: string,
    { flight, mark, leader }: Open<Head, Item>,
    { signal, joined }: { readonly signal: AbortSignal | undefined; readonly joined: boolean },
  ): JoinedFlight<Head, Item> {
    return {
      reader: flight.join(signal),
      joined,
      leader,
      isOpen: () => this.#open.get(name)?.mark === mark && within.getStore()?.has(mark) !== true,
      join: () => flight.join(),
    }
  }
}

/** For a seam: the flights of each engine, made when they are first needed. */
export function flightsByEngine<Head, Item>(): (engine: { flights(): Flights<Head, Item> }) => Flights<Head, Item> {
  const known = new WeakMap<object, Flights<Head, Item>>()
  return (engine) => {
    const flights = known.get(engine) ?? engine.flights()
    known.set(engine, flights)
    return flights
  }
}

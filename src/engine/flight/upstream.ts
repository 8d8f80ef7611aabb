/**
 * What a flight works with: the provider's answer as it arrives, the bounds that hold for it, what it leaves behind.
 * @module
 */

/** What a flight needs of the upstream. */
export interface Origin<Head, Item> {
  /** Begins the upstream call. The signal fires when nobody waits for it any more. */
  start(signal: AbortSignal): Promise<Upstream<Head, Item>>
  /** An item's size in bytes. */
  size(item: Item): number
}

/** An upstream answer that has begun. */
export interface Upstream<Head, Item> {
  readonly head: Head
  readonly items: AsyncIterator<Item>
  /** Whether later callers may join and the answer may be recorded; an error answer only goes to those who wait already. */
  readonly shareable: boolean
}

/** How a flight ended: `complete` at the upstream's own end, `cancelled` when its last caller left, `failed` by an error. */
export type FlightEnd = 'complete' | 'cancelled' | 'failed'

/** What a flight leaves behind. */
export interface Recording<Head, Item> {
  readonly head: Head
  readonly items: readonly Item[]
  readonly end: FlightEnd
  /** Why nothing of it may be stored: it grew too large, or it outlived its deadline. */
  readonly unusable: string | undefined
  /** Milliseconds from its snapshot. */
  readonly latency: number
}

/** Bounds of a flight. */
export interface FlightBounds {
  /** Bytes that are recorded at the most, and that the fastest reader may be ahead of the slowest. */
  readonly maxBytes: number
  /** Milliseconds after which a flight is no longer shared and, when its upstream has not even begun to answer, is given up. */
  readonly deadline: number
}

/** One caller's part in a flight. */
export interface FlightReader<Head, Item> {
  /** The answer's head. Rejects as the upstream does, or with the caller's own abort reason. */
  head(): Promise<Head>
  /** The next item, or `undefined` at the end. Rejects as the upstream does, or with the caller's own abort reason. One call at a time. */
  next(): Promise<Item | undefined>
  /** Leaves the flight. */
  leave(): void
}

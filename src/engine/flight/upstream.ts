/**
 * What a flight works with: the provider's answer as it arrives, the bounds that hold for it, what it leaves behind.
 * @module
 */

/** What a flight needs of the provider's side. */
export interface Origin<Head, Item> {
  /** Starts the upstream call. The signal fires when no caller waits for it any longer. */
  start(signal: AbortSignal): Promise<Upstream<Head, Item>>
  /** An item's size in bytes. */
  size(item: Item): number
}

/** An upstream answer that has begun. */
export interface Upstream<Head, Item> {
  readonly head: Head
  readonly items: AsyncIterator<Item>
  /** Whether later callers may join and the answer may be recorded. An error goes only to the callers that wait already. */
  readonly shareable: boolean
}

/** How a flight ended: `complete` at the upstream's own end, `cancelled` after its last caller left, `failed` by an error. */
export type FlightEnd = 'complete' | 'cancelled' | 'failed'

/** What a flight leaves behind. */
export interface Recording<Head, Item> {
  readonly head: Head
  readonly items: readonly Item[]
  readonly end: FlightEnd
  /** Why nothing of it may be stored: it grew too large, or it took longer than its deadline. */
  readonly unusable: string | undefined
  /** Milliseconds from its start. */
  readonly latency: number
}

/** Bounds of a flight. */
export interface FlightBounds {
  /** The largest recording in bytes. The fastest reader may also be so many bytes ahead of the slowest. */
  readonly maxBytes: number
  /** Milliseconds after which no caller may join. If the upstream has not begun to answer by then, the flight fails. */
  readonly deadline: number
}

/** One caller's part in a flight. */
export interface FlightReader<Head, Item> {
  /** The answer's head. Rejects as the upstream does, or with the caller's own abort reason. */
  head(): Promise<Head>
  /** The next item, or `undefined` at the end. Rejects as the upstream does, or with the caller's own abort reason. One call at a time. */
  next(): Promise<Item | undefined>
  /** Whether the flight has ended by an error. Items from before may still be there to read. */
  readonly failed: boolean
  /** Leaves the flight. */
  leave(): void
}

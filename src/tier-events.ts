/**
 * Events of what a cache does for its calls: keys that are made, reads, writes and encoded entries.
 * @module
 */
import type { Source } from './call.ts'

/** The key of a call was made. */
export interface KeyEvent {
  readonly key: string
  readonly operation: string
  /** Characters of all texts in the request. */
  readonly characters: number
  readonly milliseconds: number
}

/** A tier was read, for entries or for what was invalidated. */
export interface ReadEvent {
  /** `memory`, or the name of the store. */
  readonly source: Source
  readonly keys: number
  /** How many reads it stands for: 1 of a store; of memory, the first one and then one in sixteen is timed and told. */
  readonly reads: number
  readonly milliseconds: number
  /** Whether it answered in time. */
  readonly answered: boolean
}

/** A batch was written to the store. */
export interface WriteEvent {
  /** The name of the store. */
  readonly source: Source
  readonly entries: number
  /** Bytes of all values as stored. */
  readonly bytes: number
  readonly milliseconds: number
  /** Whether the store took them. */
  readonly written: boolean
}

/** An entry was encoded for the store: compressed, and sealed if there is encryption. */
export interface EncodeEvent {
  /** The size of its body. */
  readonly bytes: number
  /** The size of its body as stored. */
  readonly storedBytes: number
  readonly milliseconds: number
}

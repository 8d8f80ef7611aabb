/**
 * What one process knows of one label, and what it learns of it.
 * @module
 */

/** What was the case when a reading of the store began: what it brings is no newer than that. */
export interface Reading {
  readonly sequence: number
  /** By the monotonic clock. */
  readonly at: number
}

/** What is known of a label. */
export interface KnownLabel {
  /** `''` if the store has none. */
  readonly generation: string
  /** The reading by which it was last compared with the store. */
  readonly checked: Reading
  /** The sequence in which this process saw it change; 0 for never. */
  readonly changedIn: number
  /** The sequence from which on the store can know of it: what was read earlier is older than this. */
  readonly believedFrom: number
  /** What the store had before. */
  readonly replaced?: string | undefined
  /** The generation that another process says there is, until that is read from the store. */
  readonly heard?: string
  /**
   * Set if this process made the generation for a first fill, and the store has not confirmed it. `sending`: the store is being asked.
   * `local`: the store did not answer, so it holds in this process alone, and only until the store can be read.
   */
  readonly proposal?: 'sending' | 'local'
  /** What this process had proposed. Its own entries bear that, and it means the same as `generation`. */
  readonly alias?: string | undefined
}

/** No reading at all. */
export const unread: Reading = { sequence: -1, at: -Infinity }

/** A label of which nothing is known. */
export const unknownLabel: KnownLabel = { generation: '', checked: unread, changedIn: 0, believedFrom: 0 }

/** The generation under which entries are filled now. */
export function currentOf(known: KnownLabel | undefined): string {
  return known === undefined ? '' : (known.heard ?? known.alias ?? known.generation)
}

/** Whether an entry that was filled under `generation` is still good. */
export function isCurrent(known: KnownLabel | undefined, generation: string): boolean {
  if (known === undefined) return generation === ''
  if (known.heard !== undefined) return known.heard === generation
  return known.generation === generation || (known.alias !== undefined && known.alias === generation)
}

/** A write of an invalidation to the store. */
export interface Publication {
  /** The generation that the invalidation was made with. */
  readonly generation: string
  /** The generation that was written. */
  readonly written: string
  /** The moment when the write began: other processes may have written another generation since. */
  readonly writing: Reading
}

/** What became of a generation that this process proposed for a first fill. */
export interface Proposal {
  readonly generation: string
  /** The generation that the store has now; `undefined` if it did not say. */
  readonly found: string | undefined
  /** The moment when the store was asked. */
  readonly writing: Reading
}

/** An invalidation that the store does not know of yet. */
export interface Unpublished {
  readonly generation: string
  /** What the store had in its place, when that was last read; `undefined` where it was not. */
  readonly stored: string | undefined
}

/** What is known of a label beside its new generation. */
export interface Noted {
  /** What was known before. */
  readonly known: KnownLabel
  readonly checked: Reading
  /** What the store had before. @default what was known of that */
  readonly replaced?: string | undefined
}

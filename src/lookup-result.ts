/**
 * The result of a look-up.
 * @module
 */
import type { Source } from './call.ts'
import type { Entry } from './entry.ts'

/** A valid entry that was found. Times are milliseconds. */
export interface LookupResult {
  readonly entry: Entry
  readonly source: Source
  readonly age: number
  /** How long the entry is still fresh; 0 or less when it is stale. */
  readonly freshFor: number
}

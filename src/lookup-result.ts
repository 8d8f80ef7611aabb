/**
 * What a look-up comes to.
 * @module
 */
import type { Source } from './call.ts'
import type { Entry } from './entry.ts'

/** An entry that was found and is good. Times are milliseconds. */
export interface LookupResult {
  readonly entry: Entry
  readonly source: Source
  readonly age: number
  /** How long it is still fresh; 0 or less when it is stale. */
  readonly freshFor: number
}

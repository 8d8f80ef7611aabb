/**
 * What a call must remember from its beginning, so that its answer is not taken for newer than it is.
 * @module
 */
import type { GenerationSnapshot } from '../invalidation/generation.ts'

/** What was in force when a call began. It is compared with what is in force when the answer arrives. */
export interface InvalidationSnapshot extends GenerationSnapshot {
  /** How many entries had been removed by their keys until then. */
  readonly removals: number
  /** Tags of the answer that is replaced, which the new one bears too. */
  readonly otherTags: readonly string[]
  /** Whether that is still in force, as was read from the store so recently that it need not be asked. */
  readonly isCurrent: () => boolean
}

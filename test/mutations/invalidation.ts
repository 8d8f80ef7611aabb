/**
 * The rules of invalidation and time: G13 to G19.
 * @module
 */
import type { Mutation } from './mutation.ts'

/** Each takes one rule away. */
export const invalidation: readonly Mutation[] = []

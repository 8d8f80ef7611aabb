/**
 * The rules by which a wrapped client keeps the contract of its SDK: G20 to G31.
 * @module
 */
import type { Mutation } from './mutation.ts'

/** Each takes one rule away. */
export const calls: readonly Mutation[] = []

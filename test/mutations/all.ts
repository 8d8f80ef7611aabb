/**
 * All mutations, and the ids that have none.
 * @module
 */
import { answers } from './answers.ts'
import { calls } from './calls.ts'
import { invalidation } from './invalidation.ts'
import type { Mutation } from './mutation.ts'

/** Every mutation, in the order of the ids. */
export const mutations: readonly Mutation[] = [...answers, ...invalidation, ...calls]

/** Ids that no mutation can prove, each with the reason. */
export const withoutMutation: Readonly<Record<string, string>> = {}

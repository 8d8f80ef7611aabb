/**
 * All mutations, and the ids that have none.
 * @module
 */
import { answers } from './answers.ts'
import { calls } from './calls.ts'
import { invalidation } from './invalidation.ts'
import { keys } from './keys.ts'
import type { Mutation } from './mutation.ts'
import { otherWays } from './other-ways.ts'
import { ownFaults } from './own-faults.ts'

/** Every mutation. */
export const mutations: readonly Mutation[] = [...answers, ...otherWays, ...keys, ...invalidation, ...calls, ...ownFaults]

/** Ids that no mutation can prove, each with the reason. */
export const withoutMutation: Readonly<Record<string, string>> = {
  G31: 'types alone: what is wrong must not compile, which test/types proves with the compiler over the built package',
}

/**
 * All mutations, and the ids that have none.
 * @module
 */
import { answers } from './answers.ts'
import { bounds } from './bounds.ts'
import { calls } from './calls.ts'
import { counted } from './counted.ts'
import { fetches } from './fetches.ts'
import { given } from './given.ts'
import { invalidation } from './invalidation.ts'
import { keys } from './keys.ts'
import type { Mutation } from './mutation.ts'
import { otherWays } from './other-ways.ts'
import { ownFaults } from './own-faults.ts'
import { paid } from './paid.ts'
import { stored } from './stored.ts'
import { suites } from './suites.ts'
import { told } from './told.ts'

/** Every mutation. */
export const mutations: readonly Mutation[] = [
  ...answers,
  ...otherWays,
  ...keys,
  ...invalidation,
  ...calls,
  ...ownFaults,
  ...fetches,
  ...stored,
  ...paid,
  ...counted,
  ...told,
  ...bounds,
  ...suites,
  ...given,
]

/** Ids that no mutation can prove, each with the reason. */
export const withoutMutation: Readonly<Record<string, string>> = {
  G31: 'types alone: what is wrong must not compile, which test/types proves with the compiler over the built package',
}

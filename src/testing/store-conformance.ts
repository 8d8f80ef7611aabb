/**
 * All requirements on a store, as a list for any test runner:
 *
 * ```ts
 * for (const check of storeConformance) it(check.name, () => check.run(setup))
 * ```
 * @module
 */
import { batchChecks } from './batch-checks.ts'
import { expiryChecks } from './expiry-checks.ts'
import { sharingChecks } from './sharing-checks.ts'
import type { StoreCheck } from './store-check.ts'
import { sumsChecks } from './sums-checks.ts'
import { valueChecks } from './value-checks.ts'

/** All checks. Each needs a new store. With a manual clock they are fast; with a real clock, each check of expiry takes some seconds. */
export const storeConformance: readonly StoreCheck[] = [...valueChecks, ...expiryChecks, ...batchChecks, ...sharingChecks, ...sumsChecks]

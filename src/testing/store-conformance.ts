/**
 * What every store must do, whatever it is made of, as a list that any test runner can go through:
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
import { valueChecks } from './value-checks.ts'

/**
 * Every check, each with a store of its own. With a clock that the store is given, none takes more than a moment; with a real one, those
 * of expiry take some seconds each.
 */
export const storeConformance: readonly StoreCheck[] = [...valueChecks, ...expiryChecks, ...batchChecks, ...sharingChecks]

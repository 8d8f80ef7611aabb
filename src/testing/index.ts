/**
 * `llmemo/testing`: for those who write a store of their own, or want to see what their program does when one goes wrong.
 * @module
 */
export { chaosStore } from './chaos-store.ts'
export { ManualClock } from './manual-clock.ts'
export { seededRandom } from './seeded-random.ts'
export { storeConformance } from './store-conformance.ts'

export type { ChaosKind, ChaosOperation, ChaosSchedule, ChaosScope } from './chaos-plan.ts'
export type { ChaosOptions, ChaosStore } from './chaos-store.ts'
export type { StoreCheck, StoreUnderTest } from './store-check.ts'

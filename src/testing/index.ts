/**
 * `llmemo/testing`: for authors of stores, and for tests of programs whose store fails.
 * @module
 */
export { cassetteStore } from './cassettes/store.ts'
export { testCassettes } from './cassettes/test-cassettes.ts'
export { chaosStore } from './chaos-store.ts'
export { ManualClock } from './manual-clock.ts'
export { seededRandom } from './seeded-random.ts'
export { storeConformance } from './store-conformance.ts'

export type { CassetteOptions, CassetteStore } from './cassettes/store.ts'
export type { TestCassetteOptions } from './cassettes/test-cassettes.ts'
export type { ChaosKind, ChaosOperation, ChaosSchedule, ChaosScope } from './chaos-plan.ts'
export type { ChaosOptions, ChaosStore } from './chaos-store.ts'
export type { StoreCheck, StoreUnderTest } from './store-check.ts'

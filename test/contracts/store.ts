/**
 * What every store must do: the published suite, as tests of ours.
 * @module
 */
import { describe, it } from 'vitest'
import type { Store } from '../../src/store.ts'
import type { StoreUnderTest } from '../../src/testing/store-check.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'

/** A store that goes by a clock which a test moves. */
export interface ClockedStore {
  readonly store: Store
  readonly clock: ManualClock
  readonly cleanup: () => Promise<void> | void
}

/** Declares the suite for the store that `setup` makes, a new and empty one for each test. */
export function describeStore(name: string, setup: () => Promise<ClockedStore | StoreUnderTest>): void {
  const make = async (): Promise<StoreUnderTest> => {
    const made = await setup()
    return 'clock' in made ? { ...made, advance: (milliseconds) => made.clock.advance(milliseconds) } : made
  }
  describe(`${name} as a store`, () => {
    // The checks assert by themselves.
    // oxlint-disable-next-line vitest/expect-expect
    it.each(storeConformance)('$name', (check) => check.run(make))
  })
}

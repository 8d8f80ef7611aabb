/**
 * A clock that stands still until a test moves it: the one that is published.
 * @module
 */
export { ManualClock } from '../../src/testing/manual-clock.ts'

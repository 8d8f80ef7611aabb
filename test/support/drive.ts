/**
 * Waiting for what needs time to pass on a clock that only a test moves.
 * @module
 */
import { settle } from './chat.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'

/** Milliseconds by which the clock goes on while something is waited for. */
export const step = 10

/**
 * Lets time pass until `work` is done.
 * @param most milliseconds that it may take on this clock
 * @returns what it resolves to, and how long it took
 */
export async function drive<Result>(
  clock: ManualClock,
  work: Promise<Result>,
  most = 60_000,
): Promise<{ readonly result: Result; readonly took: number }> {
  const begun = clock.monotonic()
  const state = { done: false }
  const finished = work.finally(() => {
    state.done = true
  })
  // It is awaited below.
  finished.catch(() => undefined)
  for (await settle(); !state.done; await settle()) {
    if (clock.monotonic() - begun >= most) throw new Error(`it was not done in ${most} ms of the clock`)
    clock.advance(step)
  }
  return { result: await finished, took: clock.monotonic() - begun }
}

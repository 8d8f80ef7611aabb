/**
 * Waiting for a state of the process, for as long as it takes: the time-out of the test ends what never comes.
 * @module
 */
import { settle } from './chat.ts'

/** Resolves when `reached` says so. It is asked again and again, between turns of the event loop. */
export async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await reached())) await settle()
}

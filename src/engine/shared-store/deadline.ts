/**
 * Work under a deadline.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'

/** What the error says, and the milliseconds after which it is thrown. */
export interface TimeLimit {
  readonly what: string
  readonly deadline: number
}

/**
 * The result of `work`. A result after the deadline is dropped.
 * @throws {DeadlineError} when the work takes too long
 */
export async function inTime<Value>(clock: Clock, { what, deadline }: TimeLimit, work: () => Promise<Value>): Promise<Value> {
  let cancel: (() => void) | undefined
  try {
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(deadline, () => reject(new DeadlineError(what, deadline)))
    })
    return await Promise.race([work(), late])
  } finally {
    cancel?.()
  }
}

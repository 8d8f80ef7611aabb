/**
 * Work under a deadline.
 * @module
 */
import { isThenable } from '../../base/thenable.ts'
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'

/** What the error says, and the milliseconds after which it is thrown. */
export interface TimeLimit {
  readonly what: string
  readonly deadline: number
}

/**
 * The result of `work`, at once if the work has it at once. A result after the deadline is dropped.
 * Rejects as `work` does, also if that throws, and with a {@link DeadlineError} when the work takes too long
 */
export function inTime<Value>(clock: Clock, { what, deadline }: TimeLimit, work: () => Value | PromiseLike<Value>): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const working = work()
    if (!isThenable(working)) return resolve(working)
    const cancel = clock.after(deadline, () => reject(new DeadlineError(what, deadline)))
    const ended = (settle: () => void): void => {
      cancel()
      settle()
    }
    working.then(
      (value) => ended(() => resolve(value)),
      (error: unknown) => ended(() => reject(error)),
    )
  })
}

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
  /** Whether a caller waits, so that the process must not end before. A store that hangs may hold nothing else that keeps it. @default false */
  readonly awaited?: boolean
}

/**
 * The result of `work`, at once if the work has it at once. A result after the deadline is dropped.
 * Throws or rejects as `work` does, and rejects with a {@link DeadlineError} when the work takes too long
 */
export function inTime<Value>(clock: Clock, limit: TimeLimit, work: () => Value | PromiseLike<Value>): Value | Promise<Value> {
  const working = work()
  return isThenable(working) ? ended(clock, limit, working) : working
}

function ended<Value>(clock: Clock, { what, deadline, awaited = false }: TimeLimit, working: PromiseLike<Value>): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const cancel = clock.after(deadline, () => reject(new DeadlineError(what, deadline)), awaited)
    const settle = <Outcome>(by: (outcome: Outcome) => void, outcome: Outcome): void => {
      cancel()
      by(outcome)
    }
    working.then(
      (value) => settle(resolve, value),
      (error: unknown) => settle(reject, error),
    )
  })
}

/**
 * The result of `work`, for which a caller waits: the process goes on until then, for so many milliseconds at most. The deadlines of single
 * writes do not keep it alive, as most have no caller that waits.
 */
export async function whileAwaited<Value>(clock: Clock, milliseconds: number, work: () => Promise<Value>): Promise<Value> {
  const cancel = clock.after(milliseconds, () => undefined, true)
  try {
    return await work()
  } finally {
    cancel()
  }
}

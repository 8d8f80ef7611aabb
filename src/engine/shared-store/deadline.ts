/**
 * Work that is waited for no longer than so long.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'

/**
 * What `work` comes to. A late outcome is dropped.
 * @param what is done, for the error
 * @param deadline milliseconds
 * @throws {DeadlineError} when it took too long
 */
export async function inTime<Value>(clock: Clock, what: string, deadline: number, work: () => Promise<Value>): Promise<Value> {
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

/**
 * The user's own function that spaces the events of a replayed stream.
 * @module
 */
import type { ReplayOptions } from './options.ts'

/** The same options with a `delay` that never fails: the next event then comes at once. `failed` is called with the error. */
export function guardedReplay({ delay, ...rest }: ReplayOptions, failed: (error: unknown) => void): ReplayOptions {
  if (delay === undefined) return rest
  const guarded = async (index: number): Promise<void> => {
    try {
      await delay(index)
    } catch (error) {
      failed(error)
    }
  }
  return { ...rest, delay: guarded }
}

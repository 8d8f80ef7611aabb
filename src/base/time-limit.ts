/**
 * A limit to the time of each piece of work, by a clock that tests can move.
 * @module
 */
import type { Clock } from '../clock.ts'
import { DeadlineError } from '../errors.ts'

/** Runs work, each piece with the same limit of time. */
export class TimeLimit {
  readonly #clock: Clock
  readonly #timeout: number

  /** @param timeout milliseconds */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock
    this.#timeout = timeout
  }

  /**
   * Runs `work` and aborts its signal when it takes too long. A late result is dropped.
   * @param outer fires when no caller waits any more
   * @throws {DeadlineError} when it took too long
   */
  async within<Value>(what: string, work: (signal: AbortSignal) => Promise<Value>, outer?: AbortSignal): Promise<Value> {
    const own = new AbortController()
    const signal = outer === undefined ? own.signal : AbortSignal.any([outer, own.signal])
    signal.throwIfAborted()
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true })
    })
    const cancel = this.#clock.after(this.#timeout, () => own.abort(new DeadlineError(what, this.#timeout)))
    try {
      return await Promise.race([work(signal), stopped])
    } finally {
      cancel()
    }
  }

  /** Waits before another try: for a random part, half to all, of `milliseconds`, so that clients do not all return at once. */
  async backOff(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await this.within(
      'waiting to try again',
      (stop) =>
        new Promise<void>((resolve) => {
          const cancel = this.#clock.after(milliseconds * (0.5 + Math.random() / 2), resolve)
          stop.addEventListener('abort', cancel, { once: true })
        }),
      signal,
    )
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('the caller no longer waits')
}

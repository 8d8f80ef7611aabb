/**
 * Time as the cache sees it, in one place, so that a test can stand in for it.
 * @module
 */

/** How far another machine's clock may be ahead of ours. An entry from beyond that is not believed. */
export const clockSkew = 5 * 60_000
/** Where the cache takes its time and its timers from. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. It may jump; it is what other machines can compare with. */
  now(): number
  /** Milliseconds that only ever grow. Ages inside one process are measured by it. */
  monotonic(): number
  /**
   * Calls back once after `milliseconds`. The timer does not keep the process alive, unless it is `awaited`: somebody waits for an answer, as
   * he would for the provider's.
   * @returns a function that cancels the timer; calling it twice is harmless.
   */
  after(milliseconds: number, callback: () => void, awaited?: boolean): () => void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, callback, awaited = false) {
    const timer = setTimeout(callback, milliseconds)
    if (!awaited) timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Time for the whole cache, in one place, so that a test can replace it.
 * @module
 */

/** Milliseconds by which another machine's clock may be ahead. The cache rejects an entry from further in the future. */
export const clockSkew = 5 * 60_000
/** Where the cache gets its time and its timers. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. It may jump. Only this time can be compared between machines. */
  now(): number
  /** Milliseconds that never go back. The cache measures ages within one process by it. */
  monotonic(): number
  /**
   * Calls `callback` once after `milliseconds`. The timer does not keep the process alive, unless it is `awaited`: a caller waits for an
   * answer, as for the provider's.
   * @returns a function that cancels the timer; a second call does nothing
   */
  after(milliseconds: number, callback: () => void, awaited?: boolean): () => void
}

/** Lets the process end before this timer or immediate. In some runtimes a timer is a number, and keeps nothing alive. */
export function unref(timer: unknown): void {
  const method: unknown = typeof timer === 'object' && timer !== null ? Reflect.get(timer, 'unref') : undefined
  if (typeof method === 'function') Reflect.apply(method, timer, [])
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, callback, awaited = false) {
    const timer = setTimeout(callback, milliseconds)
    if (!awaited) unref(timer)
    return () => clearTimeout(timer)
  },
}

/** Milliseconds by which the wall clock must gain on the monotonic one to count as a sleep. Less is how clocks are set right. */
const leastSleep = 1_000

/**
 * A clock whose monotonic time goes on while the machine sleeps. The monotonic clock of most machines stands still in that time, so that
 * answers would keep for as long as the sleep took. A wall clock that is put back changes nothing.
 */
export function sleepAware(clock: Clock): Clock {
  let asleep = 0
  let before = clock.now() - clock.monotonic()
  return {
    now: () => clock.now(),
    monotonic() {
      const monotonic = clock.monotonic()
      const ahead = clock.now() - monotonic
      if (ahead - before >= leastSleep) asleep += ahead - before
      before = ahead
      return monotonic + asleep
    },
    after: (milliseconds, callback, awaited) => clock.after(milliseconds, callback, awaited),
  }
}

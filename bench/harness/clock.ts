/**
 * What rounds are timed by.
 * @module
 */

/** Milliseconds since some moment. */
export type Timer = () => number

/** The time that passes, as a caller feels it. */
export const wallTime: Timer = () => performance.now()

/**
 * The processor's time of this process, on all its threads: the collector's and the thread pool's are in it, other processes and waiting are
 * not.
 */
export const cpuTime: Timer = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

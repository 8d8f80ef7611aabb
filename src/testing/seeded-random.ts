/**
 * Repeatable random numbers, so that a failed test fails again.
 * @module
 */

/**
 * A source of numbers from 0 up to, but not including, 1; the same numbers for the same seed. Not for secrets.
 * Source: the mulberry32 generator, https://github.com/cprosche/mulberry32
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

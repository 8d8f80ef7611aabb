/**
 * Mixes of answer sizes.
 * @module
 */

/** A mix: how large the answers are that fill the memory. */
export interface Mix {
  readonly name: string
  readonly what: string
  /** Bytes of the next answer. @param draw from 0 to 1 */
  size(draw: number): number
  /** The share of answers that are not in Latin letters. */
  readonly foreign: number
  /** Entries that everyone has room for. */
  readonly count: number
}

/** Small ones, all sizes, large ones. */
export const mixes: readonly Mix[] = [
  { name: 'small', what: '0.5 KB each', size: () => 500, foreign: 0, count: 5_000 },
  {
    name: 'mixed',
    what: '0.5 to 200 KB, small ones more often, every fourth in Cyrillic',
    size: (draw) => 500 * 400 ** (draw ** 2),
    foreign: 0.25,
    count: 900,
  },
  { name: 'large', what: '200 KB each', size: () => 200_000, foreign: 0, count: 200 },
]

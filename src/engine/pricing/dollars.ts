/**
 * US dollars as they are shown.
 * @module
 */

/** Twelve digits, so that sums of tenths of cents do not end in the noise of binary fractions. */
export function roundDollars(dollars: number): number {
  return Number(dollars.toPrecision(12))
}

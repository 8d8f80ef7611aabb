/**
 * Counts of tokens that belong to several inputs at once.
 * @module
 */
import type { JsonObject } from '../json/object.ts'

/** Whole numbers in shares of these sizes. Each is cut at the running total of the sizes, so that rounding loses nothing. */
export function divided(counts: JsonObject, sizes: readonly number[]): JsonObject[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let before = 0
  return sizes.map((size) => {
    const from = before / total
    before += size
    const to = before / total
    const shares = Object.entries(counts).map(([name, value]) => [
      name,
      typeof value === 'number' && Number.isSafeInteger(value) ? Math.floor(value * to) - Math.floor(value * from) : value,
    ])
    return Object.fromEntries(shares)
  })
}

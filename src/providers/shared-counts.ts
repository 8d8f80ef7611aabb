/**
 * Counts of tokens that belong to several inputs at once.
 * @module
 */
import type { JsonObject } from '../json/object.ts'

/**
 * Counts in shares of these sizes. Each whole number is cut at the running total of the sizes, so that rounding loses nothing. A `cost` is no
 * whole number, and is cut by size.
 */
export function divided(counts: JsonObject, sizes: readonly number[]): JsonObject[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let before = 0
  return sizes.map((size) => {
    const from = before / total
    before += size
    const to = before / total
    return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, shareOf(name, value, { from, to })]))
  })
}

function shareOf(name: string, value: unknown, { from, to }: { readonly from: number; readonly to: number }): unknown {
  if (typeof value !== 'number') return value
  if (name === 'cost') return value * (to - from)
  return Number.isSafeInteger(value) ? Math.floor(value * to) - Math.floor(value * from) : value
}

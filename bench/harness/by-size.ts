/**
 * The same contenders at every size of request and answer.
 * @module
 */
import { type Contender, race } from './measure.ts'
import { sizeName, sizes } from './payload.ts'
import type { Run } from './report.ts'
import { ratio, slow, type Timing, typical } from './statistics.ts'
import { digits, duration, type Table } from './table.ts'

/** The size that the budgets are set for. */
export const budgetSize = 2_000

/** Timings by size and name. */
export type Sweep = ReadonlyMap<number, ReadonlyMap<string, Timing>>

/** Measures what `open` gives at every size. */
export async function sweep(run: Run, open: (size: number) => Promise<Prepared> | Prepared): Promise<Sweep> {
  const timings = new Map<number, ReadonlyMap<string, Timing>>()
  for (const size of sizes) {
    const prepared = await open(size)
    timings.set(size, await race(prepared.contenders, size === budgetSize ? run.careful : run.effort))
    await prepared.close?.()
  }
  return timings
}

/** Contenders, and how to let go of what they hold. */
export interface Prepared {
  readonly contenders: readonly Contender[]
  close?(): Promise<void> | void
}

/** The timing of one at one size. @throws {RangeError} when it was not measured */
export function timingOf(timings: Sweep, size: number, name: string): Timing {
  const timing = timings.get(size)?.get(name)
  if (timing === undefined) throw new RangeError(`${name} was not measured at ${size}`)
  return timing
}

/** By how much one is dearer than another at one size. */
export function ratioAt(timings: Sweep, size: number, name: string, base: string): number {
  return ratio(timingOf(timings, size, name), timingOf(timings, size, base))
}

/** Median, p99 and ratio of each at each size. */
export function sweepTable(timings: Sweep, base: string): Table {
  const names = namesOf(timings)
  return {
    header: ['', ...sizes.flatMap((size) => [sizeName(size), 'p99', '×'])],
    rows: names.map((name) => [
      name,
      ...sizes.flatMap((size) => {
        const timing = timings.get(size)?.get(name)
        if (timing === undefined) return ['–', '–', '–']
        return [duration(typical(timing)), duration(slow(timing)), name === base ? '1' : digits(ratioAt(timings, size, name, base))]
      }),
    ]),
  }
}

/** The same as figures to keep: microseconds and ratios. */
export function sweepFigures(timings: Sweep, base: string): unknown {
  return namesOf(timings).map((name) => ({
    name,
    sizes: Object.fromEntries(
      [...timings].flatMap(([size, row]) => {
        const timing = row.get(name)
        if (timing === undefined) return []
        return [[size, { median: round(typical(timing)), p99: round(slow(timing)), ratio: round(ratioAt(timings, size, name, base)) }]]
      }),
    ),
  }))
}

/** Four significant digits, which is more than is known. */
export function round(value: number): number {
  return Number(value.toPrecision(4))
}

function namesOf(timings: Sweep): string[] {
  return [...new Set([...timings.values()].flatMap((row) => [...row.keys()]))]
}

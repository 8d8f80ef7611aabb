/**
 * The same contenders at every size of request and answer.
 * @module
 */
import { type Contender, race } from './measure.ts'
import { sizeName, sizes } from './payload.ts'
import type { Budget, Run } from './report.ts'
import { ratio, slow, type Timing, typical } from './statistics.ts'
import { digits, duration, type Table } from './table.ts'

/** The size of a budget that names none. */
export const budgetSize = 2_000
/** The sizes of a budget for every size. */
export const budgetSizes: readonly number[] = [500, 2_000, 8_000, 20_000]
/** The sizes that show the shape of a path in a quick look. */
const fewSizes: readonly number[] = [budgetSize, 20_000]

/** Milliseconds for which each warms up at its first size, at least: what is compiled there serves the other sizes too. */
const firstWarmUp = 400

/** Timings by size and name. */
export type Sweep = ReadonlyMap<number, ReadonlyMap<string, Timing>>

/**
 * Measures what `open` gives at every size; in a quick look, at some.
 * @param careful the sizes that a budget hangs on: they get more rounds, and a quick look leaves out none of them
 */
export async function sweep(run: Run, open: (size: number) => Promise<Prepared> | Prepared, careful?: readonly number[]): Promise<Sweep> {
  const timings = new Map<number, ReadonlyMap<string, Timing>>()
  for (const size of run.isQuick ? (careful ?? fewSizes) : sizes) {
    const prepared = await open(size)
    const effort = careful?.includes(size) === true ? run.careful : run.effort
    const warmUp = timings.size === 0 && careful !== undefined ? Math.max(firstWarmUp, effort.warmUp) : effort.warmUp
    timings.set(size, await race(prepared.contenders, { ...effort, warmUp }))
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

/** One that is held against another, at the sizes that have a limit. */
export interface Comparison {
  /** Path and case, without size: `hit in memory, OpenAI`. */
  readonly what: string
  readonly timings: Sweep
  readonly name: string
  readonly base: string
  /** What `base` is called in the budget. @default its own name */
  readonly baseName?: string
  /** The most that the ratio may be at each size. */
  readonly limits: Readonly<Record<number, number>>
}

/** The budgets of a comparison: one for each size that has a limit. */
export function comparedBySize({ what, timings, name, base, baseName = base, limits }: Comparison): Budget[] {
  return Object.entries(limits).map(([size, limit]) => ({
    what: `${what}, ${sizeName(Number(size))}, × ${baseName}`,
    measured: ratioAt(timings, Number(size), name, base),
    limit,
    unit: '×',
  }))
}

/** Median, p99 and ratio of each at each size. */
export function sweepTable(timings: Sweep, base: string): Table {
  const names = namesOf(timings)
  return {
    header: ['', ...[...timings.keys()].flatMap((size) => [sizeName(size), 'p99', '×'])],
    rows: names.map((name) => [
      name,
      ...[...timings].flatMap(([size, row]) => {
        const timing = row.get(name)
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

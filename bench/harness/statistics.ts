/**
 * Numbers that stand for many: medians, percentiles, and ratios of what was measured side by side.
 * @module
 */

/** What some calls took. */
export interface Timing {
  /** Microseconds a call, for each round: all of a round, the pauses of the garbage collector included, by its calls. */
  readonly rounds: readonly number[]
  /** Microseconds of single calls, over all rounds. */
  readonly calls: readonly number[]
}

/** The value below which the share `at` (0 to 1) of `values` lies, between two of them where need be. */
export function percentile(values: readonly number[], at: number): number {
  const ascending = values.toSorted((a, b) => a - b)
  const place = at * (ascending.length - 1)
  const below = ascending[Math.floor(place)]
  const above = ascending[Math.ceil(place)]
  if (below === undefined || above === undefined) return Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The typical call: the median over the rounds, in microseconds. */
export function typical(timing: Timing): number {
  return median(timing.rounds)
}

/** The slow call: of a hundred calls one takes longer, in microseconds. */
export function slow(timing: Timing): number {
  return percentile(timing.calls, 0.99)
}

/**
 * How often `base` goes into `timing`: the median over the rounds of each round's own ratio, so that what slows the machine for a while slows
 * both sides of a ratio.
 */
export function ratio(timing: Timing, base: Timing): number {
  return median(pairs(timing, base).map(([own, other]) => own / other))
}

/** By how many microseconds a call of `timing` takes longer than one of `base`: the median over the rounds of each round's own difference. */
export function difference(timing: Timing, base: Timing): number {
  return median(pairs(timing, base).map(([own, other]) => own - other))
}

function pairs(timing: Timing, base: Timing): [number, number][] {
  return timing.rounds.flatMap((own, round): [number, number][] => {
    const other = base.rounds[round]
    return other === undefined ? [] : [[own, other]]
  })
}

/**
 * What happens to Redis and to the network in a soak, and when: all of it follows from the seed.
 * @module
 */
import { seededRandom } from '../../src/testing/seeded-random.ts'

/** How long and how hard a soak is. */
export interface SoakOptions {
  readonly seed: number
  /** Seconds of load. */
  readonly seconds: number
  readonly processes: number
  /** Callers in each process. */
  readonly callers: number
  readonly kills: number
  readonly cuts: number
  /** Whether memory answers only while Redis says what was declared outdated. @default false */
  readonly requireStore?: boolean
  /** Milliseconds by which the machine may be late with a call. @default 3,000 */
  readonly allowance?: number
}

/** What a network does: it swallows everything, takes nothing, holds replies back, or breaks connections once. */
export type Manner = 'black hole' | 'refuse' | 'hold replies' | 'reset'

/** One thing that happens. Times are milliseconds from the beginning of the load. */
export type Mishap = { readonly at: number; readonly until: number } & (
  | { readonly what: 'kill'; readonly keepsData: boolean }
  | { readonly what: 'cut'; readonly manner: Manner; readonly process: number }
)

const manners: readonly Manner[] = ['black hole', 'reset', 'refuse', 'hold replies']

/** Everything that will happen, in its order. The last sixth of the time is left for recovering. */
export function planOf({ seed, seconds, processes, kills, cuts }: SoakOptions): Mishap[] {
  const random = seededRandom(seed)
  const room = (seconds * 1_000 * 5) / 6
  /** One moment in each of so many equal parts of the time, so that they neither all come at once nor at known distances. */
  const moments = (count: number): number[] => Array.from({ length: count }, (_, index) => ((index + 0.2 + random() * 0.5) * room) / count)
  const lasting = (): number => Math.min(room / 8, 200 + random() * 2_300)
  return [
    // The last of several loses what Redis had, as one does that keeps nothing on disk.
    ...moments(kills).map((at, index): Mishap => ({
      what: 'kill',
      at,
      until: at + lasting(),
      keepsData: kills === 1 || index < kills - 1,
    })),
    ...moments(cuts).map((at, index): Mishap => {
      const manner = manners[index % manners.length] ?? 'reset'
      return { what: 'cut', manner, process: Math.floor(random() * processes), at, until: manner === 'reset' ? at : at + lasting() }
    }),
  ].toSorted((first, second) => first.at - second.at)
}

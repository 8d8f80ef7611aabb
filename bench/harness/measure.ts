/**
 * Measures several ways to do the same work, round after round: A B C, B C A, C A B … What slows the machine for a while slows all alike.
 * @module
 */
import { type Timer, wallTime } from './clock.ts'
import type { Timing } from './statistics.ts'

/** One way to do the work. */
export interface Contender {
  readonly name: string
  /** Does it once. What returns a promise is awaited. */
  readonly run: () => unknown
  /** Does what the calls of a round left to be done behind their callers' backs. Its time is part of the round. */
  readonly settle?: () => Promise<unknown>
}

/** How much is put into a measurement. */
export interface Effort {
  readonly rounds: number
  /** Milliseconds that one contender's part of a round takes, unless one call takes longer. */
  readonly round: number
  /** Milliseconds for which each contender runs unmeasured, for the compiler to get to know it. */
  readonly warmUp: number
  /** Milliseconds that the slowest contender may take in all: where one call is long there are fewer rounds, but three. */
  readonly most: number
  /** What rounds and the warming up are timed by. Single calls are always timed by the time that passes. @default wallTime */
  readonly timer?: Timer
}

/** For a look: the whole table in under two minutes. */
export const quick: Effort = { rounds: 5, round: 7, warmUp: 35, most: 200 }
/** For figures that are kept. */
export const thorough: Effort = { rounds: 15, round: 40, warmUp: 250, most: 3_000 }

/** Single calls of which the time is kept, for each contender and round. */
const keptCalls = 2_000

/** Measures the contenders beside each other. @returns their timings by name */
export async function race(contenders: readonly Contender[], effort: Effort): Promise<ReadonlyMap<string, Timing>> {
  const runners: Runner[] = []
  for (const contender of contenders) runners.push(await prepare(contender, effort))
  globalThis.gc?.()
  const slowest = Math.max(...runners.map(({ expected }) => expected))
  const rounds = Math.max(3, Math.min(effort.rounds, Math.floor(effort.most / slowest)))
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < runners.length; place++) await runners[(place + round) % runners.length]?.round()
  }
  return new Map(runners.map(({ name, timing }) => [name, timing]))
}

/**
 * Measures single calls by turns, each of them when all that the one before has left to be done is done: what its caller waits for, and no
 * more. Each call is a round by itself.
 * @param rest does what is left to be done
 */
export async function raceByCall(
  contenders: readonly Contender[],
  { calls, warmUp, timer = wallTime }: { readonly calls: number; readonly warmUp: number; readonly timer?: Timer | undefined },
  rest: () => Promise<void>,
): Promise<ReadonlyMap<string, Timing>> {
  const timings = contenders.map(({ name, run }) => ({ name, run, took: new Array<number>() }))
  for (let call = -warmUp; call < calls; call++) {
    for (let place = 0; place < timings.length; place++) {
      const turn = timings[(place + call + warmUp) % timings.length]
      const start = timer()
      await turn?.run()
      if (call >= 0) turn?.took.push((timer() - start) * 1_000)
      await rest()
    }
  }
  return new Map(timings.map(({ name, took }) => [name, { rounds: took, calls: took }]))
}

interface Runner {
  readonly name: string
  readonly timing: { readonly rounds: number[]; readonly calls: number[] }
  /** Milliseconds that a round will take. */
  readonly expected: number
  round(): Promise<void>
}

async function prepare({ name, run, settle }: Contender, effort: Effort): Promise<Runner> {
  const { timer = wallTime } = effort
  const first: unknown = run()
  const isAsync = first instanceof Promise
  await first
  let calls = 0
  const begun = timer()
  for (; calls < 2 || timer() - begun < effort.warmUp; calls++) {
    if (isAsync) await run()
    else run()
  }
  await settle?.()
  const call = (timer() - begun) / calls
  const perRound = Math.max(1, Math.round(effort.round / call))
  const timing = { rounds: new Array<number>(), calls: new Array<number>() }
  const single = new Float64Array(perRound)
  return {
    name,
    timing,
    expected: call * perRound,
    async round() {
      // Or the next would sweep up what the one before has left.
      globalThis.gc?.({ type: 'minor' })
      const start = timer()
      let last = performance.now()
      // Two loops, as waiting for what is no promise costs as much as the fastest of what is measured here.
      if (isAsync) {
        for (let call = 0; call < perRound; call++) {
          await run()
          const now = performance.now()
          single[call] = now - last
          last = now
        }
      } else {
        for (let call = 0; call < perRound; call++) {
          run()
          const now = performance.now()
          single[call] = now - last
          last = now
        }
      }
      await settle?.()
      timing.rounds.push(((timer() - start) * 1_000) / perRound)
      const step = Math.ceil(perRound / keptCalls)
      for (let call = 0; call < perRound; call += step) timing.calls.push((single[call] ?? 0) * 1_000)
    },
  }
}

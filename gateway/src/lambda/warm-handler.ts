/**
 * The handler that fills the cache from a list, before anybody asks.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { z } from 'zod'
import { LambdaEventError } from '../errors.ts'
import type { OpenApplied } from './queue-handlers.ts'
import { deadline, flushed, type LambdaContext, opened, unlessAborted } from './served.ts'
import { type Applied, type Step, stepsIn } from './steps.ts'

/** What became of a list. */
export interface WarmResult {
  /** Steps that were done. */
  readonly done: number
  /** The places in the list of steps that failed. */
  readonly failed: readonly number[]
  /** The places of steps for which there was no time. Ask for them in a next invocation. */
  readonly left: readonly number[]
  /** Whether the store took everything. */
  readonly stored: boolean
}

/** A handler that fills the cache. */
export type WarmHandler = (event: unknown, context: LambdaContext) => Promise<WarmResult>

const fileEvent = z.strictObject({ file: z.string().min(1) })
/** Steps at a time: as many requests to a provider at once. */
const atOnce = 4

/**
 * A handler for a schedule, or to be called by hand. The event is a list of steps as the body of a message, `{ operations: […] }`, or names a
 * JSON file with one in the function's folder, `{ file: 'warm.json' }`.
 */
export function createWarmHandler(open: OpenApplied): WarmHandler {
  const served = opened(open)
  return async (event, context) => {
    const steps = stepsIn(await listIn(event))
    const time = deadline(context)
    try {
      const applied = await unlessAborted(served(), time.signal)
      if (applied === undefined) return { done: 0, failed: [], left: [...steps.keys()], stored: false }
      await flushed(applied, context)
      const work = new WarmWork(steps, applied, time.signal)
      await Promise.all(Array.from({ length: atOnce }, () => work.run()))
      return { ...work.result(), stored: await flushed(applied, context) }
    } finally {
      time.cancel()
    }
  }
}

async function listIn(event: unknown): Promise<unknown> {
  const named = fileEvent.safeParse(event)
  if (!named.success) return event
  const folder = resolve(process.env['LAMBDA_TASK_ROOT'] ?? '.')
  const path = resolve(folder, named.data.file)
  const mistake = new LambdaEventError('the name of a JSON file in the folder of the function')
  if (!path.startsWith(folder + sep)) throw mistake
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw mistake
  }
}

class WarmWork {
  readonly #steps: readonly Step[]
  readonly #applied: Applied
  readonly #signal: AbortSignal
  readonly #waiting: Iterator<[number, Step]>
  readonly #done = new Set<number>()
  readonly #failed: number[] = []

  constructor(steps: readonly Step[], applied: Applied, signal: AbortSignal) {
    this.#steps = steps
    this.#applied = applied
    this.#signal = signal
    this.#waiting = steps.entries()
  }

  /** Takes one step after the other, until none is left or the time is over. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const { done, value } = this.#waiting.next()
      if (done === true) return
      const [index, step] = value
      const isDone = await unlessAborted(attempt(step, this.#applied), this.#signal)
      if (isDone === true) this.#done.add(index)
      else if (isDone === false) this.#failed.push(index)
    }
  }

  result(): Omit<WarmResult, 'stored'> {
    const failed = this.#failed.toSorted((first, second) => first - second)
    const over = new Set([...this.#done, ...failed])
    return { done: this.#done.size, failed, left: [...this.#steps.keys()].filter((index) => !over.has(index)) }
  }
}

async function attempt(step: Step, applied: Applied): Promise<boolean> {
  try {
    return await step.run(applied, 0)
  } catch {
    return false
  }
}

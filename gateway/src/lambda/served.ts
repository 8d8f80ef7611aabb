/**
 * One gateway for all invocations of an instance of a function, and the time that an invocation has.
 * @module
 */
import { type Cache, systemClock } from 'llmemo'
import { createMonitor } from 'llmemo/monitor'
import type { Environment } from '../config/environment.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { madeFrom } from '../from-environment.ts'
import type { Log } from '../log.ts'

/** What a function serves from. */
export interface Served {
  readonly gateway: Pick<Gateway, 'fetch'>
  readonly cache: Pick<Cache, 'flush'>
  /** Where lines of the log go. @default nowhere */
  readonly log?: Log
  /** Called before each invocation ends: writes metrics of what it did. @default none are written */
  readonly tell?: () => void
}

/** What Lambda tells of an invocation, as far as it is needed. */
export interface LambdaContext {
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number
}

/** Makes what a function serves from. Called at the first invocation, and again after it failed. */
export type OpenServed<Opened extends Served = Served> = () => Promise<Opened>

/** Milliseconds kept back of an invocation's time, for what was written to reach the store and for the answer that says so. */
const reserve = 500

/** The gateway as the variables of the environment say: those of `llmemo/env`, and those of the gateway. */
export async function openFromEnvironment(env: Environment = process.env): Promise<Served> {
  const { cache, log, settings, store } = await madeFrom(env)
  const monitor = createMonitor(cache)
  const { cloudwatch: service } = settings
  const gateway = createGateway({ ...settings, cache, store, log, monitor })
  return { cache, log, gateway, ...(service !== undefined && { tell: () => writeMetrics(monitor.emf({ service })) }) }
}

/** Not by `console.log`, to which Lambda adds a time and a request id: each line has to be JSON alone. */
function writeMetrics(lines: string): void {
  if (lines !== '') process.stdout.write(`${lines}\n`)
}

/** To be awaited before the end of an invocation that answered a request. */
export async function settled(served: Served, context: LambdaContext): Promise<void> {
  await flushed(served, context)
  served.tell?.()
}

/** Remembers what `open` made. A failure is not remembered: the store may be back at the next invocation. */
export function opened<Opened extends Served>(open: OpenServed<Opened>): OpenServed<Opened> {
  let served: Promise<Opened> | undefined
  return () => {
    served ??= open().catch((error: unknown) => {
      served = undefined
      throw error
    })
    return served
  }
}

/** Aborts shortly before Lambda would end the invocation. */
export function deadline(context: LambdaContext): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController()
  const cancel = systemClock.after(Math.max(0, context.getRemainingTimeInMillis() - reserve), () => controller.abort(), true)
  return { signal: controller.signal, cancel }
}

/** What `work` resolves to, or `undefined` as soon as `signal` aborts. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const end = (): void => resolve(undefined)
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', end)
    // It may fail after it was given up.
    work.catch(() => undefined)
  }
}

/**
 * Waits until every write has reached the store, as Lambda freezes the process afterwards. A store that does not answer may take what is left
 * of the time, but not all of it: the answer must still go out.
 * @returns whether the store took everything
 */
export async function flushed({ cache }: Pick<Served, 'cache'>, context: LambdaContext): Promise<boolean> {
  return (await withinTheRest(cache.flush(), context)) === true
}

/** What `work` resolves to, or `undefined` when only the time for an answer is left. */
export async function withinTheRest<Result>(work: Promise<Result>, context: LambdaContext): Promise<Result | undefined> {
  const left = new AbortController()
  const cancel = systemClock.after(Math.max(0, context.getRemainingTimeInMillis() - reserve / 2), () => left.abort(), true)
  try {
    return await unlessAborted(work, left.signal)
  } finally {
    cancel()
  }
}

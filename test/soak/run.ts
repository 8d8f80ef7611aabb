/**
 * A soak from its beginning to its end: a real Redis, a stand-in origin, the processes, and what happens to them.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { type Deeds, judge, usualAllowance, type Verdict } from './judge.ts'
import { type Declared, type FromProcess, machineTime, type ProcessSettings, type Served, type ToProcess } from './messages.ts'
import { startOrigin } from './origin.ts'
import { type Mishap, planOf, type SoakOptions } from './plan.ts'
import { labelsOf, questions } from './questions.ts'

/** What a soak came to. */
export interface Soaked extends Verdict {
  /** Whether memory answered only while Redis said what was declared outdated. */
  readonly requireStore: boolean
  readonly processes: readonly (Deeds & { readonly aborted: number })[]
  readonly failed: readonly string[]
  readonly wrong: readonly string[]
  /** How often the origin was asked. */
  readonly asked: number
  readonly mishaps: readonly Mishap[]
}

/** Milliseconds that a process may take to end by itself when everything of it is closed. */
const endingTime = 60_000

/** Runs a soak. @param say told what happens, line by line */
export async function soak(options: SoakOptions, say: (line: string) => void): Promise<Soaked> {
  const { seed, callers, requireStore = false, allowance = usualAllowance } = options
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-soak-'))
  // Redis writes a change down before it answers. What it answered outlives the process that is killed.
  const redis = await startRedis({ dir: folder, appendonly: 'yes', appendfsync: 'no' })
  const origin = await startOrigin(seededRandom(seed))
  const proxies = await Promise.all(Array.from({ length: options.processes }, () => startFaultProxy(redis.port)))
  const workers = proxies.map(
    ({ port }, index) => new Worker({ index, seed, callers, requireStore, redisPort: port, originPort: origin.port }),
  )
  try {
    await Promise.all(workers.map((worker) => worker.until('ready')))
    const mishaps = planOf(options)
    const losses = await load({ options, mishaps, redis, proxies, workers, folder, say })
    say('the load is over; every process asks every question once more …')
    for (const worker of workers) worker.send('stop')
    await Promise.all(workers.map((worker) => worker.until('settled', 'settle')))
    await Promise.all(workers.map((worker) => worker.until('closed', 'close')))
    await Promise.all(workers.map((worker) => worker.ended()))
    const none = { text: '', apiKey: '', operation: '', tags: [] }
    const verdict = judge(workers, { labelsOf: (index) => labelsOf(questions[index] ?? none), losses, requireStore, allowance })
    const late = verdict.late.map((line) => `waited too long: ${line}`)
    const failed = [...workers.flatMap((worker) => worker.failed), ...late]
    return {
      ...verdict,
      requireStore,
      processes: workers,
      failed,
      wrong: workers.flatMap(({ wrong }) => wrong),
      asked: origin.asked,
      mishaps,
    }
  } finally {
    for (const worker of workers) worker.kill()
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await origin.close()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Load {
  readonly options: SoakOptions
  readonly mishaps: readonly Mishap[]
  readonly redis: RedisServer
  readonly proxies: readonly FaultProxy[]
  readonly workers: readonly Worker[]
  readonly folder: string
  readonly say: (line: string) => void
}

/** Lets everything happen that is planned, while the processes ask. @returns when Redis lost its data */
async function load({ options, mishaps, redis, proxies, workers, folder, say }: Load): Promise<number[]> {
  const begun = machineTime()
  const passed = (): number => machineTime() - begun
  const losses: number[] = []
  const progress = setInterval(() => {
    const served = workers.reduce((sum, worker) => sum + worker.served.length, 0)
    const failed = workers.reduce((sum, worker) => sum + worker.failed.length + worker.wrong.length, 0)
    say(`${Math.round(passed() / 1_000)} of ${options.seconds} s: ${served.toLocaleString('en')} calls, ${failed} failed or wrong`)
  }, 5_000)
  const happen = async (mishap: Mishap): Promise<void> => {
    await wait(Math.max(0, mishap.at - passed()))
    const lasting = Math.round(mishap.until - mishap.at)
    if (mishap.what === 'kill') {
      say(`Redis is killed, and comes back in ${lasting} ms ${mishap.keepsData ? 'with' : 'without'} its data`)
      await redis.kill()
      if (!mishap.keepsData) {
        losses.push(machineTime())
        rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true })
      }
      await wait(Math.max(0, mishap.until - passed()))
      await redis.start()
      return
    }
    const { manner, process } = mishap
    const proxy = proxies[process]
    say(`the network of process ${process}: ${manner}${manner === 'reset' ? '' : ` for ${lasting} ms`}`)
    if (manner === 'black hole') proxy?.blackHole()
    else if (manner === 'refuse') proxy?.refuse()
    else if (manner === 'hold replies') proxy?.holdReplies()
    else proxy?.reset()
    await wait(Math.max(0, mishap.until - passed()))
    proxy?.recover()
  }
  try {
    await Promise.all([...mishaps.map(happen), wait(options.seconds * 1_000)])
  } finally {
    clearInterval(progress)
  }
  return losses
}

/** One of the processes, and all that it told. */
class Worker implements Deeds {
  readonly served: Served[] = []
  readonly declared: Declared[] = []
  readonly failed: string[] = []
  readonly wrong: string[] = []
  aborted = 0
  readonly #index: number
  readonly #child: ChildProcess
  readonly #end: Promise<string>
  readonly #told = new Map<FromProcess['kind'], PromiseWithResolvers<void>>()

  constructor(settings: ProcessSettings) {
    this.#index = settings.index
    const script = fileURLToPath(new URL('process.ts', import.meta.url))
    this.#child = fork(script, [JSON.stringify(settings)], { serialization: 'advanced' })
    // Only process.ts can send it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.#child.on('message', (message) => this.#take(message as FromProcess))
    this.#end = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? String(code)))
    })
  }

  /** Resolves when the process has told so. @param order what it is told to do for it */
  async until(kind: FromProcess['kind'], order?: ToProcess['kind']): Promise<void> {
    if (order !== undefined) this.send(order)
    const early = this.#end.then((how) => {
      throw new Error(`process ${this.#index} ended (${how}) before it was ${kind}`)
    })
    await Promise.race([this.#waiting(kind).promise, early])
  }

  send(kind: ToProcess['kind']): void {
    this.#child.send({ kind })
  }

  /** Waits until the process ends, which it must do by itself. */
  async ended(): Promise<void> {
    const how = await Promise.race([this.#end, wait(endingTime, 'not at all', { ref: false })])
    if (how !== '0') this.failed.push(`process ${this.#index} should have ended by itself with code 0, and did: ${how}`)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #take(message: FromProcess): void {
    if (message.kind !== 'progress') {
      this.#waiting(message.kind).resolve()
      return
    }
    const named = (line: string): string => `process ${this.#index}, ${line}`
    this.served.push(...message.served)
    this.declared.push(...message.declared)
    this.aborted += message.aborted
    this.failed.push(...message.failed.map(named))
    this.wrong.push(...message.wrong.map(named))
  }

  #waiting(kind: FromProcess['kind']): PromiseWithResolvers<void> {
    const waiting = this.#told.get(kind) ?? Promise.withResolvers<void>()
    this.#told.set(kind, waiting)
    return waiting
  }
}

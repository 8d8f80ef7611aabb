/**
 * Several processes that share one port, for more than one core. They share what is cached through the store.
 * @module
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Clock, systemClock } from 'llmemo'
import type { GatewaySettings } from '../config/settings.ts'
import type { Log } from '../log.ts'

/** Processes at work. */
export interface Workers {
  /** The port, also when 0 was asked for. */
  readonly port: number
  /** Whether they ask for a key or token, as the first of them said. */
  readonly isGuarded: boolean
  /** Tells each to end, and waits until all have. */
  end(): Promise<void>
}

/** What tells a process that it is one of several, and which port it listens at. */
const portVariable = 'LLMEMO_WORKER_PORT'

/** Where several processes can listen at one port, each by itself. The system then shares the connections out. */
const sharesPorts = process.platform === 'linux'

/** Milliseconds before another process takes the place of one that died: at first, and at the most, when each dies soon after its start. */
const firstWait = 100
const longestWait = 30_000

/** What a process that {@link startWorkers} started knows of it; `undefined` in any other. */
export function workerPlace(): { readonly port: number; readonly shared: boolean } | undefined {
  return cluster.isWorker ? { port: Number(process.env[portVariable]), shared: sharesPorts } : undefined
}

/** What a process says once it listens. */
interface Started {
  readonly isGuarded: boolean
}

/** Tells the first process that this one listens. */
export function tellListening(started: Started): void {
  process.send?.(started)
}

/**
 * Starts `count` processes of this program, and another one for each that dies.
 * @throws {Error} if one ends before it listens; it has said why
 */
export async function startWorkers(
  { workers: count, host, port: asked }: GatewaySettings['server'],
  log: Log,
  clock: Clock = systemClock,
): Promise<Workers> {
  const port = await freePort(asked, host)
  const waiting = new Set<() => void>()
  let ending = false
  const start = async (wait = firstWait): Promise<Started> => {
    const worker = cluster.fork({ [portVariable]: String(port) })
    const started = await untilListening(worker)
    const since = clock.monotonic()
    worker.once('exit', (code) => {
      if (ending) return
      log('error', 'worker-died', { worker: worker.id, code })
      startLater(clock.monotonic() - since > longestWait ? firstWait : wait)
    })
    return started
  }
  const startLater = (wait: number): void => {
    const next = Math.min(2 * wait, longestWait)
    const begin = async (): Promise<void> => {
      waiting.delete(cancel)
      await start(next)
      log('info', 'worker-started')
    }
    const failed = (): void => {
      if (ending) return
      log('error', 'worker-not-started')
      startLater(next)
    }
    // It keeps this process alive: there may be no other worker.
    const cancel = clock.after(wait, () => void begin().catch(failed), true)
    waiting.add(cancel)
  }
  const end = async (): Promise<void> => {
    ending = true
    for (const cancel of waiting) cancel()
    const running = Object.values(cluster.workers ?? {}).flatMap((worker) => (worker === undefined || worker.isDead() ? [] : [worker]))
    const ended = Promise.all(running.map(async (worker) => once(worker, 'exit')))
    for (const worker of running) worker.process.kill('SIGTERM')
    await ended
  }
  try {
    // The first makes the file of the store, which several cannot do at the same time.
    const { isGuarded } = await start()
    await Promise.all(Array.from({ length: count - 1 }, async () => start()))
    return { port, isGuarded, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** The port that the processes are to share. It fails where another program has it, which processes that share would not. */
async function freePort(asked: number, host: string): Promise<number> {
  const server = createServer().listen({ port: asked, host, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : asked
}

async function untilListening(worker: Worker): Promise<Started> {
  const { promise, resolve, reject } = Promise.withResolvers<Started>()
  worker.once('message', (said: unknown) => resolve({ isGuarded: Object(said).isGuarded === true }))
  worker.once('exit', () => reject(new Error('llmemo-gateway: a worker ended before it listened.')))
  return promise
}

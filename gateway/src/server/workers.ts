/**
 * Several processes that share one port, for more than one core. They share what is cached through the store.
 * @module
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Log } from '../log.ts'

/** Processes at work. */
export interface Workers {
  /** The port, also when 0 was asked for. */
  readonly port: number
  /** Tells each to end, and waits until all have. */
  end(): Promise<void>
}

/** Whether this process is one of several, started by {@link startWorkers}. */
export function isWorker(): boolean {
  return cluster.isWorker
}

/**
 * Starts `count` processes of this program, and another one for each that dies.
 * @throws {Error} if one ends before it listens; it has said why
 */
export async function startWorkers(count: number, log: Log): Promise<Workers> {
  let ending = false
  const start = async (): Promise<number> => {
    const worker = cluster.fork()
    const port = await portOf(worker)
    worker.once('exit', (code) => {
      if (ending) return
      log('error', 'worker-died', { worker: worker.id, code })
      start().catch(() => log('error', 'worker-not-started'))
    })
    return port
  }
  const [port = 0] = await Promise.all(Array.from({ length: count }, start))
  return {
    port,
    async end() {
      ending = true
      const running = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
      const ended = Promise.all(running.map(async (worker) => once(worker, 'exit')))
      for (const worker of running) worker.process.kill('SIGTERM')
      await ended
    },
  }
}

async function portOf(worker: Worker): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  worker.once('listening', ({ port }) => resolve(port))
  worker.once('exit', () => reject(new Error('llmemo-gateway: a worker ended before it listened.')))
  return promise
}

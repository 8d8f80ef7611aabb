/**
 * The Redis of the examples: the one of `REDIS_URL`, or one that the example starts.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A Redis that is running. */
export interface ExampleRedis {
  /** Where it is, as a line for the reader. */
  readonly description: string
  readonly url: string
  /** Stops it, if the example has started it. */
  close(): Promise<void>
}

/**
 * The Redis of `REDIS_URL`. Without that variable, starts one on a free port of this machine, which writes nothing to disk.
 * @throws {Error} if there is neither; it says what to do
 */
export async function openRedis(): Promise<ExampleRedis> {
  const url = process.env['REDIS_URL'] ?? ''
  if (url !== '') return { description: 'Uses the Redis of REDIS_URL.', url, close: async () => {} }
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill())
  await ready(child)
  return {
    description: 'Uses a Redis that this example has started. Set REDIS_URL to use another.',
    url: `redis://127.0.0.1:${port}`,
    async close() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const failed = (cause?: unknown): void =>
      reject(new Error('Install redis-server, or set REDIS_URL to the address of a Redis.', { cause }))
    child.once('error', failed).once('exit', () => failed(output))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.includes('Ready to accept connections')) resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (typeof address !== 'object' || address === null) throw new TypeError('no port is free')
  return address.port
}

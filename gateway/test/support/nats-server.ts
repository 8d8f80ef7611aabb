import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** A nats-server at a port of the loopback, until the test ends. */
export interface NatsServer {
  readonly port: number
  kill(): Promise<void>
  /** Starts it again at the same port. */
  start(): Promise<void>
}

/** Starts one. @param words further flags: `--user`, `--pass`, `--auth` */
export async function startNats(words: readonly string[] = []): Promise<NatsServer> {
  let child: ChildProcess | undefined
  let port = -1
  const start = async (): Promise<void> => {
    const started = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    let log = ''
    for await (const chunk of started.stderr.iterator({ destroyOnReturn: false })) {
      log += String(chunk)
      const [, found] = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(log) ?? []
      if (found !== undefined) port = Number(found)
      if (log.includes('Server is ready')) break
    }
    started.stderr.resume()
    if (!log.includes('Server is ready')) throw new Error(`nats-server did not start: ${log}`)
  }
  await start()
  onTestFinished(() => void child?.kill('SIGKILL'))
  return {
    get port() {
      return port
    },
    start,
    async kill() {
      if (child === undefined) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

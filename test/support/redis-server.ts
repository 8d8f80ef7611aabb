/**
 * Real Redis servers for tests: one, or a cluster of three, on free ports of the loopback, each of which can be hung, killed and started again.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { advice, isRedisThere } from './install-redis.ts'

/** A server on this machine. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  /** Ends it and takes away what it left. */
  stop(): Promise<void>
  /** Ends it as a power cut does. */
  kill(): Promise<void>
  /** Starts it on the same port, after `stop` or `kill`, empty unless it was told to keep its data. */
  start(): Promise<void>
  /** Hangs it: connections are taken, and nothing is answered. */
  pause(): void
  /** Lets it go on. */
  resume(): void
}

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

/** Servers that run. Whatever becomes of the test, none of them outlives it. */
const running = new Set<ChildProcess>()
const endAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
process.once('exit', endAll)
process.once('SIGTERM', () => {
  endAll()
  process.kill(process.pid, 'SIGTERM')
})

/**
 * Starts a server.
 * @param settings as on its command line: `{ requirepass: 'secret', maxmemory: '3mb' }`
 */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  assertInstalled()
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', ...settings }
  const start = async (): Promise<void> => {
    const parameters = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    child = spawn('redis-server', parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    await ready(child)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    child = undefined
    if (ending === undefined) return
    const ended = once(ending, 'exit')
    // One that is hung would not hear of a gentler signal.
    if (ending.exitCode === null && ending.signalCode === null) {
      ending.kill(signal)
      ending.kill('SIGCONT')
      await ended
    }
    running.delete(ending)
  }
  await start()
  return {
    host: '127.0.0.1',
    port,
    start,
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async stop() {
      await end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts three masters and gives each its third of the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', 'cluster-config-file': 'nodes.conf' }
  const nodes = await Promise.all([startRedis(settings), startRedis(settings), startRedis(settings)])
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
  try {
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'], { stdio: 'pipe' })
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()))
    throw error
  }
  return {
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

/** Waits for the line by which a server says that it can be used. */
async function ready(child: ChildProcess): Promise<void> {
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (/Ready to accept connections/.test(output)) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended at once:\n${output}`)))
  })
}

function assertInstalled(): void {
  if (!isRedisThere()) throw new Error(advice)
}

/** A port of the loopback that is free; for a cluster, whose bus has the port 10,000 above, one that leaves room. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await portOf(createServer().listen(0, '127.0.0.1'))
    const wanted = 10_000 + (port % 40_000)
    try {
      await portOf(createServer().listen(wanted, '127.0.0.1'))
      await portOf(createServer().listen(wanted + 10_000, '127.0.0.1'))
      return wanted
    } catch {
      // Taken; another one.
    }
  }
}

async function portOf(server: Server): Promise<number> {
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  return address.port
}

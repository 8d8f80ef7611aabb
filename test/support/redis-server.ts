/**
 * Real Redis servers for tests: one, a sentinel, or a cluster of three, on ports of the loopback. A test can hang, kill and restart each.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { advice, isRedisThere } from './install-redis.ts'
import { until } from './until.ts'

/** A server on this machine. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  /** Ends the server and removes its files. */
  stop(): Promise<void>
  /** Ends the server as a power cut does. */
  kill(): Promise<void>
  /** Starts the server on the same port, after `kill`. It is empty unless its settings keep its data. */
  start(): Promise<void>
  /** Hangs the server: it takes connections and answers nothing. */
  pause(): void
  /** Ends the hang. */
  resume(): void
}

/** A sentinel that watches over one master. */
export type RedisSentinel = Pick<RedisServer, 'host' | 'port' | 'stop'>

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

const host = '127.0.0.1'

/** Another server than the installed one, such as that of Valkey: the path of its program. */
const program = process.env['LLMEMO_REDIS_SERVER'] ?? 'redis-server'

/** Servers that run. None of them may outlive the test process. */
const running = new Set<ChildProcess>()
const endAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
process.once('exit', endAll)
process.once('SIGTERM', () => {
  endAll()
  process.kill(process.pid, 'SIGTERM')
})

/** The server could not listen, as another process has its port. */
class PortTakenError extends Error {}

/**
 * Starts a server.
 * @param settings as on its command line: `{ requirepass: 'secret', maxmemory: '3mb' }`
 */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-redis-'))
  const run = (port: number): Promise<ChildProcess> => {
    const all = { port: String(port), bind: host, dir: folder, save: '', appendonly: 'no', ...settings }
    return started(Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]))
  }
  const first = await onFreePort(run)
  const { port } = first
  let child: ChildProcess | undefined = first.child
  const end = async (): Promise<void> => {
    const ending = child
    child = undefined
    if (ending !== undefined) await killed(ending)
  }
  return {
    host,
    port,
    async start() {
      child = await run(port)
    },
    kill: end,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async stop() {
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Starts a sentinel.
 * @param settings one line of its file each: `sentinel monitor answers 127.0.0.1 6379 1`
 */
export async function startRedisSentinel(settings: readonly string[]): Promise<RedisSentinel> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const { port, child } = await onFreePort((wanted) => {
    // https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
    writeFileSync(file, [`port ${wanted}`, `bind ${host}`, `dir ${folder}`, ...settings].join('\n'))
    return started([file, '--sentinel'])
  })
  return {
    host,
    port,
    async stop() {
      await killed(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a server says of its cluster. */
function said(port: number, what: 'info' | 'nodes'): string {
  return execFileSync('redis-cli', ['-p', String(port), 'cluster', what], { encoding: 'utf8' })
}

/** Starts three masters and gives each its third of the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '10000', 'cluster-config-file': 'nodes.conf' }
  const nodes = await Promise.all([startRedis(settings), startRedis(settings), startRedis(settings)])
  const addresses = nodes.map(({ port }) => `${host}:${port}`)
  try {
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'], { stdio: 'pipe' })
    // Each server finds out by itself that the cluster is whole, and refuses all commands until then. A message reaches only the servers to
    // which it is connected.
    await until(() =>
      nodes.every(
        ({ port }) => said(port, 'info').includes('cluster_state:ok') && said(port, 'nodes').split(' connected').length > nodes.length,
      ),
    )
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

/**
 * Runs a server on a port that no other process has. A port is known to be free only once the server listens on it: if the server finds it
 * taken, another port is tried.
 *
 * All ports, and those of the cluster bus 10,000 above, lie below the ports that systems give to outgoing connections. Otherwise a client
 * that tries to reconnect to a killed server could be given that server's port.
 */
async function onFreePort(run: (port: number) => Promise<ChildProcess>): Promise<{ port: number; child: ChildProcess }> {
  if (!isRedisThere()) throw new Error(advice)
  for (;;) {
    const port = randomInt(10_000, 22_000)
    try {
      return { port, child: await run(port) }
    } catch (error) {
      if (!(error instanceof PortTakenError)) throw error
    }
  }
}

/**
 * Runs a server, and waits for the line by which it says that it can be used.
 * @throws {PortTakenError}
 */
async function started(parameters: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => {
      running.delete(child)
      reject(error)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', failed)
    // Not at `exit`, as lines may still be on their way then.
    child.once('close', () => {
      const isTaken = /Failed listening on port|Address already in use/.test(output)
      failed(isTaken ? new PortTakenError(output) : new Error(`${program} ended at once:\n${output}`))
    })
  })
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    // A server that hangs ends by no gentler signal.
    child.kill('SIGKILL')
    child.kill('SIGCONT')
    await ended
  }
  running.delete(child)
}

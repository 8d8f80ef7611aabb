/**
 * The program from its arguments to its exit code.
 * @module
 */
import { type Cache, type Store, systemClock } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { assertGuarded, openKeyStore } from './access/key-store.ts'
import { keysCommand } from './access/keys-command.ts'
import { readArguments, usage } from './config/arguments.ts'
import { configure } from './config/configuration.ts'
import type { Environment } from './config/environment.ts'
import type { GatewaySettings } from './config/settings.ts'
import { createGateway } from './gateway.ts'
import { lineLog, type Log } from './log.ts'
import { openNats } from './nats/bridge.ts'
import { pointing } from './pointing.ts'
import { listen } from './server/listen.ts'
import { startWorkers, tellListening, workerPlace } from './server/workers.ts'

/** Where answers are kept if no variable says so: a file in the folder that the program is started in. */
const embedded = 'sqlite:llmemo-gateway.db'

/** Runs until the process is told to end. @returns the exit code: 2 for wrong usage */
export async function main(words: readonly string[], env: Environment): Promise<number> {
  const given = readArguments(words[0] === 'keys' ? [] : words)
  if (given.help) {
    process.stdout.write(usage)
    return 0
  }
  if (words[0] === 'keys') return keys(words.slice(1), env)
  // A reader of its output may go away. The gateway goes on.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)
  try {
    const settings = configure(given, env)
    const log = lineLog(systemClock, (line) => process.stderr.write(line))
    await (settings.server.workers > 1 && workerPlace() === undefined ? runWorkers(settings, log) : run(settings, log, env))
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'llmemo-gateway could not start.'}\n`)
    return 2
  } finally {
    // A worker has a channel to its parent, which would keep it alive.
    if (workerPlace() !== undefined && process.connected) process.disconnect()
  }
}

async function run(settings: GatewaySettings, log: Log, env: Environment): Promise<void> {
  const cache = await createCacheFromEnv(withStore(env))
  const store = await openKeyStore(withStore(env), false)
  try {
    await serve(settings, { cache, store, log })
  } finally {
    // Also if it could not listen: the connections of a store keep a process alive.
    await cache.close()
    await store?.close?.()
  }
}

/** Serves until the process is told to end, and what was in flight then is answered. */
async function serve(
  settings: GatewaySettings,
  { cache, store, log }: { readonly cache: Cache; readonly store: Store | undefined; readonly log: Log },
): Promise<void> {
  const isGuarded = await assertGuarded(settings, { store, clock: systemClock, log })
  const gateway = createGateway({ ...settings, cache, store, log })
  const nats = settings.nats && openNats({ cache, settings: settings.nats, log, clock: systemClock })
  const worker = workerPlace()
  const server = await listen({
    ...gateway,
    settings: worker === undefined ? settings : { ...settings, server: { ...settings.server, port: worker.port } },
    shared: worker?.shared === true,
    clock: systemClock,
  })
  const ended = untilEnded()
  if (worker === undefined) process.stdout.write(pointing(server, isGuarded))
  else tellListening({ isGuarded })
  await ended
  log('info', 'draining')
  // Streams of events end first, as they would not end by themselves.
  await gateway.close()
  await server.drain()
  await nats?.close()
}

async function runWorkers({ server }: GatewaySettings, log: Log): Promise<void> {
  const ended = untilEnded()
  let isEnded = false
  void ended.then(() => (isEnded = true))
  const workers = await startWorkers(server, log).catch((error: unknown) => {
    // A terminal tells all processes to end, also those that do not listen yet.
    if (!isEnded) throw error
  })
  if (workers === undefined) return
  process.stdout.write(pointing({ host: server.host, port: workers.port }, workers.isGuarded))
  await ended
  await workers.end()
}

/** Resolves at the first signal. Further ones, such as those that npm passes on of what a terminal sent already, change nothing: each would lose what is in flight. */
async function untilEnded(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.on('SIGTERM', resolve)
    process.on('SIGINT', resolve)
  })
}

function withStore(env: Environment): Environment {
  const stores = ['CACHE_STORE', 'REDIS_URL', 'DRAGONFLY_URL', 'DYNAMODB_TABLE', 'CACHE_TABLE']
  return stores.some((name) => env[name] !== undefined && env[name] !== '') ? env : { ...env, CACHE_STORE: embedded }
}

async function keys(words: readonly string[], env: Environment): Promise<number> {
  try {
    const store = await openKeyStore(withStore(env), true)
    if (store === undefined) return 1
    try {
      return await keysCommand(words, { store, clock: systemClock, out: (text) => void process.stdout.write(text), tell })
    } finally {
      await store.close?.()
    }
  } catch (error) {
    tell(`${error instanceof Error ? error.message : 'The keys cannot be reached.'}\n`)
    return 2
  }
}

function tell(text: string): void {
  process.stderr.write(text)
}

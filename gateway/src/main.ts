/**
 * The program from its arguments to its exit code.
 * @module
 */
import { systemClock } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { readArguments, usage } from './config/arguments.ts'
import { configure } from './config/configuration.ts'
import type { Environment } from './config/environment.ts'
import type { GatewaySettings } from './config/settings.ts'
import { GatewayOptionsError } from './errors.ts'
import { createGateway } from './gateway.ts'
import { lineLog, type Log } from './log.ts'
import { pointing } from './pointing.ts'
import { listen } from './server/listen.ts'
import { isWorker, startWorkers } from './server/workers.ts'

/** Where answers are kept if no variable says so: a file in the folder that the program is started in. */
const embedded = 'sqlite:llmemo-gateway.db'

/** Runs until the process is told to end. @returns the exit code: 2 for wrong usage */
export async function main(words: readonly string[], env: Environment): Promise<number> {
  const given = readArguments(words)
  if (given.help) {
    process.stdout.write(usage)
    return 0
  }
  try {
    const settings = configure(given, env)
    assertLoopback(settings)
    const log = lineLog(systemClock, (line) => process.stderr.write(line))
    await (settings.server.workers > 1 && !isWorker() ? runWorkers(settings, log) : run(settings, log, env))
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'llmemo-gateway could not start.'}\n`)
    return 2
  }
}

async function run(settings: GatewaySettings, log: Log, env: Environment): Promise<void> {
  const cache = await createCacheFromEnv(withStore(env))
  const gateway = createGateway({ ...settings, cache, log })
  const server = await listen({ fetch: (request, connection) => gateway.fetch(request, connection), settings, clock: systemClock })
  const ended = untilEnded()
  if (!isWorker()) process.stdout.write(pointing(`http://${server.host}:${server.port}`))
  await ended
  log('info', 'draining')
  // Streams of events end first, as they would not end by themselves.
  await gateway.close()
  await server.drain()
  await cache.close()
  // A worker has a channel to its parent, which would keep it alive.
  if (isWorker()) process.disconnect()
}

async function runWorkers({ server }: GatewaySettings, log: Log): Promise<void> {
  const ended = untilEnded()
  const workers = await startWorkers(server.workers, log)
  process.stdout.write(pointing(`http://${server.host}:${workers.port}`))
  await ended
  await workers.end()
}

async function untilEnded(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

function withStore(env: Environment): Environment {
  const stores = ['CACHE_STORE', 'REDIS_URL', 'DRAGONFLY_URL', 'DYNAMODB_TABLE', 'CACHE_TABLE']
  return stores.some((name) => env[name] !== undefined && env[name] !== '') ? env : { ...env, CACHE_STORE: embedded }
}

/** Without a key, each caller that reaches the port may do everything. */
function assertLoopback({ server: { host } }: GatewaySettings): void {
  if (/^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)) return
  throw new GatewayOptionsError(['server.host: must be a loopback address such as 127.0.0.1, as no key is configured'])
}

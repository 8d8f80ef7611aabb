/**
 * The program from its arguments to its exit code.
 * @module
 */
import { systemClock } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { readArguments, usage } from './config/arguments.ts'
import { configure } from './config/configuration.ts'
import type { Environment } from './config/environment.ts'
import { createGateway } from './gateway.ts'
import { lineLog } from './log.ts'
import { listen } from './server/listen.ts'

/** Runs until the process is told to end. @returns the exit code: 2 for wrong usage */
export async function main(words: readonly string[], env: Environment): Promise<number> {
  const given = readArguments(words)
  if (given.help) {
    process.stdout.write(usage)
    return 0
  }
  try {
    const settings = configure(given, env)
    const log = lineLog(systemClock, (line) => process.stderr.write(line))
    const cache = await createCacheFromEnv(env)
    const gateway = createGateway({ ...settings, cache, log })
    const server = await listen({ fetch: (request, connection) => gateway.fetch(request, connection), settings, clock: systemClock })
    process.stdout.write(`llmemo-gateway listens at http://${server.host}:${server.port}\n`)
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve)
      process.once('SIGINT', resolve)
    })
    await server.drain()
    await gateway.close()
    await cache.close()
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'llmemo-gateway could not start.'}\n`)
    return 2
  }
}

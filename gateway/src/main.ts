/**
 * The program from its arguments to its exit code.
 * @module
 */
import { systemClock } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { assertGuarded, openKeyStore } from './access/key-store.ts'
import { keysCommand } from './access/keys-command.ts'
import { readArguments, usage } from './config/arguments.ts'
import { configure } from './config/configuration.ts'
import type { Environment } from './config/environment.ts'
import { createGateway } from './gateway.ts'
import { lineLog } from './log.ts'
import { listen } from './server/listen.ts'

/** Runs until the process is told to end. @returns the exit code: 2 for wrong usage */
export async function main(words: readonly string[], env: Environment): Promise<number> {
  const given = readArguments(words[0] === 'keys' ? [] : words)
  if (given.help) {
    process.stdout.write(usage)
    return 0
  }
  if (words[0] === 'keys') return keys(words.slice(1), env)
  try {
    const settings = configure(given, env)
    const log = lineLog(systemClock, (line) => process.stderr.write(line))
    const cache = await createCacheFromEnv(env)
    const store = await openKeyStore(env, false)
    const isGuarded = await assertGuarded(settings, store, systemClock)
    const gateway = createGateway({ ...settings, cache, store, log })
    const server = await listen({ fetch: (request, connection) => gateway.fetch(request, connection), settings, clock: systemClock })
    process.stdout.write(`llmemo-gateway listens at http://${server.host}:${server.port}\n`)
    if (!isGuarded)
      process.stdout.write('No key was made yet, so it answers this machine only. Make one: llmemo-gateway keys create --role admin\n')
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve)
      process.once('SIGINT', resolve)
    })
    await server.drain()
    await gateway.close()
    await cache.close()
    await store?.close?.()
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'llmemo-gateway could not start.'}\n`)
    return 2
  }
}

async function keys(words: readonly string[], env: Environment): Promise<number> {
  const tell = (text: string): void => void process.stderr.write(text)
  try {
    const store = await openKeyStore(env, true)
    if (store === undefined) return 1
    const code = await keysCommand(words, { store, clock: systemClock, out: (text) => void process.stdout.write(text), tell })
    await store.close?.()
    return code
  } catch (error) {
    tell(`${error instanceof Error ? error.message : 'The keys cannot be reached.'}\n`)
    return 2
  }
}

/**
 * The door `llmemo/env`: a cache as the environment says, along with its store and the store's client.
 * @module
 */
import { type Cache, createCache } from '../cache/cache.ts'
import { EnvironmentError, LlmemoError } from '../errors.ts'
import type { Store } from '../store.ts'
import { openStore } from './open-store.ts'
import { inMilliseconds, misspelt, optionsIn } from './options.ts'
import { type Environment, EnvironmentReader } from './reader.ts'
import { storeIn } from './store-url.ts'

export { EnvironmentError } from '../errors.ts'
export type { Environment } from './reader.ts'

/**
 * Makes a cache as the variables of the environment say; docs/environment.md lists them. Without any, it is the cache that `createCache()`
 * makes. The client of the store is made here, and ended by `cache.close()`.
 * @param env @default process.env
 * @throws {EnvironmentError} that has all mistakes at once, and the value of no variable
 * @throws {EnvironmentError} if `ENABLE_OTEL` is set, and `@opentelemetry/api` is not installed
 * @throws {StoreError} if the package of the store's client is not installed
 */
export async function createCacheFromEnv(env: Environment = process.env): Promise<Cache> {
  const reader = new EnvironmentReader(env)
  const address = storeIn(reader)
  const options = optionsIn(reader)
  const otel = reader.flag('ENABLE_OTEL') === true
  assertRight(reader)
  const store = address === undefined ? undefined : await openStore(address)
  try {
    const cache = createCache({ ...options, ...(store !== undefined && { store }) })
    if (options.logger !== false) for (const line of [...misspelt(reader), ...inMilliseconds(reader)]) console.warn(line)
    if (otel) await instrument(cache)
    return cache
  } catch (error) {
    await store?.close?.()
    if (error instanceof EnvironmentError || !LlmemoError.isInstance(error) || error.code !== 'INVALID_OPTION') throw error
    throw new EnvironmentError([error.message])
  }
}

/**
 * Opens the store that the variables of the environment name, along with its client, which `store.close()` ends: for programs that keep things
 * of their own beside the cache.
 * @param env @default process.env
 * @returns nothing if they name none, or memory alone
 * @throws {EnvironmentError} that has all mistakes at once, and the value of no variable
 * @throws {StoreError} if the package of the store's client is not installed
 */
export async function createStoreFromEnv(env: Environment = process.env): Promise<Store | undefined> {
  const reader = new EnvironmentReader(env)
  const address = storeIn(reader)
  assertRight(reader)
  return address && openStore(address)
}

function assertRight({ mistakes }: EnvironmentReader): void {
  if (mistakes.length > 0) throw new EnvironmentError(mistakes)
}

/** Tells the OpenTelemetry that the program has set up, if it has. */
async function instrument(cache: Cache): Promise<void> {
  const api = await import('@opentelemetry/api').catch(() => undefined)
  if (api === undefined) {
    throw new EnvironmentError(['ENABLE_OTEL needs the package "@opentelemetry/api": npm install @opentelemetry/api.'])
  }
  const { metrics, trace } = api
  const { instrumentCache } = await import('../monitor/otel.ts')
  instrumentCache(cache, { meter: metrics.getMeter('llmemo'), tracer: trace.getTracer('llmemo') })
}

/**
 * The gateway as the variables of the environment say, for platforms that hand a program one request after the other.
 * @module
 */
import { type Cache, type Store, systemClock } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { outside } from './access/address.ts'
import { openKeyStore } from './access/key-store.ts'
import { configure } from './config/configuration.ts'
import type { Environment } from './config/environment.ts'
import type { GatewaySettings } from './config/settings.ts'
import { createGateway } from './gateway.ts'
import { lineLog, type Log } from './log.ts'

/** A gateway behind a platform's own listener. */
export interface PlatformGateway {
  /**
   * Answers one request. The body ends when everything that was to be kept is in the store, as a platform may stop the process then.
   * @param address the client's address, if the platform tells it. None counts as that of this machine, so every request needs a key or token
   */
  fetch(request: Request, address?: string | null): Promise<Response>
  /** Writes what waits, and lets go of the store. */
  close(): Promise<void>
}

/** Milliseconds that the end of an answer waits for a store that does not take what was written. */
const patience = 2_000

/**
 * Makes a gateway as the variables of the environment say: those of `llmemo/env`, and those of the gateway.
 * @param env @default process.env
 * @throws {GatewayOptionsError} that has every mistake in the variables
 */
export async function gatewayFromEnvironment(env: Environment = process.env): Promise<PlatformGateway> {
  const { cache, log, settings, store } = await madeFrom(env)
  const gateway = createGateway({ ...settings, cache, store, log })
  return {
    async fetch(request, address) {
      const response = await gateway.fetch(request, { remoteAddress: outside(address) })
      return flushedAtItsEnd(response, () => flushed(cache))
    },
    async close() {
      await gateway.close()
      await cache.close()
      await store?.close?.()
    },
  }
}

/** What the variables of the environment make, whatever the gateway of it lets in. */
export async function madeFrom(env: Environment): Promise<{
  readonly cache: Cache
  readonly log: Log
  readonly settings: GatewaySettings
  readonly store: Store | undefined
}> {
  const settings = configure({ data: {}, help: false, mistakes: [] }, env)
  const cache = await createCacheFromEnv(env)
  const store = await openKeyStore(env, false)
  return { cache, settings, store, log: lineLog(systemClock, (line) => process.stdout.write(line)) }
}

async function flushedAtItsEnd(response: Response, flush: () => Promise<void>): Promise<Response> {
  if (response.body === null) {
    await flush()
    return response
  }
  return new Response(response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush })), response)
}

async function flushed(cache: Cache): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = systemClock.after(patience, resolve, true)
  await Promise.race([cache.flush(), promise])
  cancel()
}

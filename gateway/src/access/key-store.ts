/**
 * Where a program keeps its keys: the shared tier, or else a file of their own.
 * @module
 */
import { existsSync } from 'node:fs'
import type { Store } from 'llmemo'
import { createStoreFromEnv } from 'llmemo/env'
import { sqliteStore } from 'llmemo/sqlite'
import type { Clock } from 'llmemo'
import type { GatewaySettings } from '../config/settings.ts'
import { GatewayOptionsError } from '../errors.ts'
import type { Log } from '../log.ts'
import { isLoopback } from './address.ts'
import { KeyRing } from './key-ring.ts'

/** The file for keys where the cache has no shared tier. */
const defaultFile = 'llmemo-gateway-keys.db'

/**
 * Opens the store for keys.
 * @param isMade whether the file is made if it is not there. A gateway makes none: it has no key then
 */
export async function openKeyStore(env: Readonly<Record<string, string | undefined>>, isMade: boolean): Promise<Store | undefined> {
  const shared = await createStoreFromEnv(env)
  if (shared !== undefined) return shared
  const file = env['LLMEMO_KEYS_FILE'] ?? defaultFile
  return isMade || existsSync(file) ? sqliteStore(file) : undefined
}

/** What decides whether a gateway may listen. */
interface Guard {
  readonly store: Store | undefined
  readonly clock: Clock
  readonly log: Log
}

/**
 * Whether the gateway may listen as it is told to. While the store is away, it may: it then answers none before the store says whether there
 * is a key.
 * @returns whether it needs a key or token
 * @throws {GatewayOptionsError} if other machines could ask, and nothing says who may
 * @throws {StoreError} if the store is a file that cannot be used
 */
export async function assertGuarded({ access, server }: GatewaySettings, { store, clock, log }: Guard): Promise<boolean> {
  if (access.jwt !== undefined) return true
  try {
    if (store !== undefined && (await new KeyRing(store, clock).hasAny())) return true
  } catch (error) {
    // A file is not away: it cannot be used.
    if (store?.name === 'sqlite') throw error
    log('warn', 'key-store-away')
    return true
  }
  if (isLoopback(server.host) || server.host === 'localhost') return false
  throw new GatewayOptionsError([
    'server.host: must be a loopback address, such as 127.0.0.1 only, as long as there is no key. Make one: llmemo-gateway keys create --role admin',
  ])
}

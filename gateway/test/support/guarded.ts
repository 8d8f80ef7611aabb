import { type Cache, createCache, type Store, systemClock } from 'llmemo'
import type { GatewayOptions, LogFields, Role } from 'llmemo-gateway'
import { sqliteStore } from 'llmemo/sqlite'
import { onTestFinished } from 'vitest'
import { KeyRing } from '../../src/access/key-ring.ts'
import { databasePath } from './database-path.ts'
import { listening } from './listening.ts'

/** What was logged. */
export interface Line extends LogFields {
  readonly level: string
  readonly event: string
}

/** A gateway with keys, over a real SQLite file. */
export interface Guarded {
  readonly url: string
  readonly cache: Cache
  readonly store: Store
  readonly ring: KeyRing
  readonly lines: Line[]
  /** The headers with a new key. */
  readonly as: (tenant: string | undefined, ...roles: Role[]) => Promise<Record<string, string>>
}

/** A gateway that listens, with an admin's key already made. */
export async function guarded(options: GatewayOptions = {}): Promise<Guarded> {
  const store = options.store ?? sqliteStore(databasePath())
  const cache = options.cache ?? createCache({ store })
  const ring = new KeyRing(store, options.clock ?? systemClock)
  const lines: Line[] = []
  await ring.create({ roles: ['admin'] })
  const { url } = await listening({
    ...options,
    store,
    cache,
    log: (level, event, fields) => void lines.push({ level, event, ...fields }),
  })
  onTestFinished(() => cache.close())
  const as = async (tenant: string | undefined, ...roles: Role[]): Promise<Record<string, string>> => {
    const { key } = await ring.create({ roles, ...(tenant !== undefined && { tenant }) })
    return { 'x-llmemo-api-key': key }
  }
  return { url, cache, store, ring, lines, as }
}

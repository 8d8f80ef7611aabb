import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import type { Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { answer, callerOf, question } from '../support/chat.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'llmemo-timers-'))
let server: RedisServer
let client: Redis
let files = 0

beforeAll(async () => {
  server = await startRedis()
  client = new Redis({ host: server.host, port: server.port })
  await client.ping()
})
afterAll(async () => {
  client.disconnect()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => void vi.useRealTimers())

const { setImmediate } = globalThis

/** Fails after some turns of the platform's event loop. */
async function turns(): Promise<never> {
  for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve))
  throw new Error('it waits for a timer')
}

/**
 * Fails if `work` does not end by itself. A store in the process needs no more than a few turns of the event loop; how many it takes over a
 * network is left to the machine.
 */
function ended<Value>(name: string, work: Promise<Value>): Promise<Value> {
  return name === 'Redis' ? work : Promise.race([work, turns()])
}

const stores: readonly (readonly [name: string, open: () => Store])[] = [
  ['memory', () => memoryStore()],
  ['SQLite', () => sqliteStore(join(folder, `${files++}.db`))],
  ['Redis', () => redisStore(client)],
]

describe.each(stores)('under fake timers, over %s', (name, open) => {
  it('G51 flush() writes what waits', async () => {
    vi.useFakeTimers()
    const store = open()
    const cache = createCache({ store, namespace: 'flush' })
    await cache.store(question(), answer())
    await cache.set('key', 7)
    await ended(name, cache.flush())
    const other = createCache({ store, namespace: 'flush' })
    expect(await other.get('key')).toBe(7)
    expect(await other.lookup(question())).toBeDefined()
  })

  it('G51 close() writes what waits, and ends', async () => {
    vi.useFakeTimers()
    const store = open()
    const cache = createCache({ store: { ...methodsOf(store) }, namespace: 'close' })
    await cache.set('key', 7)
    await ended(name, cache.close())
    expect(await createCache({ store, namespace: 'close' }).get('key')).toBe(7)
  })

  it('G51 flush() ends while leases are held and given back', async () => {
    vi.useFakeTimers()
    const cache = createCache({ store: open(), namespace: 'leases', sharedFlights: true })
    expect(await callerOf(cache).ask('hello')).toBe('re: hello')
    await ended(name, cache.flush())
    expect(await cache.wrap('key', '1h', () => 7)).toBe(7)
    await ended(name, cache.close())
  })
})

/** The store without its close(), so that another cache can read what was written. */
function methodsOf(store: Store): Store {
  return {
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (key, value, options) => store.set(key, value, options),
    delete: (key) => store.delete(key),
  }
}

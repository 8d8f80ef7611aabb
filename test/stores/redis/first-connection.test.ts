import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

const ttl = 60_000
const value = new TextEncoder().encode('an answer')
/** The options that the store's own log line recommends. */
const recommended = { commandTimeout: 60_000, enableOfflineQueue: false }

let server: RedisServer
const clients: { disconnect(): void }[] = []

beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => {
  await server.stop()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

function opened<Client extends { on(event: 'error', listener: () => void): unknown; disconnect(): void }>(client: Client): Client {
  client.on('error', () => {})
  clients.push(client)
  return client
}

// A cluster client without an offline queue is left out: ioredis 6 never gets one ready.
describe('a client without an offline queue that is not connected yet', () => {
  it.each([
    ['ioredis 6', () => opened(new Redis({ ...recommended, host: server.host, port: server.port }))],
    ['ioredis 6, lazily connected', () => opened(new Redis({ ...recommended, lazyConnect: true, host: server.host, port: server.port }))],
    ['ioredis 5', () => opened(new Redis5({ ...recommended, host: server.host, port: server.port }))],
    ['ioredis 5, lazily connected', () => opened(new Redis5({ ...recommended, lazyConnect: true, host: server.host, port: server.port }))],
  ] as const)('G40 has its first connection waited for: %s', async (_, connect) => {
    const before = redisStore(connect())
    await before.set('key', value, { ttl })
    const store = redisStore(connect())
    expect(await store.get('key')).toEqual(Buffer.from(value))
    expect(await redisStore(connect()).getMany?.(['key', 'none'])).toEqual([Buffer.from(value), undefined])
  })

  it('G40 fails at once when its first connection fails, and is used when it is there later', async () => {
    const port = 1
    const client = opened(new Redis({ ...recommended, host: '127.0.0.1', port, retryStrategy: () => null }))
    const store = redisStore(client)
    await expect(store.get('key')).rejects.toThrow(StoreError)
    await expect(store.get('key')).rejects.toThrow(/Connection is (?:closed|lost)/)
    expect(client.listenerCount('ready') + client.listenerCount('end')).toBe(0)
  })
})

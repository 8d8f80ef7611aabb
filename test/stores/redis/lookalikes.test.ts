import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { versions } from '../../support/redis-clients.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

let server: RedisServer
beforeAll(async () => void (server = await startRedis()))
afterAll(() => server.stop())

const chunk = `a:chunk:${'0'.repeat(36)}:0`

describe('keys of the caller that look like those of chunks', () => {
  it('G56 are kept apart, listed and removed by a pattern', async () => {
    const client = versions[0][1](server)
    const cache = createCache({ store: redisStore(client, { maxValueBytes: 1_000 }), maxMemoryBytes: 0, readDeadline: '1h', logger: false })
    const keys = ['a', chunk, `${chunk}.`, `${chunk}..`, 'a:chunk:', 'b']
    for (const key of keys) await cache.set(key, key.padEnd(5_000))
    await cache.flush()
    expect(await Promise.all(keys.map(async (key) => String(await cache.get(key)).trim()))).toEqual(keys)
    expect(await cache.delByPattern('a*')).toBe(5)
    expect(await Promise.all(keys.map((key) => cache.has(key)))).toEqual([false, false, false, false, false, true])
    await cache.close()
    client.disconnect()
  })
})

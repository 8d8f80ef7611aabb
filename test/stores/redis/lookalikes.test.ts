import { randomBytes } from 'node:crypto'
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
    // What cannot be compressed has chunks of its own.
    const values = keys.map((key) => `${key} ${randomBytes(5_000).toString('base64')}`)
    for (const [index, key] of keys.entries()) await cache.set(key, values[index])
    await cache.flush()
    expect(await client.keys('*:chunk:????????-*')).not.toEqual([])
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(values)
    expect(await cache.delByPattern('a*')).toBe(5)
    expect(await Promise.all(keys.map((key) => cache.has(key)))).toEqual([false, false, false, false, false, true])
    await cache.close()
    client.disconnect()
  })
})

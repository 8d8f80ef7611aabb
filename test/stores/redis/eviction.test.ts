import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { type Cache, createCache, type CacheRequest } from '../../../src/cache/cache.ts'
import { answer, ask, question } from '../../support/chat.ts'
import { versions } from '../../support/redis-clients.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

const count = 600
const asked = (index: number, round = 'first'): CacheRequest => question(`${round} ${index}`, { tags: [`doc:${index}`] })

let server: RedisServer | undefined
afterEach(() => server?.stop())

/** Answers that do not shrink, of about 20 KB. All of them together do not fit. */
async function fill(cache: Cache, round: string): Promise<void> {
  for (let index = 0; index < count; index++) {
    await cache.store(asked(index, round), answer(`${round} ${randomBytes(14_000).toString('base64')}`))
    if (index % 50 === 0) await cache.flush()
  }
  await cache.flush()
}

describe.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl', 'noeviction'])(
  'a Redis of 16 MB with %s',
  (policy) => {
    it('G13 gives no answer that was invalidated, whatever it evicts', async () => {
      server = await startRedis({ maxmemory: '16mb', 'maxmemory-policy': policy })
      const client = versions[0][1](server)
      const open = (): Cache => createCache({ store: redisStore(client), readDeadline: '10s', prices: false, logger: false, ttl: '1d' })
      const here = open()
      await fill(here, 'first')
      const acknowledged: number[] = []
      for (let index = 0; index < count; index++) if (await here.invalidate({ tags: [`doc:${index}`] })) acknowledged.push(index)
      await fill(here, 'second')
      const there = open()
      const outdated: unknown[] = []
      for (const index of acknowledged) {
        const found = await ask(there, asked(index))
        if (found !== undefined) outdated.push(index)
      }
      expect(outdated).toEqual([])
      // A full Redis that evicts nothing takes no invalidation either, and says so.
      expect(acknowledged.length).toBe(policy === 'noeviction' ? acknowledged.length : count)
      const evicted = /evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1]
      expect(Number(evicted) > 0).toBe(policy !== 'noeviction')
      await Promise.all([here.close(), there.close()])
      client.disconnect()
    }, 60_000)
  },
)

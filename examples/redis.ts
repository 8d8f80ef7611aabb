/**
 * Several processes that share their answers through Redis. Each has its own hot memory in front of it.
 * Redis is the one that `REDIS_URL` names; without it, one is started for the while of this example, where `redis-server` is installed.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { redisStore } from 'llmemo/redis'
import { openProvider } from './provider.ts'
import { openRedis } from './redis-server.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
const server = await openRedis()
console.log(`${strong(provider.description)}\n${server.description}`)

/** What each process of a fleet does: a client of Redis, a cache over it, and a wrapped client of the SDK. */
function startProcess() {
  // A command that has no answer within a second is given up, and none waits for a connection that is lost.
  const redis = new Redis(server.url, { commandTimeout: 1_000, enableOfflineQueue: false, lazyConnect: true })
  // ioredis reports every failed attempt to connect; the cache itself says once that Redis is not answering.
  redis.on('error', () => {})
  const cache = createCache({ store: redisStore(redis), namespace: 'redis-example', invalidationDelay: '50ms' })
  const openai = withCache(new OpenAI(provider.options), cache)
  return {
    connect: () => redis.connect(),
    disconnect: () => redis.disconnect(),
    async ask(about: string): Promise<void> {
      const begun = performance.now()
      const answer = await openai.chat.completions.create(
        { model: 'gpt-5-mini', messages: [{ role: 'user', content: `What is a shared tier?\n\n${about}` }] },
        { cache: { tags: ['tiers'] } },
      )
      const took = Math.round(performance.now() - begun)
      console.log(`  ${line(answer._cache)} (${took} ms)`)
      await cache.flush()
    },
    cache,
    async stop(): Promise<void> {
      // The cache writes what waits, and leaves the client to whom it belongs.
      await cache.close()
      redis.disconnect()
    },
  }
}

const text = 'A shared tier stands behind the memory of each process. What one process has paid for, the others find there.'
const one = startProcess()
const another = startProcess()
await Promise.all([one.connect(), another.connect()])
// Of an earlier run on a Redis that stays.
await one.cache.invalidate({ tags: ['tiers'] })

console.log(`\n${strong('One process asks: the provider answers. Again: its own memory does.')}`)
await one.ask(text)
await one.ask(text)

console.log(`\n${strong('Another process asks the same: Redis answers, and then its own memory.')}`)
await another.ask(text)
await another.ask(text)

console.log(`\n${strong('The other one declares the answers outdated: both ask anew, once for the two of them.')}`)
await another.cache.invalidate({ tags: ['tiers'] })
await another.ask(text)
// The first process hears of it within its `invalidationDelay`.
await new Promise((resolve) => setTimeout(resolve, 60))
await one.ask(text)

console.log(`\n${strong('One process loses Redis: what is in its memory is still served, and the rest comes from the provider.')}`)
one.disconnect()
await one.ask(text)
await one.ask(`${text} It may also be gone.`)

console.log(`\nThe provider was asked ${provider.calls()} times.`)
await one.stop()
await another.stop()
await server.close()
await provider.close()

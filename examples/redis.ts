/**
 * Several processes that share their answers through Redis. Each has its own memory in front of it.
 * The example uses the Redis of `REDIS_URL`. Without that variable it starts one, if `redis-server` is installed.
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

/** What each process has: a client of Redis, a cache over it, and a wrapped client of the SDK. */
function startProcess() {
  // A command fails if it has no answer within a second, and at once if the connection is lost.
  const redis = new Redis(server.url, { commandTimeout: 1_000, enableOfflineQueue: false, lazyConnect: true })
  // ioredis reports every failed attempt to connect; the cache itself says once that Redis is not answering.
  redis.on('error', () => {})
  const logger = { warn: (message: string) => console.log(`  ${message}`), info: (message: string) => console.log(`  ${message}`) }
  const cache = createCache({ store: redisStore(redis), namespace: 'redis-example', invalidationDelay: '50ms', logger })
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
      // The cache finishes its writes. It does not close the client: the program does.
      await cache.close()
      redis.disconnect()
    },
  }
}

const text = 'A shared tier stands behind the memory of each process. An answer of one process serves all the others.'
const one = startProcess()
const another = startProcess()
await Promise.all([one.connect(), another.connect()])
// Redis may hold answers of an earlier run.
await one.cache.invalidate({ tags: ['tiers'] })

console.log(`\n${strong('One process asks: the provider answers. Again: its own memory does.')}`)
await one.ask(text)
await one.ask(text)

console.log(`\n${strong('Another process asks the same: Redis answers, and then its own memory.')}`)
await another.ask(text)
await another.ask(text)

console.log(`\n${strong('The other process invalidates the answers: it asks again, and its new answer serves both.')}`)
await another.cache.invalidate({ tags: ['tiers'] })
await another.ask(text)
// The first process knows of it after `invalidationDelay`.
await new Promise((resolve) => setTimeout(resolve, 60))
await one.ask(text)

console.log(`\n${strong('One process loses Redis: its memory still serves answers, and the provider the rest.')}`)
one.disconnect()
await one.ask(text)
await one.ask(`${text} It may also be gone.`)

console.log(`\nThe provider was asked ${provider.calls()} times.`)
await one.stop()
await another.stop()
await server.close()
await provider.close()

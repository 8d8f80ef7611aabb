import { Redis } from 'ioredis'
import { createCache } from 'llmemo'
import { redisStore } from 'llmemo/redis'
import { expect, it, onTestFinished } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import type { ProviderRequest } from '../../../test/support/provider-server.ts'
import { type RedisServer, startRedis } from '../../../test/support/redis-server.ts'
import { ask, gatewayOver, question } from '../support/provider.ts'

/** The question that a request asks. */
function questionIn({ body }: Pick<ProviderRequest, 'body'>): string {
  return /"content":"([^"]+)"/.exec(JSON.stringify(body))?.[1] ?? ''
}

it.each([
  ['is killed', (redis: RedisServer) => redis.kill(), (redis: RedisServer) => redis.start()],
  ['takes connections and answers none', async (redis: RedisServer) => redis.pause(), async (redis: RedisServer) => redis.resume()],
])('loses no request while Redis %s under the load of 64 clients, and gives no wrong answer', async (_name, goAway, comeBack) => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const client = new Redis({ host: redis.host, port: redis.port, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  const cache = createCache({ store: redisStore(client), maxMemoryBytes: 0, logger: false })
  onTestFinished(() => cache.close())
  const { url } = await gatewayOver((request, reply) => reply.json(completion(`On ${questionIn(request)}`)), { cache })
  let asked = 0
  const sources = new Set<string | null>()
  /** One client: it asks until `until` questions were asked by all. */
  const client64 = async (until: number): Promise<void> => {
    while (asked < until) {
      const about = `question ${asked++ % 50}`
      const response = await ask(url, {}, question(about))
      sources.add(response.headers.get('x-llmemo-source'))
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual(completion(`On ${about}`))
    }
  }
  const all = (until: number): Promise<unknown> => Promise.all(Array.from({ length: 64 }, () => client64(until)))
  await all(200)
  expect(sources).toContain('redis')
  const under = all(800)
  await goAway(redis)
  await under
  sources.clear()
  await comeBack(redis)
  await all(900)
})

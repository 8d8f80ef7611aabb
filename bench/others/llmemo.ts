/**
 * llmemo, in the same shape as the others.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { createCache, withCache, type Cache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { asked } from '../harness/payload.ts'
import type { Caller, Other } from './other.ts'

/** `withCache` around the client. */
export const llmemo: Other = {
  name: 'llmemo',
  package: 'llmemo',
  abilities: { streams: 'yes', bedrock: 'yes', embeddings: 'yes', processes: 'yes, by sharedFlights', bound: '64 MiB' },
  memory: ({ fetch }) => callerOf(fetch, createCache(), () => {}),
  async redis({ fetch }, url) {
    const client = new Redis(url)
    const cache = createCache({ store: redisStore(client), maxMemoryBytes: 0, logger: false })
    return callerOf(fetch, cache, async () => {
      await cache.close()
      await client.quit()
    })
  },
  async processes({ fetch }, url) {
    const client = new Redis(url)
    const cache = createCache({ store: redisStore(client), sharedFlights: true, logger: false })
    return callerOf(fetch, cache, async () => {
      await cache.close()
      await client.quit()
    })
  },
}

/** Asks through this cache. */
export function callerOf(fetch: typeof globalThis.fetch, cache: Cache, close: Caller['close']): Caller {
  const client = withCache(new OpenAI({ apiKey: 'sk-bench', fetch }), cache)
  return {
    ask: (question) => client.chat.completions.create(asked(question)),
    async stream(question, first) {
      const stream = await client.chat.completions.create({ ...asked(question), stream: true })
      let text = ''
      for await (const chunk of stream) {
        if (text === '') first()
        text += chunk.choices[0]?.delta.content ?? ''
      }
      return text
    },
    close,
  }
}

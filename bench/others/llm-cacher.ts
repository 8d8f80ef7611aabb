/**
 * llm-cacher, which wraps the client.
 * @module
 */
import { Redis } from 'ioredis'
import { createCachedClient, MemoryStorage, RedisStorage } from 'llm-cacher'
import OpenAI from 'openai'
import { asked } from '../harness/payload.ts'
import type { Caller, Other } from './other.ts'

/** `createCachedClient` with exact matching. */
export const llmCacher: Other = {
  name: 'llm-cacher',
  package: 'llm-cacher',
  abilities: { streams: 'yes, as a bare generator', bedrock: 'no', embeddings: 'no', processes: 'no', bound: '1,000 entries' },
  memory({ fetch }) {
    const storage = new MemoryStorage({ maxSize: 10_000 })
    const client = createCachedClient(new OpenAI({ apiKey: 'sk-bench', fetch }), { ttl: '1h', storage })
    return callerOf(client, () => storage.destroy())
  },
  async redis({ fetch }, url) {
    const storage = new RedisStorage({ client: new Redis(url) })
    const client = createCachedClient(new OpenAI({ apiKey: 'sk-bench', fetch }), { ttl: '1h', storage })
    return callerOf(client, async () => void (await storage.quit()))
  },
}

function callerOf(client: OpenAI, close: Caller['close']): Caller {
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

/**
 * bentocache around the SDK's call.
 * @module
 */
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { asked } from '../harness/payload.ts'
import { type Around, type Caller, keyOf, type Other } from './other.ts'

/** `getOrSet` around the call. In memory it keeps JSON, so each caller has its own copy. */
export const bentocache: Other = {
  name: 'bentocache',
  package: 'bentocache',
  abilities: { streams: 'no', bedrock: 'yes, around the call', embeddings: 'no', processes: 'no', bound: '1,000 entries, or bytes' },
  memory: ({ fetch }) => callerOf(inMemory(), fetch),
  around: () => aroundOf(inMemory()),
  async redis({ fetch }, url) {
    const connection = new Redis(url)
    const stores = { answers: bentostore().useL2Layer(redisDriver({ connection })) }
    return callerOf(new BentoCache({ default: 'answers', stores }), fetch)
  },
}

interface Bento {
  getOrSet(options: { key: string; ttl: string; factory: () => Promise<unknown> }): Promise<unknown>
  disconnectAll(): Promise<void>
}

function inMemory(): Bento {
  const stores = { answers: bentostore().useL1Layer(memoryDriver({ maxSize: '64mb', maxItems: 10_000 })) }
  return new BentoCache({ default: 'answers', stores })
}

function aroundOf(bento: Bento): Around {
  return {
    ask: (request, call) => bento.getOrSet({ key: keyOf(request), ttl: '1h', factory: call }),
    close: () => bento.disconnectAll(),
  }
}

function callerOf(bento: Bento, fetch: typeof globalThis.fetch): Caller {
  const client = new OpenAI({ apiKey: 'sk-bench', fetch })
  const around = aroundOf(bento)
  return {
    ask(question) {
      const request = asked(question)
      return around.ask(request, async () => client.chat.completions.create(request))
    },
    close: () => around.close(),
  }
}

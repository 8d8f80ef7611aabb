/**
 * cacheable around the SDK's call.
 * @module
 */
import KeyvRedis from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { Keyv } from 'keyv'
import OpenAI from 'openai'
import { asked } from '../harness/payload.ts'
import { type Around, type Caller, keyOf, type Other } from './other.ts'

/** `getOrSet` around the call. */
export const cacheable: Other = {
  name: 'cacheable',
  package: 'cacheable',
  abilities: { streams: 'no', bedrock: 'yes, around the call', embeddings: 'no', processes: 'no', bound: 'none, or entries' },
  memory: ({ fetch }) => callerOf(new Cacheable({ ttl: '1h' }), fetch),
  around: () => aroundOf(new Cacheable({ ttl: '1h' })),
  async redis({ fetch }, url) {
    return callerOf(new Cacheable({ ttl: '1h', primary: new Keyv({ store: new KeyvRedis(url) }) }), fetch)
  },
}

function aroundOf(cache: Cacheable): Around {
  return { ask: (request, call) => cache.getOrSet(keyOf(request), call), close: () => cache.disconnect() }
}

function callerOf(cache: Cacheable, fetch: typeof globalThis.fetch): Caller {
  const client = new OpenAI({ apiKey: 'sk-bench', fetch })
  const around = aroundOf(cache)
  return {
    ask(question) {
      const request = asked(question)
      return around.ask(request, async () => client.chat.completions.create(request))
    },
    close: () => around.close(),
  }
}

/**
 * The cache that one writes oneself in five lines: a `Map`, or Redis by ioredis, around the SDK's call.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { asked } from '../harness/payload.ts'
import { keyOf, type Other } from './other.ts'

const abilities = { streams: 'no', bedrock: 'yes, written again', embeddings: 'no', processes: 'no' }

/** A `Map` of answers. */
export const map: Other = {
  name: 'Map by hand',
  package: 'openai',
  abilities: { ...abilities, bound: 'none' },
  memory({ fetch }) {
    const client = new OpenAI({ apiKey: 'sk-bench', fetch })
    const kept = new Map<string, OpenAI.ChatCompletion>()
    return {
      async ask(question) {
        const request = asked(question)
        const key = keyOf(request)
        const known = kept.get(key)
        if (known !== undefined) return known
        const answer = await client.chat.completions.create(request)
        kept.set(key, answer)
        return answer
      },
      close() {},
    }
  },
}

/** Answers as JSON in Redis. */
export const redis: Other = {
  name: 'ioredis by hand',
  package: 'ioredis',
  abilities: { ...abilities, bound: 'that of Redis' },
  async redis({ fetch }, url) {
    const client = new OpenAI({ apiKey: 'sk-bench', fetch })
    const store = new Redis(url)
    return {
      async ask(question) {
        const request = asked(question)
        const key = `by-hand:${keyOf(request)}`
        const known = await store.get(key)
        if (known !== null) {
          const answer: unknown = JSON.parse(known)
          return answer
        }
        const answer = await client.chat.completions.create(request)
        await store.set(key, JSON.stringify(answer), 'EX', 3_600)
        return answer
      },
      async close() {
        await store.quit()
      },
    }
  },
}

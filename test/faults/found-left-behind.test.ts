import { getHeapSnapshot } from 'node:v8'
import { inspect } from 'node:util'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { type Cache, cacheInfo, cachingFetch, createCache, withCache } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { answer, settle } from '../support/chat.ts'

/** Whether the heap holds a text with these bytes. The bytes themselves lie outside of it. */
async function heapHas(needle: Buffer): Promise<boolean> {
  const chunks: Buffer[] = []
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).includes(needle)
}

type Ask = (content: string) => Promise<boolean | undefined>

/** A question by each way that remembers the requests which come again. @returns whether it was a hit */
const ways: readonly (readonly [name: string, asking: (cache: Cache) => Ask])[] = [
  [
    'a wrapped client',
    (cache) => {
      const client = withCache(new OpenAI({ apiKey: 'k', fetch: async () => Response.json(answer()) }), cache)
      return async (content) => (await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] }))._cache.hit
    },
  ],
  [
    'cachingFetch',
    (cache) => {
      const fetch = cachingFetch(cache, async () => Response.json(answer()))
      return async (content) => {
        const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
        const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body })
        await response.text()
        return cacheInfo(response)?.hit
      }
    },
  ],
]

describe('after clear()', () => {
  it.each(ways)('G55 no prompt stays in memory: %s', async (_, asking) => {
    const needle = Buffer.from(Array.from({ length: 24 }, () => 97 + Math.floor(Math.random() * 26)))
    const cache = createCache({ logger: false, prices: false })
    const to = asking(cache)
    const ask = (): Promise<boolean | undefined> => to(`about ${needle.toString('latin1')}`)
    expect([await ask(), await ask(), await ask()]).toEqual([false, true, true])
    expect(await heapHas(needle)).toBe(true)
    await cache.clear()
    // The last call's own objects are gone once another call was made.
    await to('another')
    // A reader that was collected is let go of in a later turn. Each look at the heap collects what can be collected.
    let has = true
    for (let look = 0; has && look < 5; look++) {
      has = await heapHas(needle)
      await settle()
    }
    expect(has).toBe(false)
    // The cache is still there.
    expect(await to('another')).toBe(true)
  })
})

describe('a cache that is printed', () => {
  it.each(['0123456789abcdef'.repeat(4), Buffer.alloc(32, 7).toString('base64')])('G55 shows no key of its encryption: %s', (key) => {
    const cache = createCache({ store: memoryStore(), encryption: { keys: { a: key }, current: 'a' } })
    const client = withCache(new OpenAI({ apiKey: 'k' }), cache)
    for (const printed of [cache, client]) {
      const text = inspect(printed, { showHidden: true, depth: 30, getters: true, maxArrayLength: null, maxStringLength: null })
      expect(text).not.toContain(key)
    }
  })

  it('G55 shows no bytes of a key', () => {
    const cache = createCache({ encryption: { keys: { a: new Uint8Array(32).fill(201) }, current: 'a' } })
    expect(inspect(cache, { showHidden: true, depth: 30, getters: true, maxArrayLength: null })).not.toContain('201, 201')
  })
})

import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cacheOf } from '../../src/clients/cache-of.ts'
import { withCache } from '../../src/clients/with-cache.ts'

it('G50 the cache of a wrapped client can be reached, also from a copy of the client', () => {
  const cache = createCache({ logger: false })
  for (const bare of [new OpenAI({ apiKey: 'k' }), new Anthropic({ apiKey: 'k' })]) {
    const client: object = withCache(bare, cache)
    expect(cacheOf(client)).toBe(cache)
    expect(cacheOf(Reflect.get(client, 'withOptions').call(client, { timeout: 9 }))).toBe(cache)
    expect(cacheOf(bare)).toBeUndefined()
  }
  expect(cacheOf(withCache(new OpenAI({ apiKey: 'k' })))?.stats()).toMatchObject({ hits: 0, misses: 0 })
})

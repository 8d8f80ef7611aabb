import { CountTokensCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, cachingFetch, createCache, withCache } from '../../../src/index.ts'
import { makeBedrock } from '../../support/bedrock-sdk.ts'
import { completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

let server: ProviderServer
let cache: Cache
let seen: unknown[]
beforeEach(async () => {
  server = await startProvider((_, reply) => reply.json(completion('Hi')))
  cache = createCache({ logger: false })
  seen = []
  cache.on('pass', (event) => seen.push(event))
})
afterEach(() => server.close())

describe('what passes through unseen', () => {
  it.each([
    ['Gemini', '/v1beta/models/imagen-4:predict', '?key=secret'],
    ['Cohere', '/v1/classify', ''],
    ['Ollama', '/api/show', ''],
    ['AI Gateway', '/v1/ai/language-model', ''],
  ])('G45 of %s over cachingFetch is an event and a count, without the query', async (_, path, query) => {
    const through = cachingFetch(cache)
    const base = server.url.replace('/v1', '')
    for (let time = 0; time < 2; time++) await (await through(`${base}${path}${query}`, { method: 'POST', body: '{}' })).text()
    const { host } = new URL(base)
    expect(seen).toEqual(Array.from({ length: 2 }, () => ({ method: 'POST', host, path })))
    expect(cache.stats()).toMatchObject({ pass: 2, hits: 0, misses: 0, bypasses: 0 })
    expect(server.requests).toHaveLength(2)
  })

  it('G45 of a wrapped client is too, and what is cached or bypasses the cache is not', async () => {
    const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
    await client.post('/classify', { body: { model: 'm' } })
    expect(seen).toEqual([{ method: 'POST', host: new URL(server.url).host, path: '/v1/classify' }])
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    await client.chat.completions.create({ model: 'm', messages })
    await client.chat.completions.create({ model: 'm', messages }, { bypassCache: true })
    expect(cache.stats()).toMatchObject({ pass: 1, misses: 1, bypasses: 1 })
  })

  it('G45 of a wrapped client of Bedrock is too, by the name of the command', async () => {
    server.respond((_, reply) => reply.json({ inputTokens: 7 }))
    const client = withCache(makeBedrock('http1', { url: new URL(server.url).origin }), cache)
    const input = { converse: { messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] } }
    expect(await client.send(new CountTokensCommand({ modelId: 'm', input }))).toMatchObject({ inputTokens: 7 })
    expect(seen).toEqual([{ method: 'send', host: 'bedrock-runtime', path: 'CountTokensCommand' }])
    expect(cache.stats()).toMatchObject({ pass: 1, misses: 0, bypasses: 0 })
  })

  it('G45 of a wrapped client of Gemini is too, by the name of the method', async () => {
    server.respond((_, reply) => reply.json({ name: 'models/m', models: [{ name: 'models/m' }] }))
    const client = withCache(new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: new URL(server.url).origin } }), cache)
    expect(await client.models.get({ model: 'm' })).toMatchObject({ name: 'models/m' })
    expect((await client.models.list()).getItem(0)).toMatchObject({ name: 'models/m' })
    expect(seen).toEqual(['models.get', 'models.list'].map((path) => ({ method: 'call', host: 'gemini', path })))
    expect(cache.stats()).toMatchObject({ pass: 2, misses: 0, bypasses: 0 })
  })
})

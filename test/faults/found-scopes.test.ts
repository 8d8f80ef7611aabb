/**
 * Faults that were found in 0.1.0 in what a scope is, and where it is missing.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import Anthropic0 from 'anthropic0'
import Anthropic060 from 'anthropic060'
import OpenAI, { AzureOpenAI } from 'openai'
import OpenAI5 from 'openai5'
import OpenAI6 from 'openai6'
import { describe, expect, it } from 'vitest'
import type { CacheRequest } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { openCache } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { completion } from '../support/openai-answers.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
}

function open(options: CacheOptions = {}) {
  const { cache } = openCache({ clock: new ManualClock(), ...options })
  let calls = 0
  const fetch: Fetch = async (input) => {
    const url = input instanceof Request ? input.url : String(input)
    return Response.json(url.includes('/messages') ? message : completion(`answer ${++calls}`))
  }
  return { cache, fetch, calls: () => calls }
}

const embeddingBody = (...input: string[]) => ({ model: 'm', encoding_format: 'float' as const, input })

describe('G38 the scope of a client', () => {
  const options: readonly (readonly [string, object])[] = [
    ['a key', { apiKey: 'sk-1' }],
    ['an organisation and a project', { apiKey: 'sk-1', organization: 'org', project: 'proj' }],
    ['a cookie', { apiKey: 'sk-1', defaultHeaders: { Cookie: 'a=b' } }],
    ['a key in a header', { apiKey: 'sk-1', defaultHeaders: { authorization: 'Bearer other', 'api-key': 'k' } }],
    ['a header that is taken away', { apiKey: 'sk-1', organization: 'org', defaultHeaders: { 'OpenAI-Organization': null } }],
    ['a function', { apiKey: async () => 'sk-1', organization: 'org' }],
  ]
  const openais = Object.entries({ OpenAI, OpenAI6, OpenAI5 }).flatMap(([name, Client]) =>
    options.map(([what, given]) => [`${name}: ${what}`, Client, given] as const),
  )

  it.each(openais)('G38 is that of its calls: %s', async (_, Client, given) => {
    const { cache, fetch } = open()
    const bare = Object(Reflect.construct(Client, [{ fetch, maxRetries: 0, ...given }]))
    const client: OpenAI = Object(withCache(bare, cache))
    const answer = await client.chat.completions.create({ model: 'm', messages })
    expect([cache.scopeOf(bare), cache.scopeOf(client)]).toEqual(Array.from({ length: 2 }, () => cacheInfo(answer)?.scope))
  })

  it('G38 is that of its calls: Azure', async () => {
    const { cache, fetch } = open()
    const client = withCache(
      new AzureOpenAI({ apiKey: 'k', endpoint: 'https://x.openai.azure.com', apiVersion: '2025-01-01', fetch }),
      cache,
    )
    const answer = await client.chat.completions.create({ model: 'm', messages })
    expect(cacheInfo(answer)?.scope).toMatch(/^[0-9a-f]{64}$/)
    expect(cache.scopeOf(client)).toBe(cacheInfo(answer)?.scope)
  })

  const anthropics = Object.entries({ Anthropic, Anthropic0, Anthropic060 }).flatMap(([name, Client]) =>
    [{ apiKey: 'sk-1' }, { apiKey: null, authToken: 't-1' }, ...(Client === Anthropic ? [] : [{ apiKey: 'sk-1', authToken: 't-1' }])].map(
      (given) => [`${name}: ${Object.keys(given).join(', ')}`, Client, given] as const,
    ),
  )
  it.each(anthropics)('G38 is that of its calls: %s', async (_, Client, given) => {
    const { cache, fetch } = open()
    const client: Anthropic = Object(withCache(Object(Reflect.construct(Client, [{ fetch, maxRetries: 0, ...given }])), cache))
    const answer = await client.messages.create({ model: 'm', max_tokens: 9, messages })
    expect(cacheInfo(answer)?.scope).toMatch(/^[0-9a-f]{64}$/)
    expect(cache.scopeOf(client)).toBe(cacheInfo(answer)?.scope)
  })

  it('G38 is the cache’s own, if it has one; empty for Bedrock; an error for anything else', () => {
    const bedrock = new BedrockRuntimeClient({ region: 'eu-west-1' })
    expect(open({ scope: 'acme' }).cache.scopeOf(new OpenAI({ apiKey: 'k' }))).toBe('acme')
    expect(open().cache.scopeOf(bedrock)).toBe('')
    const { cache } = open()
    for (const other of [undefined, {}, 'client'])
      // @ts-expect-error -- what a caller without types may give
      expect(() => cache.scopeOf(other)).toThrow('a client of OpenAI, Anthropic or Bedrock')
  })

  it('G38 lets an answer that was stored by hand serve the client', async () => {
    const { cache, fetch, calls } = open()
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const request: CacheRequest = { endpoint: 'chat.completions', body: { model: 'm', messages }, scope: cache.scopeOf(client) }
    expect(await cache.store(request, completion('from a batch'))).toMatchObject({ stored: true })
    const answer = await client.chat.completions.create({ model: 'm', messages })
    expect([answer.choices[0]?.message.content, calls()]).toEqual(['from a batch', 0])
    expect(await cache.lookup(request)).toMatchObject({ info: { hit: true } })
  })

  it.each([{}, { store: memoryStore(), maxMemoryBytes: 0 }])('G38 so do embeddings, which lie one by one: %o', async (options) => {
    const { cache } = open({ scope: 'mine', ...options })
    const asked: unknown[] = []
    const fetch: Fetch = async (_, init) => {
      const { input } = Object(await new Response(init?.body).json())
      asked.push(input)
      return Response.json(embeddings([input].flat().map((text: string) => [text.length])))
    }
    const { embeddings: client } = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const request = (...input: string[]): CacheRequest => ({ endpoint: 'embeddings', body: embeddingBody(...input) })
    expect(await cache.store(request('a', 'b'), embeddings([[10], [20]]))).toMatchObject({ stored: true, inputs: { hits: 0, misses: 2 } })
    await cache.flush()
    // The client meets what was stored by hand, in any order and beside others.
    expect((await client.create(embeddingBody('b', 'a'))).data.map(({ embedding }) => embedding)).toEqual([[20], [10]])
    expect((await client.create(embeddingBody('a', 'ccc'))).data.map(({ embedding }) => embedding)).toEqual([[10], [3]])
    expect(asked).toEqual([['ccc']])
    await cache.flush()
    // And what it fetched is looked up, and forgotten as a whole.
    const found = await cache.lookup(request('ccc', 'b'))
    expect(found).toMatchObject({ answer: embeddings([[3], [20]]), info: { hit: true, inputs: { hits: 2, misses: 0 } } })
    expect(await cache.forget(found ?? {})).toBe(true)
    expect(await Promise.all([cache.lookup(request('ccc')), cache.lookup(request('b')), cache.lookup(request('a'))])).toMatchObject([
      undefined,
      undefined,
      { answer: embeddings([[10]]) },
    ])
    expect(await cache.store(request('a', 'b'), embeddings([[1]]))).toMatchObject({ stored: false, reason: 'malformed' })
  })
})

function embeddings(vectors: readonly (readonly number[])[]) {
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }))
  return { object: 'list', model: 'm', data, usage: { prompt_tokens: data.length, total_tokens: data.length } }
}

describe('G38 a scope that is missing', () => {
  it('G38 is an error where it is given as undefined', async () => {
    const { cache, fetch, calls } = open()
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const tenant: { id?: string } = {}
    const given: object = { cache: { scope: tenant.id } }
    await expect(client.chat.completions.create({ model: 'm', messages }, given)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    const request: object = { endpoint: 'chat.completions', body: { model: 'm', messages }, scope: tenant.id }
    await expect(cache.lookup(Object(request))).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect(calls()).toBe(0)
  })

  it('G38 is an error with requireScope, except where nothing is cached', async () => {
    const { cache, fetch, calls } = open({ requireScope: true })
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const refused = { code: 'INVALID_OPTION', message: expect.stringContaining('requireScope') }
    await expect(client.chat.completions.create({ model: 'm', messages })).rejects.toMatchObject(refused)
    await expect(client.embeddings.create({ model: 'm', input: 'a' }, { cache: { ttl: '1m' } })).rejects.toMatchObject(refused)
    await expect(
      withCache(new Anthropic({ apiKey: 'k', fetch }), cache).messages.create({ model: 'm', max_tokens: 9, messages }),
    ).rejects.toMatchObject(refused)
    await expect(cache.lookup({ endpoint: 'chat.completions', body: { model: 'm', messages } })).rejects.toMatchObject(refused)
    const plain = cachingFetch(cache, fetch)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: '{"model":"m","messages":[]}',
    })
    await expect(plain).rejects.toMatchObject(refused)
    expect(calls()).toBe(0)
    await client.chat.completions.create({ model: 'm', messages }, { bypassCache: true })
    await client.chat.completions.create({ model: 'm', messages }, { cache: { scope: 'acme' } })
    await client.post('/unknown', { body: {} })
    expect(calls()).toBe(3)
    const named = open({ requireScope: true, scope: 'acme' })
    await withCache(new OpenAI({ apiKey: 'k', fetch: named.fetch }), named.cache).chat.completions.create({ model: 'm', messages })
    expect(() => open({ requireScope: Object('yes') })).toThrow('requireScope')
  })
})

describe('G38 a scope as a function of the call', () => {
  it('G38 gives each call its own, also for the same text', async () => {
    const tenants = new AsyncLocalStorage<string>()
    const { cache, fetch, calls } = open({ scope: () => tenants.getStore() ?? Object(undefined) })
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const ask = (tenant: string) =>
      tenants.run(tenant, async () => cacheInfo(await client.chat.completions.create({ model: 'm', messages })))
    for (const hit of [false, true, true]) {
      for (const tenant of ['a', 'b']) expect(await ask(tenant)).toMatchObject({ hit, scope: tenant })
    }
    expect(calls()).toBe(2)
    const raw = cachingFetch(cache, fetch)
    const texts = ['a', 'b', 'a', 'b', 'a'].map((tenant) =>
      tenants.run(tenant, async () =>
        (
          await raw('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'x', messages }) })
        ).text(),
      ),
    )
    expect(new Set(await Promise.all(texts)).size).toBe(2)
    // A tenant without an id is not cached at all.
    expect(await ask(Object(undefined))).toMatchObject({ hit: false, stored: false, reason: 'no scope' })
  })

  it('G38 is asked with what is known of the call, and a call’s own scope comes first', async () => {
    const asked: unknown[] = []
    const { cache, fetch } = open({
      scope(call) {
        asked.push(call)
        return `user:${String(call.request['user'])}`
      },
    })
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    const answer = await client.chat.completions.create(
      { model: 'm', messages, user: 'u' },
      { cache: { operation: 'qa', context: 1, tags: ['t'] } },
    )
    expect(cacheInfo(answer)).toMatchObject({ scope: 'user:u' })
    expect(asked[0]).toEqual({
      provider: 'openai',
      endpoint: 'chat.completions',
      operation: 'qa',
      request: { model: 'm', messages, user: 'u' },
      context: 1,
      tags: ['t'],
    })
    expect(cacheInfo(await client.chat.completions.create({ model: 'm', messages }, { cache: { scope: 'own' } }))).toMatchObject({
      scope: 'own',
    })
    expect(() => cache.scopeOf(client)).toThrow('function')
  })

  it('G38 one that throws caches nothing, and the caller gets its answer', async () => {
    const { cache, fetch, calls } = open({
      scope() {
        throw new Error('mine')
      },
    })
    const client = withCache(new OpenAI({ apiKey: 'sk-1', fetch }), cache)
    for (const text of ['answer 1', 'answer 2']) {
      const answer = await client.chat.completions.create({ model: 'm', messages })
      expect(answer.choices[0]?.message.content).toBe(text)
    }
    expect([calls(), cache.stats().bypassReasons]).toEqual([2, { 'no scope': 2 }])
  })
})

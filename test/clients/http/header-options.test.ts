import Anthropic from '@anthropic-ai/sdk'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

const body = JSON.stringify({ model: 'gpt-test-1', messages: [{ role: 'user', content: 'Hi' }] })

/** A call with headers in one of the forms that `fetch` takes. */
type Form = (headers: Record<string, string>) => [string | Request, RequestInit?]

describe('options in the headers of a request', () => {
  let server: ProviderServer
  let cache: Cache
  let fetch: Fetch
  let url: string

  beforeEach(async () => {
    server = await startProvider(({ path, body: asked }, reply) => {
      if (path.endsWith('/messages')) return reply.json(message([text('Hello.')]))
      return Reflect.get(Object(asked), 'stream') === true ? reply.events(chunksOf('Hello.').flat()) : reply.json(completion('Hello.'))
    })
    cache = createCache({ logger: false })
    fetch = cachingFetch(cache)
    url = `${server.url}/chat/completions`
  })
  afterEach(() => server.close())

  async function ask(headers: Record<string, string> = {}, through = fetch) {
    const response = await through(url, { method: 'POST', body, headers: { authorization: 'Bearer a', ...headers } })
    return { info: cacheInfo(response), answer: JSON.parse(await response.text()), response }
  }

  /** The names of headers that reached the provider and are ours. */
  function leaked(): string[] {
    return server.requests.flatMap(({ headers }) => Object.keys(headers).filter((name) => name.includes('llmemo')))
  }

  it('G63 each means what the option of a call means', async () => {
    const { info } = await ask({
      'X-LLMemo-TTL': '90',
      'x-llmemo-operation': 'summarize',
      'x-llmemo-scope': 'acme',
      'x-llmemo-tags': 'a, b',
    })
    expect(info).toMatchObject({ operation: 'summarize', scope: 'acme', stored: true, ttl: 90 })
    const again = { 'x-llmemo-operation': 'summarize', 'x-llmemo-scope': 'acme' }
    expect((await ask(again)).info?.hit).toBe(true)
    expect((await ask({ ...again, 'x-llmemo-scope': 'other' })).info?.hit).toBe(false)
    await cache.invalidate({ tags: ['b'] })
    expect((await ask(again)).info?.hit).toBe(false)
    expect((await ask({ 'x-llmemo-scope': 'acme', 'x-llmemo-variant': '1' })).info?.hit).toBe(false)
    expect((await ask({ 'x-llmemo-scope': 'acme', 'x-llmemo-context': '{"b":1,"a":[2]}' })).info?.hit).toBe(false)
    expect((await ask({ 'x-llmemo-scope': 'acme', 'x-llmemo-context': '{ "a": [2], "b": 1 }' })).info?.hit).toBe(true)
    expect((await ask({ 'x-llmemo-scope': 'acme', 'x-llmemo-mode': 'no-store' })).info).toMatchObject({ reason: 'no-store' })
    expect((await ask({ 'x-llmemo-ttl': '10m' })).info?.ttl).toBe(600)
    expect(leaked()).toEqual([])
  })

  it('G63 they have the key of the same options in code, and are no part of it by themselves', async () => {
    const client = withCache(new OpenAI({ apiKey: 'a', baseURL: server.url }), cache)
    const scope = 'acme'
    const first = await client.chat.completions.create(
      { model: 'gpt-test-1', messages: [{ role: 'user', content: 'Hi' }] },
      { cache: { scope, context: { project: 1 } } },
    )
    const { info } = await ask({ 'x-llmemo-scope': scope, 'x-llmemo-context': '{"project":1}', 'x-llmemo-ttl': '9h' })
    expect(info).toMatchObject({ hit: true, key: first._cache.key })
    const described = { endpoint: 'chat.completions', body: JSON.parse(body), headers: { 'x-llmemo-tags': 'a' } } as const
    expect(cache.explain(described, { ...described, headers: {} })).toMatchObject({ same: true })
  })

  const forms: readonly (readonly [string, Form])[] = [
    ['an object', (headers) => [url, { method: 'POST', body, headers }]],
    ['pairs', (headers) => [url, { method: 'POST', body, headers: Object.entries(headers) }]],
    ['Headers', (headers) => [url, { method: 'POST', body, headers: new Headers(headers) }]],
    ['a Map', (headers) => [url, { method: 'POST', body, headers: Object(new Map(Object.entries(headers))) }]],
    ['a Request', (headers) => [new Request(url, { method: 'POST', body, headers })]],
    ['a Request and an init', (headers) => [new Request(url, { method: 'POST', headers: { 'x-llmemo-ttl': '1m' } }), { body, headers }]],
    ['a Request of another endpoint', (headers) => [new Request(`${server.url}/models`, { headers })]],
    ['a call that is no endpoint', (headers) => [`${server.url}/files`, { method: 'POST', body, headers }]],
    ['a call with a body that is no JSON', (headers) => [url, { method: 'POST', body: 'no', headers }]],
    ['a call of a mode of fetch', (headers) => [url, { method: 'POST', body, headers, cache: 'no-store' }]],
    ['a batch', (headers) => [`${server.url}/embeddings`, { method: 'POST', body: '{"model":"m","input":["a","b"]}', headers }]],
  ]

  it.each(forms)('G63 they do not leave, and the others do: %s', async (_, form) => {
    const given = { 'X-Llmemo-Scope': 'acme', 'x-llmemo-tags': 'a', 'x-other': 'yes', authorization: 'Bearer a' }
    await (await fetch(...form(given))).text()
    expect(server.requests).toHaveLength(1)
    expect(leaked()).toEqual([])
    expect(server.requests[0]?.headers).toMatchObject({ 'x-other': 'yes', authorization: 'Bearer a' })
    expect(given).toHaveProperty('X-Llmemo-Scope')
  })

  it('G63 the form in which the headers were given stays, for a `fetch` that reads it', async () => {
    const seen: unknown[] = []
    const through = cachingFetch(cache, async (_, init) => {
      seen.push(init?.headers)
      return Response.json(completion('Hi'))
    })
    await ask({ 'x-llmemo-tags': 'a', 'X-Title': 'mine' }, through)
    await through(`${server.url}/files`, {
      headers: [
        ['x-llmemo-tags', 'a'],
        ['X-Title', 'mine'],
      ],
    })
    expect(seen).toEqual([{ authorization: 'Bearer a', 'X-Title': 'mine' }, [['X-Title', 'mine']]])
  })

  describe('that cannot be', () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['x-llmemo-ttl', 'soon'],
      ['x-llmemo-ttl', '10 parsecs'],
      ['x-llmemo-ttl', '0'],
      ['x-llmemo-mode', 'fast'],
      ['x-llmemo-variant', '-1'],
      ['x-llmemo-variant', '1.5'],
      ['x-llmemo-tags', 'a,,b'],
      ['x-llmemo-tags', ''],
      ['x-llmemo-operation', ''],
      ['x-llmemo-scope', ''],
      ['x-llmemo-scope', 'undefined'],
      ['x-llmemo-scope', 'null'],
      ['x-llmemo-context', 'atlas'],
      ['x-llmemo-context', '{"a":'],
      ['x-llmemo-scop', 'acme'],
      ['x-llmemo-', 'acme'],
      ['x-llmemo-__proto__', 'acme'],
    ]

    it.each(wrong)('G63 are an error that names the header, and not what is in it: %s: %s', async (name, value) => {
      const { response, answer } = await ask({ [name]: value })
      expect(response.status).toBe(400)
      expect(answer.error).toMatchObject({ type: 'llmemo', code: 'INVALID_OPTION' })
      expect(answer.error.message).toMatch(name === 'x-llmemo-' ? /^llmemo: option "x-llmemo-/ : `option "${name}" is`)
      expect(server.requests).toEqual([])
      expect(response.headers.has('cache-status')).toBe(false)
    })

    it('G63 show no secret that was given by mistake', async () => {
      const secret = 'sk-live-0123456789abcdef0123456789'
      for (const name of ['ttl', 'mode', 'variant', 'context', secret]) {
        expect(JSON.stringify((await ask({ [`x-llmemo-${name}`]: secret })).answer)).not.toContain(secret)
      }
    })

    const clients: readonly (readonly [string, (headers: Record<string, string>) => Promise<unknown>])[] = [
      [
        'openai',
        (headers) =>
          new OpenAI({ apiKey: 'k', baseURL: server.url, fetch }).chat.completions.create(
            { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
            { headers },
          ),
      ],
      [
        'openai, wrapped',
        async (headers) =>
          withCache(new OpenAI({ apiKey: 'k', baseURL: server.url }), cache).chat.completions.create(
            { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
            { headers },
          ),
      ],
      [
        '@anthropic-ai/sdk',
        (headers) =>
          new Anthropic({ apiKey: 'k', baseURL: server.url, fetch }).messages.create(
            { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
            { headers },
          ),
      ],
      [
        'groq-sdk',
        (headers) =>
          new Groq({ apiKey: 'k', baseURL: server.url, fetch }).chat.completions.create(
            { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
            { headers },
          ),
      ],
      [
        'AI SDK',
        (headers) => generateText({ model: createOpenAI({ apiKey: 'k', baseURL: server.url, fetch }).chat('m'), prompt: 'Hi', headers }),
      ],
      [
        'LangChain',
        (headers) =>
          new ChatOpenAI({ model: 'm', apiKey: 'k', configuration: { baseURL: server.url, fetch, defaultHeaders: headers } }).invoke('Hi'),
      ],
    ]

    it.each(clients)('G63 reach the caller as an error of its SDK, at once: %s', async (_, call) => {
      await expect(call({ 'x-llmemo-ttl': 'soon' })).rejects.toMatchObject({ message: expect.stringMatching(/option .{1,2}x-llmemo-ttl/) })
      expect(server.requests).toEqual([])
    })
  })

  it('G63 reach the cache through the AI SDK, whole and streamed', async () => {
    const provider = createOpenAI({ apiKey: 'k', baseURL: server.url, fetch })
    const headers = { 'x-llmemo-scope': 'acme', 'x-llmemo-ttl': '2h', 'x-llmemo-tags': 'doc:42' }
    const statuses: unknown[] = []
    for (let turn = 0; turn < 2; turn++) {
      const { response } = await generateText({ model: provider.chat('m'), prompt: 'Hi', headers })
      statuses.push(response.headers?.['cache-status'])
    }
    expect(statuses).toEqual(['llmemo; fwd=miss; stored', 'llmemo; hit; ttl=7200; detail=memory'])
    const streamed = streamText({ model: provider.chat('m'), prompt: 'Hi', headers })
    expect(await streamed.text).toBe('Hello.')
    expect(cache.stats().byScope).toHaveProperty('acme')
    await cache.invalidate({ tags: ['doc:42'] })
    await generateText({ model: provider.chat('m'), prompt: 'Hi', headers })
    expect(leaked()).toEqual([])
  })

  it('G63 hold for a wrapped client with default headers, also once its calls are known', async () => {
    const open = (defaultHeaders: Record<string, string>) =>
      withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, defaultHeaders }), cache)
    const create = (client: ReturnType<typeof open>) =>
      client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
    const [first, second] = [open({ 'x-llmemo-scope': 'a', 'x-llmemo-tags': 'old' }), open({ 'x-llmemo-scope': 'b' })]
    for (const hit of [false, true, true]) {
      for (const client of [first, second]) expect((await create(client))._cache.hit).toBe(hit)
    }
    const bypassing = { bypassCache: true, headers: { 'x-llmemo-tags': 'a' } }
    const params = { model: 'm', messages: [] }
    for (let turn = 0; turn < 3; turn++) {
      for (const client of [first, second, open({})]) await client.chat.completions.create(params, bypassing)
      const third = open({})
      for (const options of [{ bypassCache: true }, bypassing]) await third.chat.completions.create(params, options)
    }
    await cache.invalidate({ tags: ['old'] })
    for (const hit of [false, true]) expect((await create(first))._cache.hit).toBe(hit)
    expect((await create(second))._cache.hit).toBe(true)
    expect(leaked()).toEqual([])
  })
})

import { isJsonObject } from '../../../src/json/object.ts'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import type { Store } from '../../../src/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type Sdk, sdks } from '../../support/openai-sdks.ts'
import { outcomeOf, read } from '../../support/outcome.ts'

const messages: { role: 'user'; content: string }[] = [{ role: 'user', content: 'Hi' }]
const chat = { model: 'm', messages }

let server: ProviderServer
let cache: Cache
beforeEach(async () => {
  server = await startProvider(numbered)
  cache = createCache({ logger: false })
})
afterEach(() => server.close())

const numbered: ProviderHandler = ({ body }, reply) => {
  const text = `answer ${server.requests.length}`
  return isJsonObject(body) && body['stream'] === true ? reply.events(chunksOf(text).flat()) : reply.json(completion(text))
}

function make(options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI {
  return new OpenAI({ baseURL: server.url, apiKey: 'sk-one', maxRetries: 0, logLevel: 'off', ...options })
}

async function ask(client: OpenAI): Promise<string | null | undefined> {
  return (await client.chat.completions.create(chat)).choices[0]?.message.content
}

async function asked(...options: ConstructorParameters<typeof OpenAI>[0][]): Promise<unknown[]> {
  const texts: unknown[] = []
  for (const each of options) texts.push(await ask(withCache(make(each), cache)))
  return texts
}

describe('T07: the credential', () => {
  it.each<[string, object, object]>([
    ['key', { apiKey: 'sk-one' }, { apiKey: 'sk-two' }],
    ['organisation', { organization: 'org-1' }, { organization: 'org-2' }],
    ['project', { project: 'p1' }, { project: 'p2' }],
    ['key in a header', {}, { defaultHeaders: { Authorization: 'Bearer other' } }],
  ])('another %s shares nothing, the same one all', async (_, first, second) => {
    expect(await asked(first, second, first, second)).toEqual(['answer 1', 'answer 2', 'answer 1', 'answer 2'])
  })

  it('is in no event, fact or statistic', async () => {
    const told: unknown[] = []
    for (const name of ['hit', 'miss', 'store', 'skip', 'bypass', 'error'] as const) cache.on(name, (event) => told.push(event))
    const client = withCache(make({ apiKey: 'sk-secret' }), cache)
    for (let time = 0; time < 2; time++) told.push(cacheInfo(await client.chat.completions.create(chat)))
    const explained = cache.explain({ endpoint: 'chat.completions', body: chat })
    const text = JSON.stringify([told, cache.stats(), explained])
    expect(told.length).toBeGreaterThan(4)
    expect(text).not.toContain('sk-secret')
    expect(JSON.stringify([told, cache.stats()])).not.toMatch(/"Hi"|answer 1/)
  })

  it.each(sdks)(
    'of a function is not part of the key: answers are shared, and each request has the current one ($name)',
    async (sdk: Sdk) => {
      let made = 0
      const client = withCache(sdk.make({ url: server.url, apiKey: async () => `sk-${++made}` }), cache)
      const first = await client.chat.completions.create(chat)
      const second = await client.chat.completions.create(chat)
      expect(second).toStrictEqual(first)
      expect(cacheInfo(second)).toMatchObject({ hit: true, scope: '' })
      await client.chat.completions.create(chat, { bypassCache: true })
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-1', 'Bearer sk-3'])
      // They are not shared with the answers of a static key.
      expect(await asked({ apiKey: 'sk-1' })).toEqual(['answer 3'])
    },
  )

  it('is replaced by an explicit scope, which two keys may share', async () => {
    const scoped = createCache({ logger: false, scope: 'team' })
    expect(await ask(withCache(make({ apiKey: 'sk-one' }), scoped))).toBe('answer 1')
    expect(await ask(withCache(make({ apiKey: 'sk-two' }), scoped))).toBe('answer 1')
  })

  it('changed on a clone makes another scope', async () => {
    const client = withCache(make(), cache)
    expect(await ask(client)).toBe('answer 1')
    expect(await ask(client.withOptions({ apiKey: 'sk-two' }))).toBe('answer 2')
    expect(await ask(client.withOptions({ apiKey: 'sk-one' }))).toBe('answer 1')
  })
})

describe('one cache', () => {
  it.each(sdks)('is shared by clients of all versions: $name', async ({ make: makeSdk }: Sdk) => {
    await ask(withCache(make({ apiKey: 'test-key' }), cache))
    const client = withCache(makeSdk({ url: server.url }), cache)
    expect(cacheInfo(await client.chat.completions.create(chat))).toMatchObject({ hit: true })
    expect(server.requests).toHaveLength(1)
  })

  it('I3: does not mix the answers of two providers', async () => {
    const other = await startProvider((_request, reply) => reply.json(completion('of another')))
    try {
      expect(await ask(withCache(make(), cache))).toBe('answer 1')
      expect(await ask(withCache(make({ baseURL: other.url }), cache))).toBe('of another')
      expect(await ask(withCache(make(), cache))).toBe('answer 1')
    } finally {
      await other.close()
    }
  })

  it('I3: keeps clients with different headers or queries apart', async () => {
    const beta = { defaultHeaders: { 'OpenAI-Beta': 'assistants=v2' } }
    const query = { defaultQuery: { 'api-version': '2' } }
    const clients = [make(), make(beta), make(query), make(beta), make(query), make({ defaultHeaders: { traceparent: '00-1' } })]
    const texts: unknown[] = []
    for (const client of clients) texts.push(await ask(withCache(client, cache)))
    expect(texts).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 2', 'answer 3', 'answer 1'])
  })
})

describe('a fetch of the user’s own', () => {
  it('is called for misses only, and never sees our options', async () => {
    const inits: RequestInit[] = []
    const client = withCache(
      make({
        fetch: async (input, init) => {
          inits.push(init ?? {})
          return fetch(input, init)
        },
      }),
      cache,
    )
    const options = { cache: { tags: ['a'], context: 'c', operation: 'qa' } }
    for (let time = 0; time < 3; time++) await client.chat.completions.create(chat, options)
    await client.chat.completions.create(chat, { bypassCache: true })
    await client.models.list()
    expect(inits).toHaveLength(3)
    for (const init of inits) {
      expect(Object.getOwnPropertySymbols(init)).toEqual([])
      expect(Object.keys(init)).not.toContain('cache')
    }
  })

  it('I1: that fails gives the same error as on the bare client', async () => {
    const broken = make({ fetch: () => Promise.reject(new TypeError('no network')) })
    const expected = await outcomeOf(() => broken.chat.completions.create(chat))
    expect(expected.error?.message).toBe('Connection error.')
    expect(await outcomeOf(() => withCache(broken, cache).chat.completions.create(chat))).toStrictEqual(expected)
  })
})

describe('withCache()', () => {
  it.each([[{}], [{ chat: { completions: {} } }], [null], ['openai'], [undefined], [fetch]])(
    'refuses an unknown client, and names the known ones: %s',
    (given) => {
      const wrap = (): unknown => Reflect.apply(withCache, undefined, [given])
      expect(wrap).toThrow(TypeError)
      expect(wrap).toThrow(/It knows .*OpenAI and AzureOpenAI.*cachingFetch/s)
    },
  )

  it('takes the options of a cache, or none', async () => {
    const own = withCache(make(), { ttl: '5m', logger: false })
    await ask(own)
    expect(cacheInfo(await own.chat.completions.create(chat))).toMatchObject({ hit: true, ttl: 300 })
    const plain = withCache(make())
    expect([await ask(plain), await ask(plain)]).toEqual(['answer 2', 'answer 2'])
  })

  it('refuses invalid options', () => {
    expect(() => Reflect.apply(withCache, undefined, [make(), { tll: 5 }])).toThrow(/option "tll"/)
    expect(() => Reflect.apply(withCache, undefined, [make(), 'cache'])).toThrow(/llmemo: option/)
  })
})

/** The chat by a plain fetch. */
function call(signal?: AbortSignal): Promise<Response> {
  return cachingFetch(cache)(`${server.url}/chat/completions`, { method: 'POST', body: JSON.stringify(chat), ...(signal && { signal }) })
}

describe('cachingFetch()', () => {
  it('caches groq-sdk, which has the same protocol under a longer path', async () => {
    const groq = new Groq({ apiKey: 'gsk', baseURL: new URL(server.url).origin, fetch: cachingFetch(cache), maxRetries: 0 })
    const first = await groq.chat.completions.create(chat)
    const second = await groq.chat.completions.create(chat)
    expect(second).toStrictEqual(first)
    const streamed = await groq.chat.completions.create({ ...chat, stream: true })
    const texts = (await read(streamed)).map((chunk) => chunk.choices[0]?.delta.content ?? '')
    expect(texts.join('')).toBe('answer 1')
    expect(cacheInfo(streamed)).toMatchObject({ hit: true, operation: 'chat' })
    expect(server.requests.map(({ path }) => path)).toEqual(['/openai/v1/chat/completions'])
  })

  it.each([false, true])('caches a plain fetch, by address or by Request (%s)', async (isRequest) => {
    const cached = cachingFetch(cache)
    const init = { method: 'post', headers: { authorization: 'Bearer a', 'content-type': 'application/json' }, body: JSON.stringify(chat) }
    const url = new URL(`${server.url}/chat/completions`)
    const again = () => (isRequest ? cached(new Request(url, init)) : cached(url, init))
    const [first, second] = [await again(), await again()]
    expect(await second.json()).toEqual(await first.json())
    expect([second.url, second.status]).toEqual([url.href, 200])
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]?.body).toEqual(chat)
    expect(cacheInfo(second)).toMatchObject({ hit: true })
  })

  it('K05: gives callers of one flight bytes of their own', async () => {
    const [first, second] = await Promise.all([call(), call()])
    const [reader, other] = [first.body?.getReader(), second.body?.getReader()]
    const chunk = await reader?.read()
    chunk?.value?.fill(0)
    await reader?.read()
    const unspoilt = (await other?.read())?.value
    await other?.read()
    expect(new TextDecoder().decode(unspoilt)).toBe(JSON.stringify(completion('answer 1')))
    expect(await (await call()).json()).toEqual(completion('answer 1'))
    expect(server.requests).toHaveLength(1)
  })

  it('S05: refuses an aborted signal, even if the answer is stored', async () => {
    await (await call()).text()
    const reason = new RangeError('mine')
    await expect(call(AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 1 })
  })

  it('S05: obeys an abort during the read of the store, even if the store has the answer', async () => {
    const [asked, released] = [gate(), gate()]
    const values = new Map<string, Uint8Array>()
    const store: Store = {
      name: 'slow',
      async get(key) {
        asked.open()
        await released
        return values.get(key)
      },
      set: (key, value) => void values.set(key, value),
      delete: (key) => void values.delete(key),
    }
    const filling = createCache({ logger: false, store: { ...store, get: () => undefined } })
    cache = filling
    await (await call()).text()
    await filling.flush()
    expect([...values.keys()].filter((key) => key.includes(':v1:'))).toHaveLength(1)

    cache = createCache({ logger: false, store, readDeadline: '1h', clock: new ManualClock(Date.now()) })
    const controller = new AbortController()
    const waiting = call(controller.signal)
    await asked
    controller.abort()
    released.open()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    expect(cache.stats()).toMatchObject({ hits: 0 })
    expect(cacheInfo(await call())).toMatchObject({ hit: true })
    expect(server.requests).toHaveLength(1)
  })

  it('passes an unknown request on, with its body', async () => {
    server.respond(({ method, body }, reply) => reply.json({ method, body }))
    const cached = cachingFetch(cache)
    const json = { 'content-type': 'application/json' }
    const put = await cached(`${server.url}/chat/completions`, { method: 'PUT', headers: json, body: '{"a":1}' })
    expect(await put.json()).toEqual({ method: 'PUT', body: { a: 1 } })
    const post = await cached(new Request(`${server.url}/anything`, { method: 'POST', body: 'text' }))
    expect(await post.json()).toEqual({ method: 'POST', body: 'text' })
    const odd = await cached(new Request(`${server.url}/chat/completions`, { method: 'POST', body: 'no JSON' }))
    expect(await odd.json()).toEqual({ method: 'POST', body: 'no JSON' })
    expect(cacheInfo(odd)).toMatchObject({ hit: false, reason: 'not keyable' })
    expect(cacheInfo(post)).toBeUndefined()
  })

  it('refuses a value that is no cache or no fetch', () => {
    expect(() => Reflect.apply(cachingFetch, undefined, [{}])).toThrow(/option "cache"/)
    expect(() => Reflect.apply(cachingFetch, undefined, [cache, 'fetch'])).toThrow(/option "fetch"/)
  })
})

import { Cerebras } from '@cerebras/cerebras_cloud_sdk'
import Perplexity from '@perplexity-ai/perplexity_ai'
import Groq from 'groq-sdk'
import Together from 'together-ai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, InvalidOptionError, UnknownClientError, withCache } from '../../../src/index.ts'
import { isJsonObject } from '../../../src/json/object.ts'
import { describeClient } from '../../contracts/client/index.ts'
import { lateChat, openaiChat, textAt } from '../../contracts/client/openai-chat.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

const body = { model: 'sonar', messages: [{ role: 'user' as const, content: 'Why is the sky blue?' }] }

type Sdk = Groq | Together | Perplexity | Cerebras

/** A client of each SDK that is made like OpenAI's. Perplexity's has objects between the client and the resources, which call nothing. */
const clients: Readonly<Record<string, (baseURL: string, maxRetries?: number) => Sdk>> = {
  'groq-sdk': (baseURL, maxRetries = 2) => new Groq({ apiKey: 'k', baseURL, maxRetries }),
  'together-ai': (baseURL, maxRetries = 2) => new Together({ apiKey: 'k', baseURL, maxRetries }),
  '@perplexity-ai/perplexity_ai': (baseURL, maxRetries = 2) => new Perplexity({ apiKey: 'k', baseURL, maxRetries }),
  // Its paths begin with the version of the protocol.
  '@cerebras/cerebras_cloud_sdk': (baseURL, maxRetries = 2) =>
    new Cerebras({ apiKey: 'k', baseURL: baseURL.replace(/\/v1$/, ''), maxRetries, warmTCPConnection: false }),
}

/** The method as all of them have it. */
function methodOf(client: Sdk): (body: object, options?: object) => Promise<object> {
  const { completions } = client.chat
  return (...given) => Reflect.apply(completions.create, completions, given)
}

for (const [name, make] of Object.entries(clients)) {
  describeClient<Sdk>(name, {
    ...(name.startsWith('@cerebras') ? lateChat : openaiChat),
    make: ({ url, maxRetries }) => make(url, maxRetries),
    ask: (client, params, options) => methodOf(client)(params, options),
  })
}

describe.each(Object.entries(clients))('a wrapped client of %s', (_, make) => {
  let server: ProviderServer

  beforeEach(async () => {
    server = await startProvider((request, reply) =>
      isJsonObject(request.body) && request.body['stream'] === true
        ? reply.events(chunksOf('Blue.').flat())
        : reply.json(completion('Blue.')),
    )
  })
  afterEach(() => server.close())

  it('G02 G03 asks once, whole and streamed, and says what the cache did', async () => {
    const cache = createCache({ logger: false })
    const create = methodOf(withCache(make(server.url), cache))
    const hits: unknown[] = []
    for (const stream of [false, false, true]) {
      const result = await create({ ...body, stream })
      if (Symbol.asyncIterator in result) for await (const _ of Object(result)) continue
      hits.push(Reflect.get(Object(Reflect.get(result, '_cache')), 'hit'))
    }
    expect(hits).toEqual([false, true, true])
    expect(server.requests).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1 })
  })

  it('leaves out the request for usage where its server refuses one', async () => {
    const asked: boolean[] = []
    server.respond(({ body: given }, reply) => {
      asked.push(isJsonObject(given) && 'stream_options' in given)
      if (asked.at(-1) === true) return reply.json({ error: { message: 'stream_options is unknown' } }, { status: 400 })
      return reply.events(chunksOf('Blue.').flat())
    })
    const create = methodOf(withCache(make(server.url), createCache({ logger: false, streamUsage: true })))
    let chunks = 0
    for await (const _ of Object(await create({ ...body, stream: true }))) chunks++
    expect(chunks).toBeGreaterThan(2)
    expect(asked).toEqual([true, false])
  })

  it('G02 leaves the given client as it was', async () => {
    const bare = make(server.url)
    const { chat } = bare
    withCache(bare, createCache({ logger: false }))
    expect(bare.chat).toBe(chat)
    for (let call = 0; call < 2; call++) await methodOf(bare)(body)
    expect(server.requests).toHaveLength(2)
  })
})

describe('a client of Cerebras', () => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider((_, reply) => reply.json(completion(`Blue ${server.requests.length}.`)))
  })
  afterEach(() => server.close())

  const options = () => ({ apiKey: 'k', baseURL: server.url.replace(/\/v1$/, ''), maxRetries: 0, warmTCPConnection: false })

  it('keeps the hook of its own class, whose headers are part of the key', async () => {
    let team = 'a'
    class Own extends Cerebras {
      protected override async prepareRequest(request: { headers?: unknown }): Promise<void> {
        Object.assign(Object(request.headers), { 'x-team': team })
      }
    }
    const create = methodOf(withCache(new Own(options()), createCache({ logger: false })))
    const texts: unknown[] = []
    for (team of ['a', 'a', 'b']) texts.push(textAt(await create(body), 'message'))
    expect(texts).toEqual(['Blue 1.', 'Blue 1.', 'Blue 2.'])
    expect(server.requests.map(({ headers }) => headers['x-team'])).toEqual(['a', 'b'])
  })

  it('sends what it sends without a cache, and nothing of the options of the cache', async () => {
    const bare = new Cerebras(options())
    await methodOf(bare)(body)
    await methodOf(withCache(bare, createCache({ logger: false })))(body, { cache: { tags: ['doc'], ttl: '1m' } })
    const [plain, cached] = server.requests.map(({ path, headers, body: sent }) => ({ path, headers, sent }))
    expect(cached).toEqual(plain)
  })

  it('asks for the scope that a cache requires, and not again after an option that cannot be', async () => {
    const create = methodOf(withCache(new Cerebras({ ...options(), maxRetries: 2 }), createCache({ logger: false, requireScope: true })))
    await expect(create(body)).rejects.toBeInstanceOf(InvalidOptionError)
    await expect(create(body, { cache: { scope: 'a', ttl: 'soon' } })).rejects.toBeInstanceOf(InvalidOptionError)
    await create(body, { cache: { scope: 'a' } })
    expect(server.requests).toHaveLength(1)
  })

  it('is recognised by its own shape: a client of that generation with more methods is not', () => {
    const other = Object.assign(new Cerebras(options()), { embeddings: {} })
    expect(() => withCache(other)).toThrow(UnknownClientError)
  })
})

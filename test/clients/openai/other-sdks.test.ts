import Perplexity from '@perplexity-ai/perplexity_ai'
import Groq from 'groq-sdk'
import Together from 'together-ai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, withCache } from '../../../src/index.ts'
import { isJsonObject } from '../../../src/json/object.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

const body = { model: 'sonar', messages: [{ role: 'user' as const, content: 'Why is the sky blue?' }] }

/** A client of each SDK that is made like OpenAI's. Perplexity's has objects between the client and the resources, which call nothing. */
const clients: Readonly<Record<string, (baseURL: string) => Groq | Together | Perplexity>> = {
  'groq-sdk': (baseURL) => new Groq({ apiKey: 'k', baseURL }),
  'together-ai': (baseURL) => new Together({ apiKey: 'k', baseURL }),
  '@perplexity-ai/perplexity_ai': (baseURL) => new Perplexity({ apiKey: 'k', baseURL }),
}

/** The method as all three have it. */
function methodOf(client: Groq | Together | Perplexity): (body: object) => Promise<object> {
  const { completions } = client.chat
  return (given) => Reflect.apply(completions.create, completions, [given])
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

  it('G02 leaves the given client as it was', async () => {
    const bare = make(server.url)
    const { chat } = bare
    withCache(bare, createCache({ logger: false }))
    expect(bare.chat).toBe(chat)
    for (let call = 0; call < 2; call++) await methodOf(bare)(body)
    expect(server.requests).toHaveLength(2)
  })
})

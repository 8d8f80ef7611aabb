import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, cacheInfo, createCache, withCache } from '../../../src/index.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { type SdkClient, sdks } from '../../support/openai-sdks.ts'

const model = 'text-embedding-3-small'

/** How a server of this protocol tells the places of its embeddings. */
type Place = (index: number, all: number) => JsonObject

const places = {
  'no index': () => ({}),
  'an index of null': () => ({ index: null }),
  'an index': (index) => ({ index }),
} satisfies Record<string, Place>

/** Embeds each text as its length, at 1,000 tokens a text. */
function embed(place: Place): ProviderHandler {
  return ({ body }, reply) => {
    const inputs = textsIn(body)
    const data = inputs.map((input, index) => ({ object: 'embedding', embedding: [input.length], ...place(index, inputs.length) }))
    const tokens = inputs.length * 1_000
    return reply.json({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } })
  }
}

function textsIn(body: unknown): string[] {
  const input = isJsonObject(body) ? body['input'] : undefined
  return [input].flat().filter((each) => typeof each === 'string')
}

function vectorsIn(answer: unknown): unknown[] {
  const data = isJsonObject(answer) ? answer['data'] : undefined
  return Array.isArray(data) ? data.map((item: unknown) => (isJsonObject(item) ? item['embedding'] : undefined)) : []
}

let server: ProviderServer
let cache: Cache
beforeEach(async () => {
  server = await startProvider()
  cache = createCache({ logger: false })
})
afterEach(() => server.close())

const asked = (): string[][] => server.requests.map(({ body }) => textsIn(body))

const ask = (on: SdkClient, input: readonly string[]): PromiseLike<unknown> =>
  on.embeddings.create({ model, input, encoding_format: 'float' })

describe.each(sdks)('embeddings over $name', ({ make }) => {
  const client = (): SdkClient => withCache(make({ url: server.url }), cache)
  it.each(Object.entries(places))('G41 of a server that gives %s are stored by their place', async (_, place) => {
    server.respond(embed(place))
    const bare = make({ url: server.url })
    const expected = await ask(bare, ['a', 'bb', 'a'])
    const wrapped = client()
    for (let time = 0; time < 10; time++) expect(vectorsIn(await ask(wrapped, ['a', 'bb', 'a']))).toEqual([[1], [2], [1]])
    const joined = await ask(wrapped, ['a', 'bb', 'a'])
    expect(isJsonObject(joined) && joined['data']).toEqual(isJsonObject(expected) && expected['data'])
    expect(asked().slice(1)).toEqual([['a', 'bb']])
    expect(vectorsIn(await ask(wrapped, ['ccc', 'bb', 'dddd', 'ccc']))).toEqual([[3], [2], [4], [3]])
    expect(asked().slice(2)).toEqual([['ccc', 'dddd']])
  })

  it('G41 of a server that gives them in another order are stored by their index', async () => {
    server.respond(({ body }, reply) => {
      const data = textsIn(body).map((input, index) => ({ object: 'embedding', embedding: [input.length], index }))
      return reply.json({ object: 'list', data: data.toReversed(), model })
    })
    const wrapped = client()
    for (let time = 0; time < 2; time++) await ask(wrapped, ['a', 'bb', 'ccc'])
    expect(vectorsIn(await ask(wrapped, ['bb', 'ccc', 'a']))).toEqual([[2], [3], [1]])
    expect(asked()).toEqual([['a', 'bb', 'ccc']])
  })

  it('G41 that the server answers once by an error are asked for in part the next time', async () => {
    const answers = embed(places['an index'])
    server.respond(answers)
    const wrapped = client()
    await ask(wrapped, ['a'])
    const busy = { error: { message: 'try again' } }
    server.respond((request, reply) => (textsIn(request.body).includes('a') ? answers(request, reply) : reply.json(busy)))
    await ask(wrapped, ['a', 'bb'])
    expect(cache.stats().skipped).toEqual({ error: 1 })
    server.respond(answers)
    await ask(wrapped, ['a', 'ccc'])
    expect(asked()).toEqual([['a'], ['bb'], ['a', 'bb'], ['ccc']])
  })

  it('G41 of a server that contradicts itself cost one call each time, not two', async () => {
    server.respond(embed(() => ({ index: 0 })))
    const wrapped = client()
    for (let time = 0; time < 5; time++) await ask(wrapped, ['a', 'bb', 'a'])
    expect(asked().slice(2)).toEqual(Array.from({ length: 4 }, () => ['a', 'bb', 'a']))
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { malformed: 5 } })
  })

  it('G41 that are stored in part count by input, with what the stored part saved', async () => {
    server.respond(embed(places['an index']))
    const wrapped = client()
    const first = cacheInfo(await ask(wrapped, ['a', 'b', 'c']))
    expect(first).toMatchObject({ hit: false, inputs: { hits: 0, misses: 3 }, savedUsd: 0, savedTokens: 0 })
    const second = cacheInfo(await ask(wrapped, ['a', 'b', 'c', 'd']))
    expect(second).toMatchObject({ hit: false, inputs: { hits: 3, misses: 1 }, savedTokens: 3_000, stored: true })
    expect(second?.savedUsd).toBeCloseTo(3_000 * 0.02e-6, 12)
    const third = cacheInfo(await ask(wrapped, ['a', 'd']))
    expect(third).toMatchObject({ hit: true, inputs: { hits: 2, misses: 0 }, savedTokens: 2_000 })
    const stats = cache.stats()
    expect(stats).toMatchObject({ hits: 5, misses: 4, savedTokens: 5_000, spentTokens: 4_000, unpricedHits: 0, unpricedMisses: 0 })
    expect(stats.hitRate).toBeCloseTo(5 / 9, 9)
    expect(stats.savedUsd).toBeCloseTo(5_000 * 0.02e-6, 12)
    expect(stats.byModel[model]).toMatchObject({ hits: 5, misses: 4 })
    expect(stats.byOperation['embeddings']).toMatchObject({ hits: 5, misses: 4 })
    expect(stats.bySource).toMatchObject({ memory: { hits: 5 }, origin: { misses: 4 } })
  })

  it('G41 of a call that joins another saved all of its inputs', async () => {
    server.respond(embed(places['an index']))
    const wrapped = client()
    await ask(wrapped, ['a', 'b'])
    const pause = gate()
    server.respond(async (request, reply) => {
      await pause
      return embed(places['an index'])(request, reply)
    })
    const calls = [ask(wrapped, ['a', 'b', 'c']), ask(wrapped, ['a', 'b', 'c'])]
    await server.untilRequests(2)
    pause.open()
    const [leader, joiner] = (await Promise.all(calls)).map((answer) => cacheInfo(answer))
    expect(leader).toMatchObject({ hit: false, inputs: { hits: 2, misses: 1 }, savedTokens: 2_000 })
    expect(joiner).toMatchObject({ hit: true, source: 'flight', inputs: { hits: 3, misses: 0 }, savedTokens: 3_000 })
    expect(cache.stats()).toMatchObject({ hits: 5, misses: 3, savedTokens: 5_000 })
  })

  it('G41 that the provider refuses save nothing', async () => {
    server.respond(embed(places['an index']))
    const wrapped = client()
    await ask(wrapped, ['a'])
    server.respond((_, reply) => reply.json({ error: { message: 'no' } }, { status: 400 }))
    await expect(ask(wrapped, ['a', 'bb'])).rejects.toMatchObject({ status: 400 })
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 2, savedTokens: 0 })
  })

  it('G41 of other calls have no inputs', async () => {
    const message = { role: 'assistant', content: 'Hi' }
    server.respond((_, reply) => reply.json({ model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
    const info = cacheInfo(await client().chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }))
    expect(info).toMatchObject({ hit: false })
    expect(info).not.toHaveProperty('inputs')
  })
})

import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { type SdkClient, sdks } from '../../support/openai-sdks.ts'
import { outcomeOf } from '../../support/outcome.ts'

const model = 'embed-test'

/** Embeds as the provider does: the same vector for the same input, its length in tokens, and both forms of numbers. */
const embed: ProviderHandler = ({ body }, reply) => {
  const request = isJsonObject(body) ? body : {}
  const inputs = inputsOf(request['input'])
  const data = inputs.map((input, index) => ({ object: 'embedding', index, embedding: encode(vectorOf(input), request) }))
  const tokens = inputs.reduce((sum, input) => sum + input.length, 0)
  return reply.json({ object: 'list', data, model: 'embed-test-1', usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

type Input = string | readonly number[]

function inputsOf(input: unknown): readonly Input[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input)) throw new TypeError('no input')
  return input.every((each): each is number => typeof each === 'number') ? [input] : input.filter(isInput)
}

function isInput(input: unknown): input is Input {
  return typeof input === 'string' || Array.isArray(input)
}

/** Three numbers that 32 bits hold exactly. */
function vectorOf(input: Input): Float32Array {
  const numbers = typeof input === 'string' ? Array.from(input, (letter) => letter.codePointAt(0) ?? 0) : input
  const sum = numbers.reduce((total, number) => total + number, 0)
  return Float32Array.of(sum / 4, input.length, typeof input === 'string' ? 0.5 : -0.5)
}

function encode(vector: Float32Array, { encoding_format: format, dimensions }: JsonObject): unknown {
  const part = typeof dimensions === 'number' ? vector.slice(0, dimensions) : vector
  return format === 'base64' ? Buffer.from(part.buffer).toString('base64') : [...part]
}

describe.each(sdks)('embeddings of $name', ({ make }) => {
  let server: ProviderServer
  let cache: Cache
  let bare: SdkClient
  let client: SdkClient
  beforeEach(async () => {
    server = await startProvider(embed)
    bare = make({ url: server.url })
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  const asked = (): unknown[] => server.requests.map(({ body }) => (isJsonObject(body) ? body['input'] : undefined))
  const same = async (input: unknown, more: object = {}): Promise<unknown> => {
    const params = { model, input, ...more }
    const seen = server.requests.length
    const ours = await outcomeOf(() => client.embeddings.create(params))
    const upstream = asked().slice(seen)
    expect(ours).toStrictEqual(await outcomeOf(() => bare.embeddings.create(params)))
    return upstream
  }

  const ask = (input: unknown, mode: string) => outcomeOf(() => client.embeddings.create({ model, input }, { cache: { mode } }))

  it('only the missing ones go upstream; the answer is in order, and its usage is the sum', async () => {
    expect(await same(['a', 'bb', 'ccc'])).toEqual([['a', 'bb', 'ccc']])
    expect(await same(['dddd', 'ccc', 'a', 'eeeee'])).toEqual([['dddd', 'eeeee']])
    expect(await same(['eeeee', 'bb', 'dddd'])).toEqual([])
    expect(await same(['bb'])).toEqual([])
    expect(await same('bb')).toEqual([])
    expect(cache.stats()).toMatchObject({ hits: 7, misses: 5, stored: 5, errors: 0 })
  })

  it('one that occurs twice is requested once', async () => {
    await same(['a'])
    expect(await same(['b', 'a', 'b', 'c', 'b'])).toEqual([['b', 'c']])
    expect(await same(['b', 'b'])).toEqual([])
  })

  it('base64, which the SDK requests by default, and floats are two answers', async () => {
    expect(await same(['a'])).toEqual([['a']])
    expect(server.requests[0]?.body).toMatchObject({ encoding_format: 'base64' })
    expect(await same(['a'], { encoding_format: 'float' })).toEqual([['a']])
    expect(await same(['a', 'b'], { encoding_format: 'float' })).toEqual([['b']])
    expect(await same(['a'], { encoding_format: 'base64' })).toEqual([])
  })

  it('T03: another number of dimensions or another model is another answer', async () => {
    await same(['a'])
    expect(await same(['a'], { dimensions: 2 })).toEqual([['a']])
    expect(await same(['a'], { dimensions: 1 })).toEqual([['a']])
    expect(await same(['a'], { model: 'another' })).toEqual([['a']])
    expect(await same(['a'], { dimensions: 2 })).toEqual([])
    // This server is not the provider's own, and may route by `user`.
    expect(await same(['a'], { user: 'someone' })).toEqual([['a']])
  })

  it('tokens are inputs like texts, and never the same as a text', async () => {
    expect(await same([[1, 2], [3]])).toEqual([[[1, 2], [3]]])
    expect(await same([[3], [4, 5]])).toEqual([[[4, 5]]])
    expect(await same([4, 5])).toEqual([])
    expect(await same(['1,2', '[3]'])).toEqual([['1,2', '[3]']])
  })

  it('K05: each caller gets vectors of its own', async () => {
    const params = { model, input: ['a', 'b'] }
    const expected = await outcomeOf(() => bare.embeddings.create(params))
    const first = await client.embeddings.create(params)
    const data: unknown = isJsonObject(first) ? first['data'] : undefined
    if (Array.isArray(data)) for (const item of data) if (isJsonObject(item) && Array.isArray(item['embedding'])) item['embedding'].fill(0)
    expect(await outcomeOf(() => client.embeddings.create(params))).toStrictEqual(expected)
  })

  it('K01: equal batches at once are one call, and each caller gets all of it', async () => {
    const expected = await outcomeOf(() => bare.embeddings.create({ model, input: ['a', 'b', 'c'] }))
    const released = gate()
    server.respond(async (request, reply) => {
      await released
      return embed(request, reply)
    })
    const calls = Array.from({ length: 20 }, () => outcomeOf(() => client.embeddings.create({ model, input: ['a', 'b', 'c'] })))
    await server.untilRequests(2)
    released.open()
    for (const outcome of await Promise.all(calls)) expect(outcome).toStrictEqual(expected)
    expect(server.requests).toHaveLength(2)
  })

  it('overlapping batches at once each get the right answer', async () => {
    const inputs = Array.from({ length: 12 }, (_, index) => [`text ${index}`, `text ${index + 1}`, 'common'])
    const expected = await Promise.all(inputs.map((input) => outcomeOf(() => bare.embeddings.create({ model, input }))))
    const outcomes = await Promise.all(inputs.map((input) => outcomeOf(() => client.embeddings.create({ model, input }))))
    expect(outcomes).toStrictEqual(expected)
    const seen = server.requests.length
    expect(await outcomeOf(() => client.embeddings.create({ model, input: inputs.flat() }))).toMatchObject({ value: { object: 'list' } })
    expect(server.requests).toHaveLength(seen)
  })

  it('I1: an error for the missing ones reaches the caller, and the stored ones stay', async () => {
    await same(['a'])
    server.respond((_request, reply) => reply.json({ error: { message: 'no such input' } }, { status: 400 }))
    const expected = await outcomeOf(() => bare.embeddings.create({ model, input: ['a', 'b'] }))
    expect(expected.error).toBeDefined()
    expect(await outcomeOf(() => client.embeddings.create({ model, input: ['a', 'b'] }))).toStrictEqual(expected)
    const seen = server.requests.length
    expect((await outcomeOf(() => client.embeddings.create({ model, input: ['a'] }))).error).toBeUndefined()
    expect(server.requests).toHaveLength(seen)
  })

  it('I3: an answer that does not fit the missing ones is not used: the caller’s own request is sent', async () => {
    await same(['a'])
    server.respond((request, reply) => {
      const isWhole = isJsonObject(request.body) && inputsOf(request.body['input']).length === 3
      return isWhole ? embed(request, reply) : reply.json({ object: 'list', data: [], model })
    })
    const seen = server.requests.length
    const ours = await outcomeOf(() => client.embeddings.create({ model, input: ['a', 'b', 'c'] }))
    expect(asked().slice(seen)).toEqual([
      ['b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(ours).toStrictEqual(await outcomeOf(() => bare.embeddings.create({ model, input: ['a', 'b', 'c'] })))
  })

  it('modes hold for batches too', async () => {
    await ask(['a'], 'default')
    expect((await ask(['a', 'b'], 'only-if-cached')).error?.message).toMatch(/no answer is stored/)
    expect(server.requests).toHaveLength(1)
    await ask(['a', 'b'], 'reload')
    await ask(['a', 'b'], 'no-store')
    expect(asked()).toEqual([['a'], ['a', 'b'], ['a', 'b']])
    expect((await ask(['b', 'a'], 'only-if-cached')).error).toBeUndefined()
    expect(server.requests).toHaveLength(3)
  })
})

describe('the facts of embeddings', () => {
  it('are those of the batch', async () => {
    const server = await startProvider(embed)
    try {
      const client = withCache(new OpenAI({ baseURL: server.url, apiKey: 'test-key', maxRetries: 0 }), { logger: false })
      const first = await client.embeddings.create({ model, input: ['a', 'bb'] })
      expect(cacheInfo(first)).toMatchObject({ hit: false, source: 'origin', stored: true, operation: 'embeddings' })
      const partly = await client.embeddings.create({ model, input: ['a', 'ccc'] })
      expect(cacheInfo(partly)).toMatchObject({ hit: false, source: 'origin', stored: true })
      const all = await client.embeddings.create({ model, input: ['a', 'bb', 'ccc'] })
      expect(cacheInfo(all)).toMatchObject({ hit: true, source: 'memory', savedTokens: 6 })
      expect(all.usage).toEqual({ prompt_tokens: 6, total_tokens: 6 })
    } finally {
      await server.close()
    }
  })
})

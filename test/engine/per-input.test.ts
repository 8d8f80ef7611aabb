import { expect, it } from 'vitest'
import { cacheInfo, cachingFetch, createCache, memoryStore } from '../../src/index.ts'

const url = 'https://api.openai.com/v1/embeddings'

/** A vector of a real size, in both forms that a provider gives it in. */
const vectors: Readonly<Record<string, (input: string) => unknown>> = {
  base64: (input) => Buffer.from(Float32Array.from({ length: 1_536 }, (_, index) => input.length / (index + 1)).buffer).toString('base64'),
  float: (input) => Array.from({ length: 1_536 }, (_, index) => input.length / (index + 1)),
}

const places = [
  ['memory', {}],
  ['a store', { store: memoryStore(), maxMemoryBytes: 0 }],
] as const

it.each(Object.keys(vectors).flatMap((form) => places.map(([place, options]) => [form, place, options] as const)))(
  'stored vectors of a batch are put together as the provider gave them: %s, from %s',
  async (encoding, _, options) => {
    let calls = 0
    const answerTo = (inputs: readonly string[]): object => ({
      object: 'list',
      data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: vectors[encoding]?.(input) })),
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: inputs.join('').length, total_tokens: inputs.join('').length },
    })
    const cache = createCache({ logger: false, prices: false, ...options })
    const fetch = cachingFetch(cache, async (_url, init) => {
      calls++
      return Response.json(answerTo(JSON.parse(typeof init?.body === 'string' ? init.body : '{}').input))
    })
    const ask = (input: readonly string[]): Promise<Response> =>
      fetch(url, { method: 'POST', body: JSON.stringify({ model: 'text-embedding-3-small', input, encoding_format: encoding }) })
    await (await ask(['a', 'bb', '"cc"', '\\'])).text()
    await cache.flush()
    for (const inputs of [['a', 'bb', '"cc"', '\\'], ['\\', 'a', 'a'], ['bb']]) {
      const response = await ask(inputs)
      expect(cacheInfo(response)).toMatchObject({ hit: true, inputs: { hits: inputs.length, misses: 0 } })
      expect(await response.json()).toEqual(answerTo(inputs))
    }
    expect(calls).toBe(1)
  },
)

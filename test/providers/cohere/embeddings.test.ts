import { createCohere } from '@ai-sdk/cohere'
import { embedMany } from 'ai'
import { expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { startProvider } from '../../support/provider-server.ts'

const headers = { 'content-type': 'application/json' }

/** An embedding for each text, by its length, and a token for each character. */
async function served() {
  const asked: unknown[] = []
  const server = await startProvider(({ body }, reply) => {
    const request: JsonObject = isJsonObject(body) ? body : {}
    const texts: readonly unknown[] = Array.isArray(request['texts']) ? request['texts'] : []
    asked.push(request['texts'] ?? request['images'])
    const vectors = texts.map((text) => [String(text).length, 1])
    const types: readonly unknown[] = Array.isArray(request['embedding_types']) ? request['embedding_types'] : ['float']
    const tokens = texts.join('').length
    reply.json({
      id: 'e',
      embeddings: Object.fromEntries(types.map((type) => [type, texts.length === 0 ? [[0]] : vectors])),
      texts,
      meta: { api_version: { version: '2' }, billed_units: { input_tokens: tokens } },
    })
  })
  const cache = createCache({ logger: false, prices: false })
  const url = server.url.replace(/\/v1$/, '/v2')
  return { asked, server, cache, url, fetch: cachingFetch(cache) }
}

it('embeddings of Cohere are cached by text: only those that are missing are asked for, and the answer has the order of the texts', async () => {
  const { asked, server, cache, url, fetch } = await served()
  const model = createCohere({ apiKey: 'key', baseURL: url, fetch }).embedding('embed-v4.0')
  const embed = async (values: string[]): Promise<unknown> => (await embedMany({ model, values, maxRetries: 0 })).embeddings
  await embed(['one', 'three'])
  expect(await embed(['three', 'fifteen', 'one'])).toEqual([
    [5, 1],
    [7, 1],
    [3, 1],
  ])
  expect(asked).toEqual([['one', 'three'], ['fifteen']])
  expect(cache.stats().savedTokens).toBe(8)
  await server.close()
})

it('every type of embedding is shared, the tokens are added up, and images have one entry', async () => {
  const { asked, server, url, fetch } = await served()
  const post = async (body: object): Promise<unknown> => {
    const request = { model: 'embed-v4.0', input_type: 'search_document', embedding_types: ['float', 'int8'], ...body }
    const response = await fetch(`${url}/embed`, { method: 'POST', headers, body: JSON.stringify(request) })
    return response.json()
  }
  await post({ texts: ['one'] })
  const vectors = [
    [3, 1],
    [5, 1],
  ]
  const both = { float: vectors, int8: vectors }
  const whole = {
    id: 'e',
    embeddings: both,
    texts: ['one', 'three'],
    meta: { api_version: { version: '2' }, billed_units: { input_tokens: 8 } },
  }
  expect(await post({ texts: ['one', 'three'] })).toEqual(whole)
  expect(await post({ texts: ['one', 'three'] })).toEqual(whole)
  await post({ images: ['data:image/png;base64,AAAA'] })
  await post({ images: ['data:image/png;base64,AAAA'] })
  expect(asked).toEqual([['one'], ['three'], ['data:image/png;base64,AAAA']])
  await server.close()
})

import OpenAI from 'openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cacheInfo, cachingFetch, createCache, InvalidOptionError, withCache } from '../../src/index.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'

const params = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] }
const upstream: Fetch = async (_input, init) =>
  String(init?.body).includes('"stream":true')
    ? new Response(formatEvents(chunksOf('Hi').flat()), { headers: { 'content-type': 'text/event-stream' } })
    : Response.json(completion('Hi'))

function client() {
  return withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), createCache({ prices: false }))
}

afterEach(() => {
  vi.resetModules()
})

describe('G24 cacheInfo', () => {
  it('G24 of another copy of the package gives the same facts', async () => {
    vi.resetModules()
    const other = await import('../../src/index.ts')
    expect(other.cacheInfo).not.toBe(cacheInfo)
    const sdk = client()
    for (const hit of [false, true]) {
      const answer = await sdk.chat.completions.create(params)
      expect(other.cacheInfo(answer)).toMatchObject({ hit })
      expect(other.cacheInfo(answer)).toEqual(cacheInfo(answer))
      const stream = await sdk.chat.completions.create({ ...params, stream: true })
      expect(other.cacheInfo(stream)).toEqual(cacheInfo(stream))
      for await (const chunk of stream) void chunk
      const helper = sdk.chat.completions.stream(params)
      await helper.finalChatCompletion()
      expect(other.cacheInfo(helper)).toMatchObject({ hit: true })
      const { response } = await sdk.chat.completions.create(params).withResponse()
      expect(other.cacheInfo(response)).toMatchObject({ hit: true })
    }
    const response = await cachingFetch(createCache({ prices: false }), upstream)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(params),
    })
    expect(other.cacheInfo(response)).toMatchObject({ hit: false })
  })

  it('G24 of a promise says to await it', async () => {
    const promise = client().chat.completions.create(params)
    expect(() => cacheInfo(promise)).toThrow(InvalidOptionError)
    expect(() => cacheInfo(promise)).toThrow('await the promise first')
    expect(() => cacheInfo(Promise.resolve(1))).toThrow('await')
    expect(cacheInfo(await promise)).toMatchObject({ hit: false })
  })

  it('G24 of anything else is undefined', () => {
    for (const other of [undefined, null, 1, 'x', {}, { _cache: { hit: true } }]) expect(cacheInfo(other)).toBeUndefined()
  })
})

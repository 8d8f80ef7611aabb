import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import type { CachingFetchOptions } from '../../../src/clients/http/fetch-options.ts'
import type { StoredAnswers } from '../../../src/clients/http/stored-answers.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { cachingFetch, storedAnswers } from '../../../src/clients/with-cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

let provider: ProviderServer
beforeEach(async () => {
  provider = await startProvider(({ body }, reply) => {
    const text = `answer ${provider.requests.length} – ✓`
    return JSON.stringify(body).includes('"stream":true') ? reply.events(chunksOf(text).flat()) : reply.json(completion(text))
  })
})
afterEach(() => provider.close())

const bodyOf = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content }], ...more })

function open(options: CacheOptions = {}, ofCalls?: CachingFetchOptions, more: Record<string, string> = {}) {
  const cache: Cache = createCache(options)
  const headers = new Headers({ 'content-type': 'application/json', authorization: 'Bearer sk-test', ...more })
  const url = `${provider.url}/chat/completions`
  const caching = cachingFetch(cache, globalThis.fetch, ofCalls)
  return {
    cache,
    url,
    ask: (body: string) => caching(url, { method: 'POST', headers, body }),
    answers: (): Promise<StoredAnswers | undefined> => storedAnswers(cache, { url, headers }, ofCalls),
  }
}

describe('a stored answer without a Response', () => {
  it.each([{}, { stream: true }])('is what the fetch answers: %j', async (more) => {
    const { cache, ask, answers } = open()
    const body = bodyOf('Why?', more)
    const find = await answers()
    expect(find?.(body)).toBeUndefined()
    await (await ask(body)).text()
    const response = await ask(body)
    const found = find?.(body)
    const { key, source, savedUsd } = cacheInfo(response) ?? {}
    expect(found).toEqual({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
      key,
      source,
      savedUsd,
    })
    expect(source).toBe('memory')
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1 })
    expect(provider.requests).toHaveLength(1)
  })

  it('I3: is found for calls with the same options, credential, headers and address only', async () => {
    const cache = createCache()
    const body = bodyOf('Why?')
    const url = `${provider.url}/chat/completions`
    const head = { 'content-type': 'application/json', authorization: 'Bearer sk-test' }
    const ways: readonly [string, Record<string, string>, CachingFetchOptions][] = [
      [url, head, { scope: 'acme' }],
      [url, head, { scope: 'globex' }],
      [url, head, {}],
      [url, { ...head, authorization: 'Bearer sk-other' }, {}],
      [url, { ...head, 'openai-beta': 'x' }, {}],
      [`${url}?api-version=1`, head, {}],
    ]
    for (let round = 0; round < 2; round++) {
      for (const [address, headers, options] of ways) {
        await (await cachingFetch(cache, globalThis.fetch, options)(address, { method: 'POST', headers, body })).text()
      }
    }
    const seen = new Set<string>()
    for (const [address, headers, options] of ways) {
      const find = await storedAnswers(cache, { url: address, headers: new Headers(headers) }, options)
      const found = find?.(body)
      expect(found?.source).toBe('memory')
      seen.add(String(found?.body))
    }
    expect(seen.size).toBe(ways.length)
    expect(provider.requests).toHaveLength(ways.length)
  })

  it('is none once it is outdated, invalidated or to be refreshed', async () => {
    const clock = new ManualClock()
    const { cache, ask, answers } = open({ clock, ttl: '1h' })
    const find = await answers()
    const body = bodyOf('Why?')
    for (let call = 0; call < 2; call++) await (await ask(body)).text()
    expect(find?.(body)).toBeDefined()
    clock.advance(3_600_001)
    expect(find?.(body)).toBeUndefined()
    for (let call = 0; call < 2; call++) await (await ask(body)).text()
    expect(find?.(body)).toBeDefined()
    await cache.invalidate({ all: true })
    expect(find?.(body)).toBeUndefined()
  })

  it('is none while calls with one text are not alike, or a replay has delays', async () => {
    const body = bodyOf('Why?', { stream: true })
    const delayed = open({ replay: { delay: () => Promise.resolve() } })
    for (let call = 0; call < 2; call++) await (await delayed.ask(body)).text()
    expect((await delayed.answers())?.(body)).toBeUndefined()
    const { cache, ask, answers } = open()
    for (let call = 0; call < 2; call++) await (await ask(body)).text()
    const find = await answers()
    expect(cache.with({ scope: 'other' }, () => find?.(body))).toBeUndefined()
    expect(find?.(body)).toBeDefined()
  })

  it('is not looked for where no call is kept, or a header steers the cache', async () => {
    const { cache } = open()
    const headers = new Headers()
    expect(await storedAnswers(cache, { url: `${provider.url}/models`, headers })).toBeUndefined()
    expect(await open({}, {}, { 'x-llmemo-ttl': '1h' }).answers()).toBeUndefined()
    await expect(storedAnswers(Object({}), { url: provider.url, headers })).rejects.toThrow('createCache()')
  })
})

import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { callOptions } from '../../../src/clients/call-options.ts'
import type { CachingFetchOptions } from '../../../src/clients/http/fetch-options.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { completion } from '../../support/openai-answers.ts'

function open(options?: CachingFetchOptions, ofCache: CacheOptions = {}) {
  const cache = createCache({ logger: false, ...ofCache })
  let calls = 0
  const fetch = cachingFetch(
    cache,
    async () => {
      calls++
      return Response.json(completion('Hello.'))
    },
    options,
  )
  const ask = async (headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const body = '{"model":"m","messages":[]}'
    const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body, headers, ...init })
    await response.text()
    return cacheInfo(response)
  }
  return { cache, ask, calls: () => calls }
}

describe('the options of a caching fetch', () => {
  it('G63 hold for all its calls', async () => {
    const { cache, ask, calls } = open({ scope: 'acme', ttl: '2h', operation: 'qa', tags: ['site'], context: { version: 1 } })
    expect(await ask()).toMatchObject({ hit: false, scope: 'acme', operation: 'qa', ttl: 7_200 })
    expect(await ask()).toMatchObject({ hit: true })
    await cache.invalidate({ tags: ['site'] })
    expect(await ask()).toMatchObject({ hit: false })
    expect(calls()).toBe(2)
  })

  it('G63 keep two of them over one cache apart', async () => {
    const cache = createCache({ logger: false })
    let calls = 0
    const fetches = ['a', 'b'].map((scope) => cachingFetch(cache, async () => Response.json(completion(`answer ${++calls}`)), { scope }))
    const body = '{"model":"m","messages":[]}'
    const texts: string[] = []
    for (const fetch of [...fetches, ...fetches]) {
      texts.push(await (await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body })).text())
    }
    expect([calls, new Set(texts).size]).toEqual([2, 2])
    expect(texts.slice(0, 2)).toEqual(texts.slice(2))
  })

  it('G63 come before headers, which give what nobody else gives', async () => {
    const { ask } = open({ scope: 'acme', ttl: 60, tags: ['site'] })
    const headers = { 'x-llmemo-scope': 'other', 'x-llmemo-ttl': '9h', 'x-llmemo-operation': 'qa', 'x-llmemo-mode': 'reload' }
    for (let turn = 0; turn < 2; turn++) {
      expect(await ask(headers)).toMatchObject({ hit: false, scope: 'acme', ttl: 60, operation: 'qa' })
    }
  })

  it.each<[string, CacheOptions]>([
    ['a text', { scope: 'acme' }],
    ['a function', { scope: () => 'acme' }],
  ])('G63 the scope of the cache comes before that of headers: %s', async (_, ofCache) => {
    expect(await open(undefined, ofCache).ask({ 'x-llmemo-scope': 'other' })).toMatchObject({ scope: 'acme' })
    expect(await open({ headers: 'override' }, ofCache).ask({ 'x-llmemo-scope': 'other' })).toMatchObject({ scope: 'other' })
  })

  it('G63 tags of all of them are put together', async () => {
    for (const tag of ['ours', 'of the call', 'theirs']) {
      const { cache, ask } = open({ tags: ['ours'] })
      await cache.with({ tags: ['of the call'] }, () => ask({ 'x-llmemo-tags': 'theirs' }))
      expect(await ask()).toMatchObject({ hit: true })
      await cache.invalidate({ tags: [tag] })
      expect(await ask()).toMatchObject({ hit: false })
    }
  })

  it('G63 let headers do more, or nothing', async () => {
    const headers = { 'x-llmemo-scope': 'other', 'x-llmemo-ttl': '1h' }
    const fixed = { scope: 'acme', ttl: 60 }
    expect(await open({ ...fixed, headers: 'override' }).ask(headers)).toMatchObject({ scope: 'other', ttl: 3_600 })
    expect(await open({ headers: 'ignore' }).ask(headers)).toMatchObject({ scope: '', ttl: 3_600 })
    expect(await open({ ...fixed, headers: 'ignore' }).ask({ 'x-llmemo-ttl': 'nonsense' })).toMatchObject({ scope: 'acme', ttl: 60 })
  })

  it('G63 a call’s own options come first', async () => {
    const { ask } = open({ ttl: 60, mode: 'reload', headers: 'override' })
    const own: RequestInit & { [callOptions]?: object } = { [callOptions]: { options: { ttl: 90 } } }
    expect(await ask({ 'x-llmemo-ttl': '1h' }, own)).toMatchObject({ ttl: 90 })
    expect(await ask({}, { cache: 'no-store' })).toMatchObject({ reason: 'no-store' })
  })

  it('G63 a header can give the scope that the cache requires', async () => {
    const { ask } = open(undefined, { requireScope: true })
    await expect(ask()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect(await ask({ 'x-llmemo-scope': 'acme' })).toMatchObject({ scope: 'acme', stored: true })
  })

  it.each<[string, unknown]>([
    ['ttl', { ttl: 'soon' }],
    ['mode', { mode: 'fast' }],
    ['scope', { scope: undefined }],
    ['headers', { headers: 'all' }],
    ['scop', { scop: 'acme' }],
    ['options', 'acme'],
    ['options', null],
  ])('G63 that cannot be are an error at once, which names %s', (name, options) => {
    const cache: Cache = createCache({ logger: false })
    expect(() => Reflect.apply(cachingFetch, undefined, [cache, undefined, options])).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(`option "${name}"`) }),
    )
  })
})

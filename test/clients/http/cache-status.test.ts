import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { Store } from '../../../src/store.ts'
import { completion } from '../../support/openai-answers.ts'
import { gate, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { until } from '../../support/until.ts'

function named(name: string): Store {
  const values = new Map<string, Uint8Array>()
  return { name, get: (key) => values.get(key), set: (key, value) => void values.set(key, value), delete: (key) => void values.delete(key) }
}

// The forms are those of https://www.rfc-editor.org/rfc/rfc9211
describe('the header `cache-status`', () => {
  let server: ProviderServer
  let cache: Cache
  let fetch: Fetch
  const clock = new ManualClock()

  beforeEach(async () => {
    server = await startProvider((_, reply) => reply.json(completion('Hello.')))
    cache = createCache({ logger: false, clock })
    fetch = cachingFetch(cache)
  })
  afterEach(() => server.close())

  async function ask(init: RequestInit = {}, through = fetch): Promise<[status: number, cacheStatus: string | null, age: string | null]> {
    const response = await through(`${server.url}/chat/completions`, { method: 'POST', body: '{"model":"m","messages":[]}', ...init })
    await response.text()
    return [response.status, response.headers.get('cache-status'), response.headers.get('age')]
  }

  it('G63 tells a miss, and a hit with its age and source', async () => {
    expect(await ask()).toEqual([200, 'llmemo; fwd=miss; stored', null])
    clock.advance(60_000)
    expect(await ask()).toEqual([200, 'llmemo; hit; ttl=3540; detail=memory', '60'])
  })

  it('G63 tells of a stale answer how long it has been so', async () => {
    const through = cachingFetch(createCache({ logger: false, clock, ttl: '1m', staleIfError: '1h' }))
    await ask({}, through)
    server.respond((_, reply) => reply.json({ error: { message: 'down' } }, { status: 500 }))
    for (const [seconds, ttl] of [
      [60, 0],
      [40, -40],
    ]) {
      clock.advance(Number(seconds) * 1_000)
      expect((await ask({}, through))[1]).toBe(`llmemo; hit; ttl=${ttl}; detail=memory`)
    }
  })

  it('G63 tells of a store by its name, if that can stand there', async () => {
    for (const [name, detail] of [
      ['redis', '; detail=redis'],
      ['my store; hit', ''],
    ] as const) {
      const store = named(name)
      const shared = { logger: false, store, maxMemoryBytes: 0 } as const
      const before = createCache(shared)
      await ask({}, cachingFetch(before))
      await before.flush()
      expect((await ask({}, cachingFetch(createCache(shared))))[1]).toMatch(new RegExp(`^llmemo; hit; ttl=\\d+${detail}$`))
    }
  })

  it('G63 tells of a call that waited for the answer of another', async () => {
    const open = gate()
    server.respond(async (_, reply) => {
      await open
      reply.json(completion('Hello.'))
    })
    const [first, second] = [ask(), ask()]
    await until(() => server.requests.length === 1)
    open.open()
    expect((await first)[1]).toBe('llmemo; fwd=miss; stored')
    expect(await second).toEqual([200, 'llmemo; fwd=miss; collapsed', '0'])
    expect(server.requests).toHaveLength(1)
  })

  it('G63 tells of a bypass, beside what the provider says itself', async () => {
    expect(await ask({ cache: 'no-store' })).toEqual([200, 'llmemo; fwd=bypass', null])
    expect(await ask({ body: 'not JSON' })).toEqual([200, 'llmemo; fwd=bypass', null])
    server.respond((_, reply) => reply.json(completion('Hello.'), { headers: { 'cache-status': 'edge; fwd=miss', 'x-request-id': 'r' } }))
    expect((await ask({ cache: 'no-store' }))[1]).toBe('edge; fwd=miss, llmemo; fwd=bypass')
    expect((await ask({ cache: 'reload' }))[1]).toBe('edge; fwd=miss, llmemo; fwd=miss; stored')
    expect((await ask())[1]).toBe('llmemo; hit; ttl=3600; detail=memory')
  })

  it('G63 leaves all else of a bypassed response as it is', async () => {
    const given = new Response('{}', { status: 200, headers: { 'x-request-id': 'r' } })
    const response = await cachingFetch(cache, async () => given)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: 'no JSON',
    })
    expect(response).toBe(given)
    expect(response.headers.get('x-request-id')).toBe('r')
    for (const double of [{ status: 200, json: async () => ({}) }, Object.freeze(new Response('{}'))]) {
      const through = cachingFetch(cache, async () => Object(double))
      expect(await through('https://api.openai.com/v1/chat/completions', { method: 'POST', body: 'no JSON' })).toBe(double)
    }
  })

  it('G63 says of an error that it is not stored, and is not on an answer of our own', async () => {
    server.respond((_, reply) => reply.json({ error: { message: 'no' } }, { status: 400 }))
    expect(await ask()).toEqual([400, 'llmemo; fwd=miss', null])
    expect(await ask({ cache: 'only-if-cached' })).toEqual([404, null, null])
    expect(await ask({ headers: { 'x-llmemo-ttl': 'soon' } })).toEqual([400, null, null])
  })
})

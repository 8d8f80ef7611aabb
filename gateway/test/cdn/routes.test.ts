/**
 * Public answers by their key, as a CDN asks for them, and what must never come out that way.
 */
import { type Cache, createCache, type Duration, memoryStore } from 'llmemo'
import { ManualClock } from 'llmemo/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { startProvider } from '../../../test/support/provider-server.ts'
import { createGateway } from '../../src/gateway.ts'
import { guarded } from '../support/guarded.ts'
import { question } from '../support/provider.ts'
import { ask, type Answered } from '../support/requests.ts'

const publicScope = 'public:docs'
const never = '0'.repeat(64)

let opened: Cache | undefined
afterEach(() => opened?.close())

interface Kept {
  readonly scope?: string
  readonly ttl?: Duration
  readonly tags?: readonly string[]
}

function open(access: object = { publicScopes: [publicScope] }) {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const cache = createCache({ store, clock, maxMemoryBytes: 0 })
  opened = cache
  const gateway = createGateway({ cache, store, clock, access })
  const keep = async (prompt: string, { scope = publicScope, ttl = '1h', tags = [] }: Kept = {}): Promise<string> => {
    const { key } = await cache.store({ prompt, scope, ttl, tags: [...tags], operation: 'chat', model: 'm-1' }, `answer to ${prompt}`)
    await cache.flush()
    if (key === undefined) throw new TypeError('nothing was stored')
    return key
  }
  const get = async (key: string, init: RequestInit = {}): Promise<Response> =>
    gateway.fetch(new Request(`http://gateway/cache/${key}`, init), { remoteAddress: '203.0.113.7' })
  return { cache, clock, gateway, get, keep }
}

describe('a public answer', () => {
  it('comes with what a CDN needs to hold it and to let go of it', async () => {
    const { clock, get, keep } = open()
    const key = await keep('What?', { tags: ['faq', 'two words, a comma', 'naïve', '\ud800'] })
    clock.advance(60_500)
    const response = await get(key)
    expect([response.status, await response.json()]).toEqual([200, { response: 'answer to What?' }])
    const names = ['key:' + key, 'scope:public:docs', 'operation:chat', 'model:m-1', 'tag:faq', 'tag:two%20words%2C%20a%20comma']
    expect(Object.fromEntries(response.headers)).toMatchObject({
      age: '60',
      'cache-control': 'public, max-age=3600',
      'content-type': 'application/json',
      'content-length': '30',
      'accept-ranges': 'none',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
      'surrogate-key': [...names, 'tag:na%C3%AFve', 'tag:%EF%BF%BD'].join(' '),
      'cache-tag': [...names, 'tag:na%C3%AFve', 'tag:%EF%BF%BD'].join(','),
      'x-content-type-options': 'nosniff',
    })
  })

  it('is 304 for one who has it, and whole for one who has another', async () => {
    const { cache, get, keep } = open()
    const key = await keep('What?')
    const etag = (await get(key)).headers.get('etag') ?? ''
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await get(key, { headers: { 'if-none-match': given } })
      expect([given, response.status, await response.text()]).toEqual([given, 304, ''])
      expect([response.headers.get('etag'), response.headers.get('cache-control')]).toEqual([etag, 'public, max-age=3600'])
      expect(response.headers.get('surrogate-key')).toContain(key)
    }
    for (const given of ['"other"', etag.slice(1, -1), '', ',,']) {
      expect((await get(key, { headers: { 'if-none-match': given } })).status).toBe(200)
    }
    await cache.store({ prompt: 'What?', scope: publicScope, operation: 'chat', model: 'm-1' }, 'another')
    await cache.flush()
    const changed = await get(key, { headers: { 'if-none-match': etag } })
    expect([changed.status, await changed.json()]).toEqual([200, { response: 'another' }])
  })

  it('has a head without a body, and is never given in parts', async () => {
    const { get, keep } = open()
    const key = await keep('What?')
    const whole = await get(key)
    const head = await get(key, { method: 'HEAD' })
    expect([head.status, await head.text(), Object.fromEntries(head.headers)]).toEqual([200, '', Object.fromEntries(whole.headers)])
    const part = await get(key, { headers: { range: 'bytes=0-3', 'if-range': whole.headers.get('etag') ?? '' } })
    expect([part.status, part.headers.get('content-range'), await part.json()]).toEqual([200, null, { response: 'answer to What?' }])
  })

  it('must not be held if a CDN could not be told all of its names', async () => {
    const { get, keep } = open()
    const response = await get(await keep('What?', { tags: Array.from({ length: 40 }, (_, index) => `${index}-${'t'.repeat(250)}`) }))
    expect([response.status, response.headers.get('cache-control'), response.headers.get('surrogate-key')]).toEqual([200, 'no-store', null])
  })
})

describe('anything else', () => {
  it('is one and the same 404, which must not be stored', async () => {
    const { cache, clock, get, keep } = open()
    const outdated = await keep('outdated', { ttl: '1m' })
    clock.advance(61_000)
    const invalidated = await keep('invalidated', { tags: ['gone'] })
    await cache.invalidate({ tags: ['gone'] })
    const keys = {
      unknown: never,
      outdated,
      invalidated,
      'of a tenant': await keep('tenant', { scope: 'acme' }),
      'of another public scope': await keep('other', { scope: 'public:other' }),
      'of a longer name': await keep('longer', { scope: 'public:docs2' }),
      'of nobody': await keep('nobody', { scope: '' }),
    }
    const told = { error: 'There is no public answer with this key.' }
    for (const [name, key] of Object.entries(keys)) {
      for (const headers of [
        {},
        { 'if-none-match': '*' },
        { 'x-tenant-id': 'acme' },
        { 'x-llmemo-scope': 'acme' },
        { range: 'bytes=0-' },
      ]) {
        const response = await get(key, { headers })
        const said = [response.status, response.headers.get('cache-control'), response.headers.get('etag'), await response.json()]
        expect([name, ...said]).toEqual([name, 404, 'no-store', null, told])
      }
      const head = await get(key, { method: 'HEAD' })
      expect([name, head.status, await head.text()]).toEqual([name, 404, ''])
    }
  })

  it('tells no values, and nothing by another form of a key', async () => {
    const { cache, get, keep } = open()
    const key = await keep('What?')
    await cache.set(never, 'a value of somebody')
    expect((await get(never)).status).toBe(404)
    for (const other of [key.toUpperCase(), `${key}0`, key.slice(1), `${key}/`, `../cache/${key}%00`, `%2f${key}`]) {
      expect([other, (await get(other)).status]).toEqual([other, 403])
    }
  })

  it('is not there at all without public scopes, nor by another method', async () => {
    const off = open({})
    expect((await off.get(await off.keep('What?'))).status).toBe(403)
    const on = open()
    const key = await on.keep('What?')
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) expect([method, (await on.get(key, { method })).status]).toEqual([method, 403])
  })
})

describe('the names of public scopes', () => {
  it.each(['acme', 'public:', 'public', '*', 'public:*', 'Public:docs', ' public:docs', ''])('are none of tenants: %j', (scope) => {
    expect(() => createGateway({ access: { publicScopes: [scope] } })).toThrow(/publicScopes\.0: must be a name such as public:docs/)
  })
})

it('gives an attacker with the keys of others nothing, over a port, and closes nothing by it', async () => {
  const { url, as, cache } = await guarded({ access: { publicScopes: [publicScope] } })
  const acme = await as('acme', 'read', 'write')
  const stored = await ask(`${url}/cache/store`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...acme },
    body: JSON.stringify({ prompt: 'a', response: 'the secret of acme' }),
  })
  const { cacheKey } = Object(stored.body)
  expect(cacheKey).toMatch(/^[\da-f]{64}$/)
  const { key } = await cache.store({ prompt: 'b', scope: publicScope }, 'for all')
  await cache.flush()
  for (const headers of [{}, acme, await as('other', 'admin'), await as('other', 'read'), { 'x-llmemo-api-key': 'llm_wrong' }]) {
    expect(await ask(`${url}/cache/${cacheKey}`, { headers })).toMatchObject({ status: 404 })
    expect(await ask(`${url}/cache/${key}`, { headers })).toMatchObject({ status: 200, body: { response: 'for all' } })
  }
  // A tenant cannot write where all may read.
  const { status } = await ask(`${url}/cache/store`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...acme, 'x-tenant-id': publicScope, 'x-llmemo-scope': publicScope },
    body: JSON.stringify({ prompt: 'c', response: 'spam' }),
  })
  expect(status).toBe(403)
  expect((await ask(`${url}/cache/stats`)).status).toBe(401)
})

it('is filled by an admin of all through the paths of providers, and by no tenant', async () => {
  const provider = await startProvider((_request, reply) => reply.json(completion('For all.')))
  onTestFinished(() => provider.close())
  const { url, as, cache } = await guarded({
    access: { publicScopes: [publicScope] },
    upstreams: { openai: provider.url },
    privateHosts: ['127.0.0.1'],
  })
  const send = async (headers: Readonly<Record<string, string>>): Promise<Answered> =>
    ask(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      body: question(),
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', 'x-llmemo-scope': publicScope, ...headers },
    })
  const byTenant = await send(await as('acme', 'admin'))
  const byAll = await send(await as(undefined, 'admin'))
  await cache.flush()
  expect((await send(await as('acme', 'read', 'write'))).status).toBe(403)
  const given = async ({ headers }: Answered): Promise<Answered> => ask(`${url}/cache/${headers.get('x-llmemo-key')}`)
  expect([byTenant.status, (await given(byTenant)).status]).toEqual([200, 404])
  expect([byAll.status, await given(byAll)]).toEqual([200, expect.objectContaining({ status: 200, body: completion('For all.') })])
})

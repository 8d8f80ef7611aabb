import { createCache, type Store, systemClock } from 'llmemo'
import { createGateway } from 'llmemo-gateway'
import { ManualClock } from 'llmemo/testing'
import { sqliteStore } from 'llmemo/sqlite'
import { expect, it } from 'vitest'
import { KeyRing } from '../../src/access/key-ring.ts'
import { databasePath } from '../support/database-path.ts'
import { guarded } from '../support/guarded.ts'
import { listening } from '../support/listening.ts'
import { ask, post } from '../support/requests.ts'
import { tokenIssuer } from '../support/token-issuer.ts'

it('takes a key where its own header, Bearer or a provider’s SDK puts it', async () => {
  const { url, as } = await guarded()
  const { 'x-llmemo-api-key': key = '' } = await as('acme', 'read')
  for (const headers of [{ 'x-llmemo-api-key': key }, { authorization: `Bearer ${key}` }, { 'x-api-key': key }, { 'api-key': key }]) {
    expect((await ask(`${url}/cache/stats`, { headers })).body).toMatchObject({ by_tenant: { acme: {} } })
  }
  expect((await ask(`${url}/cache/stats`)).status).toBe(401)
  // The key of a provider is none of the gateway.
  expect((await ask(`${url}/cache/stats`, { headers: { authorization: 'Bearer sk-provider' } })).status).toBe(401)
})

it('gives each tenant answers and values of its own', async () => {
  const { url, as } = await guarded()
  const [acme, other] = [await as('acme', 'read', 'write'), await as('other', 'read', 'write')]
  await post(`${url}/cache/store`, { prompt: 'a', response: 'of acme' }, acme)
  await post(`${url}/api/v1/cache`, { key: 'k', value: 'of acme' }, acme)
  expect((await post(`${url}/cache/query`, { prompt: 'a' }, other)).status).toBe(404)
  expect((await ask(`${url}/api/v1/cache/k`, { headers: other })).status).toBe(404)
  expect((await post(`${url}/cache/query`, { prompt: 'a' }, acme)).status).toBe(200)
})

it('lets only an admin of all and a named proxy choose the tenant', async () => {
  const { url, as } = await guarded()
  const [acme, acmeAdmin, admin] = [await as('acme', 'read', 'write'), await as('acme', 'admin'), await as(undefined, 'admin')]
  const named = { 'x-tenant-id': 'other' }
  expect((await ask(`${url}/cache/stats`, { headers: { ...acme, ...named } })).status).toBe(403)
  expect((await ask(`${url}/cache/stats`, { headers: { ...acmeAdmin, ...named } })).status).toBe(403)
  expect((await ask(`${url}/cache/stats`, { headers: { ...admin, ...named } })).body).toMatchObject({ by_tenant: { other: {} } })
  expect((await ask(`${url}/cache/stats`, { headers: { ...acme, 'x-tenant-id': 'acme' } })).status).toBe(200)

  const behind = await guarded({ access: { proxies: ['127.0.0.1'] } })
  const proxy = await behind.as('front', 'read')
  expect((await ask(`${behind.url}/cache/stats`, { headers: { ...proxy, ...named } })).body).toMatchObject({ by_tenant: { other: {} } })
  expect((await ask(`${behind.url}/cache/stats`, { headers: { ...proxy, 'x-tenant-id': 'a:b' } })).status).toBe(403)
})

it('refuses a key that expired, at its second, and one that was revoked, after ten seconds at the most', async () => {
  const clock = new ManualClock()
  const store = sqliteStore(databasePath())
  const gateway = createGateway({ store, clock, cache: createCache() })
  const ring = new KeyRing(store, clock)
  const expiring = await ring.create({ roles: ['admin'], validFor: 5_000 })
  const revoked = await ring.create({ roles: ['admin'] })
  const status = async (key: string): Promise<number> =>
    (await gateway.fetch(new Request('http://gateway/cache/stats', { headers: { 'x-llmemo-api-key': key } }))).status
  expect(await status(expiring.key)).toBe(200)
  expect(await status(revoked.key)).toBe(200)
  expect(await ring.revoke(revoked.record.id)).toBe(true)
  clock.advance(5_000)
  expect(await status(expiring.key)).toBe(401)
  clock.advance(5_000)
  expect(await status(revoked.key)).toBe(401)
  await gateway.close()
})

it('takes tokens of the issuer, whose public keys it fetches once', async () => {
  const issuer = await tokenIssuer()
  const { url } = await guarded({ access: { jwt: issuer.settings } })
  for (let count = 0; count < 5; count++) {
    const headers = { authorization: `Bearer ${await issuer.token({ jti: String(count) })}` }
    expect((await ask(`${url}/cache/stats`, { headers })).body).toMatchObject({ by_tenant: { acme: {} } })
  }
  expect(issuer.fetches()).toBe(1)
  const admin = await issuer.token({ tenant: undefined, roles: 'read admin' })
  expect((await ask(`${url}/metrics`, { headers: { authorization: `Bearer ${admin}` } })).status).toBe(200)
})

it('says 503 when the public keys are away, and never lets anyone in', async () => {
  const issuer = await tokenIssuer()
  const { url } = await guarded({ access: { jwt: { ...issuer.settings, jwks: 'http://127.0.0.1:1/keys' } } })
  const answer = await ask(`${url}/cache/stats`, { headers: { authorization: `Bearer ${await issuer.token()}` } })
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('5')
})

it('still takes keys that it knows while the store is away', async () => {
  const clock = new ManualClock()
  const inner = sqliteStore(databasePath())
  let isAway = false
  const store: Store = { ...bound(inner), get: (key, options) => (isAway ? Promise.reject(new Error('away')) : inner.get(key, options)) }
  const gateway = createGateway({ store, clock, cache: createCache() })
  const { key } = await new KeyRing(inner, systemClock).create({ roles: ['admin'] })
  const { key: unknown } = await new KeyRing(inner, systemClock).create({ roles: ['admin'] })
  const status = async (text: string): Promise<number> =>
    (await gateway.fetch(new Request('http://gateway/cache/stats', { headers: { 'x-llmemo-api-key': text } }))).status
  expect(await status(key)).toBe(200)
  isAway = true
  clock.advance(60_000)
  expect(await status(key)).toBe(200)
  expect(await status(unknown)).toBe(503)
  clock.advance(15 * 60_000)
  expect(await status(key)).toBe(503)
  isAway = false
  expect(await status(key)).toBe(200)
  await gateway.close()
})

it('without a key answers this machine only, and no page of another site', async () => {
  const { url } = await listening({ store: sqliteStore(databasePath()) })
  expect((await ask(`${url}/cache/stats`)).status).toBe(200)
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'x-forwarded-for': '203.0.113.7' }]) {
    expect((await ask(`${url}/cache/stats`, { headers })).status).toBe(403)
  }
  const gateway = createGateway()
  const status = async (host: string, remoteAddress: string): Promise<number> =>
    (await gateway.fetch(new Request(`http://${host}/cache/stats`), { remoteAddress })).status
  expect(await status('localhost:8787', '::ffff:127.0.0.1')).toBe(200)
  expect(await status('[::1]:8787', '::1')).toBe(200)
  expect(await status('evil.example', '127.0.0.1')).toBe(403)
  expect(await status('localhost', '203.0.113.7')).toBe(403)
  await gateway.close()
})

it('closes when the first key is made, also while it runs', async () => {
  const clock = new ManualClock()
  const store = sqliteStore(databasePath())
  const gateway = createGateway({ store, clock, cache: createCache() })
  const status = async (): Promise<number> => (await gateway.fetch(new Request('http://gateway/cache/stats'))).status
  expect(await status()).toBe(200)
  const ring = new KeyRing(store, clock)
  const { record } = await ring.create({ roles: ['admin'] })
  clock.advance(2_000)
  expect(await status()).toBe(401)
  await ring.revoke(record.id)
  clock.advance(60_000)
  expect(await status()).toBe(401)
  await gateway.close()
})

it('answers pages of configured origins only', async () => {
  const { url, as } = await guarded({ access: { origins: ['https://app.example'] } })
  const preflight = (origin: string): Promise<Awaited<ReturnType<typeof ask>>> =>
    ask(`${url}/cache/query`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-llmemo-api-key,content-type' },
    })
  expect((await preflight('https://app.example')).headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  const headers = { ...(await as('acme', 'read')), origin: 'https://app.example' }
  expect((await ask(`${url}/cache/stats`, { headers })).headers.get('access-control-allow-origin')).toBe('https://app.example')
  const without = await guarded()
  const other = await ask(`${without.url}/cache/stats`, {
    headers: { ...(await without.as('acme', 'read')), origin: 'https://app.example' },
  })
  expect(other.headers.get('access-control-allow-origin')).toBeNull()
})

it('tells refusals to the SDKs of providers in a form that they read', async () => {
  const { url } = await guarded()
  const { status, body } = await post(`${url}/openai/v1/chat/completions`, {})
  expect(status).toBe(401)
  expect(body).toMatchObject({
    type: 'error',
    error: { type: 'authentication_error', message: expect.any(String), code: 'no-credential' },
    message: expect.any(String),
  })
})

function bound(store: Store): Store {
  return {
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (...given) => store.set(...given),
    delete: (...given) => store.delete(...given),
    keys: (prefix) => store.keys?.(prefix) ?? [],
  }
}

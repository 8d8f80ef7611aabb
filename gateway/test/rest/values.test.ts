import { createCache } from 'llmemo'
import { expect, it, onTestFinished } from 'vitest'
import { guarded } from '../support/guarded.ts'
import { listening } from '../support/listening.ts'
import { ask, post } from '../support/requests.ts'

it('keeps, tells and removes a value, which is the library’s own', async () => {
  const cache = createCache()
  const { url } = await listening({ cache })
  const values = `${url}/api/v1/cache`
  expect((await ask(`${values}/user:1`)).status).toBe(404)
  expect(await post(values, { key: 'user:1', value: { name: 'Ada' }, ttl: 60 })).toMatchObject({ status: 200, body: { key: 'user:1' } })
  expect((await ask(`${values}/user:1`)).body).toEqual({ key: 'user:1', value: { name: 'Ada' }, ttl: 60 })
  expect(await cache.get('user:1')).toEqual({ name: 'Ada' })
  expect((await ask(`${values}/user:1`, { method: 'DELETE' })).body).toEqual({ key: 'user:1', deleted: true })
  expect((await ask(`${values}/user:1`, { method: 'DELETE' })).body).toEqual({ key: 'user:1', deleted: false })
})

it('takes several steps at once, and none if one may not be', async () => {
  const { url, as } = await guarded()
  const operations = [
    { op: 'set', key: 'a', value: 1 },
    { op: 'get', key: 'a' },
    { op: 'delete', key: 'a' },
    { op: 'get', key: 'a' },
  ]
  const sent = await post(`${url}/api/v1/cache/batch`, { operations }, await as('acme', 'read', 'write'))
  expect(sent.body).toEqual({
    results: [
      { op: 'set', key: 'a' },
      { op: 'get', key: 'a', found: true, value: 1 },
      { op: 'delete', key: 'a', found: true },
      { op: 'get', key: 'a', found: false },
    ],
  })
  const reader = await as('acme', 'read')
  const refused = [
    { op: 'get', key: 'a' },
    { op: 'set', key: 'b', value: 1 },
  ]
  expect((await post(`${url}/api/v1/cache/batch`, { operations: refused }, reader)).status).toBe(403)
  expect((await ask(`${url}/api/v1/cache/b`, { headers: reader })).status).toBe(404)
})

it.each([
  ['a TTL above a year', { op: 'set', key: 'b', value: 1, ttl: 1e15 }],
  ['a TTL of nothing', { op: 'set', key: 'b', value: 1, ttl: '0s' }],
  ['a key that no store can hold', { op: 'set', key: 'b\uD800', value: 1 }],
])('does no step of several if a later one has %s', async (_name, wrong) => {
  const { url } = await listening()
  const operations = [{ op: 'set', key: 'a', value: 1 }, wrong]
  expect((await post(`${url}/api/v1/cache/batch`, { operations })).status).toBe(400)
  expect((await ask(`${url}/api/v1/cache/a`)).status).toBe(404)
})

it('says that a value is too large to be kept, and then gives no older one', async () => {
  const cache = createCache({ maxEntryBytes: 10_000 })
  onTestFinished(() => cache.close())
  const { url } = await listening({ cache })
  const large = { key: 'a', value: 'v'.repeat(10_001) }
  await post(`${url}/api/v1/cache`, { key: 'a', value: 'old' })
  expect(await post(`${url}/api/v1/cache`, large)).toMatchObject({ status: 422, body: { error: expect.stringContaining('too large') } })
  expect((await ask(`${url}/api/v1/cache/a`)).status).toBe(404)
  const operations = [
    { op: 'set', key: 'a', value: 'old' },
    { op: 'set', ...large },
    { op: 'get', key: 'a' },
  ]
  expect((await post(`${url}/api/v1/cache/batch`, { operations })).body).toEqual({
    results: [
      { op: 'set', key: 'a' },
      { op: 'set', key: 'a', stored: false },
      { op: 'get', key: 'a', found: false },
    ],
  })
})

it.each(['a/b', '../../etc/passwd', 'a b', 'ä*?[x]', '%2F', 'a%252Fb'])('takes %j as a key as it is', async (key) => {
  const { url } = await listening()
  await post(`${url}/api/v1/cache`, { key, value: key })
  expect((await ask(`${url}/api/v1/cache/${encodeURIComponent(key)}`)).body).toMatchObject({ key, value: key })
})

it.each(['.', '..'])('takes %j as a key in a batch, as a path cannot say it', async (key) => {
  const { url } = await listening()
  await post(`${url}/api/v1/cache`, { key, value: key })
  const { body } = await post(`${url}/api/v1/cache/batch`, { operations: [{ op: 'get', key }] })
  expect(body).toMatchObject({ results: [{ found: true, value: key }] })
})

it('refuses keys that no key is', async () => {
  const { url } = await listening()
  expect((await ask(`${url}/api/v1/cache/a%00b`)).status).toBe(400)
  expect((await ask(`${url}/api/v1/cache/${'k'.repeat(1_025)}`)).status).toBe(400)
  expect((await post(`${url}/api/v1/cache`, { key: '', value: 1 })).status).toBe(400)
})

import { createGatewayClient } from 'llmemo-gateway/client'
import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'

it('does what the API does, with types', async () => {
  const { url, as, cache } = await guarded()
  const { 'x-llmemo-api-key': apiKey = '' } = await as('acme', 'read', 'write')
  const client = createGatewayClient({ url: `${url}/`, apiKey })
  const asked = { prompt: 'a', operation: 'chat', context: { user: 1 } }
  expect(await client.query(asked)).toBeUndefined()
  const { cacheKey } = await client.store({ ...asked, response: { text: 'b' }, ttl: '10m', tags: ['t'] })
  expect(await client.query(asked)).toMatchObject({ response: { text: 'b' }, cacheKey })
  expect(await client.explain({ request: asked })).toMatchObject({ key: cacheKey, ttl: 600 })

  await client.set('a/b', { n: 1 }, 60)
  const found: { n: number } | undefined = await client.get<{ n: number }>('a/b')
  expect(found).toEqual({ n: 1 })
  expect(await client.batch([{ op: 'get', key: 'a/b' }])).toEqual([{ op: 'get', key: 'a/b', found: true, value: { n: 1 } }])
  expect(await client.delete('a/b')).toBe(true)
  expect(await client.get('a/b')).toBeUndefined()

  await cache.flush()
  expect((await client.entries({ operation: 'chat', limit: 10 })).entries).toHaveLength(1)
  expect(await client.stats()).toMatchObject({ hits: 1 })
  expect(await client.invalidate({ tags: ['t'], dryRun: true })).toMatchObject({ count: 1 })
  expect(await client.invalidate({ tags: ['t'] })).toMatchObject({ count: 1, complete: true })
  expect(await client.query(asked)).toBeUndefined()
  await expect(client.invalidateTenant('acme')).rejects.toMatchObject({ status: 403, code: 'role' })

  const admin = createGatewayClient({ url, apiKey: (await as(undefined, 'admin'))['x-llmemo-api-key'] ?? '', tenant: 'acme' })
  expect(await admin.invalidateTenant('acme')).toMatchObject({ complete: true })
  await expect(admin.savings()).rejects.toMatchObject({ status: 400 })
})

it('says how long to wait after too many requests', async () => {
  const { url, ring } = await guarded()
  const { key } = await ring.create({ roles: ['read'], tenant: 'acme', rate: '1/d' })
  const client = createGatewayClient({ url, apiKey: key })
  await client.stats()
  await expect(client.stats()).rejects.toMatchObject({ status: 429, code: 'rate', retryAfter: expect.any(Number) })
})

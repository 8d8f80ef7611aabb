import { createCache, type Store } from 'llmemo'
import { createGateway, type Gateway } from 'llmemo-gateway'
import { redisStore } from 'llmemo/redis'
import { ManualClock } from 'llmemo/testing'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../../test/support/redis-server.ts'
import { KeyRing } from '../../src/access/key-ring.ts'
import { Rates } from '../../src/access/rates.ts'
import { guarded } from '../support/guarded.ts'
import { ask } from '../support/requests.ts'

it('limits a key, says what is left, and lets it in again in the next window', async () => {
  const clock = new ManualClock()
  const { url, ring } = await guarded({ clock })
  const { key } = await ring.create({ roles: ['read'], tenant: 'acme', rate: '2/m' })
  const headers = { 'x-llmemo-api-key': key }
  const first = await ask(`${url}/cache/stats`, { headers })
  expect(first.headers.get('ratelimit-policy')).toBe('"key";q=2;w=60')
  expect(first.headers.get('ratelimit')).toMatch(/^"key";r=1;t=\d+$/)
  expect((await ask(`${url}/cache/stats`, { headers })).status).toBe(200)
  const third = await ask(`${url}/cache/stats`, { headers })
  expect(third.status).toBe(429)
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(third.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/)
  clock.advance(60_000)
  expect((await ask(`${url}/cache/stats`, { headers })).status).toBe(200)
})

it('limits a tenant by all of its keys, and no other tenant', async () => {
  const { url, as } = await guarded({ access: { tenantRate: '2/h', keyRate: '1000/h' } })
  const stats = async (headers: Record<string, string>): Promise<number> => (await ask(`${url}/cache/stats`, { headers })).status
  expect([await stats(await as('acme', 'read')), await stats(await as('acme', 'read')), await stats(await as('acme', 'read'))]).toEqual([
    200, 200, 429,
  ])
  expect(await stats(await as('other', 'read'))).toBe(200)
})

it('counts together in Redis, and alone while Redis is away', async () => {
  const server = await startRedis()
  const clients = [0, 1].map(() => new Redis({ host: server.host, port: server.port, maxRetriesPerRequest: 0, retryStrategy: () => 50 }))
  onTestFinished(async () => {
    for (const client of clients) client.disconnect()
    await server.stop()
  })
  for (const client of clients) client.on('error', () => undefined)
  const [first, second] = clients.map((client) => redisStore(client))
  const clock = new ManualClock()
  const ring = new KeyRing(must(first), clock)
  const { key } = await ring.create({ roles: ['admin'], rate: '4/d' })
  const gateways = [first, second].map((store) => createGateway({ store, clock, cache: createCache() }))
  const status = async (gateway: Gateway | undefined): Promise<number | undefined> =>
    (await gateway?.fetch(new Request('http://gateway/cache/stats', { headers: { 'x-llmemo-api-key': key } })))?.status
  expect([await status(gateways[0]), await status(gateways[1]), await status(gateways[0])]).toEqual([200, 200, 200])
  await server.kill()
  // The first gateway has counted 2 of its own, the second 1.
  expect([await status(gateways[0]), await status(gateways[0]), await status(gateways[0])]).toEqual([200, 200, 429])
  expect(await status(gateways[1])).toBe(200)
  await Promise.all(gateways.map((gateway) => gateway.close()))
})

it('does not ask the store for a name that is over, nor after the store failed', async () => {
  const clock = new ManualClock()
  let asked = 0
  let isAway = false
  const store: Store = {
    name: 'counting',
    get: () => undefined,
    set: () => undefined,
    delete: () => undefined,
    add: () => {
      asked++
      if (isAway) throw new Error('away')
      return { requests: asked }
    },
  }
  const rates = new Rates({ store, clock, log: () => undefined })
  const rate = { limit: 2, seconds: 60 }
  for (let count = 0; count < 100; count++) await rates.take('a', rate)
  expect(asked).toBe(3)
  isAway = true
  for (let count = 0; count < 100; count++) await rates.take(`b${count}`, rate)
  expect(asked).toBe(4)
  clock.advance(2_000)
  await rates.take('c', rate)
  expect(asked).toBe(5)
})

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('there is none')
  return value
}

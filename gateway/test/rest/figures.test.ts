import { createCache } from 'llmemo'
import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'
import { ask, post } from '../support/requests.ts'

const usage = { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 }
const asked = { prompt: 'a', operation: 'chat', model: 'gpt-4o', provider: 'openai' }
const response = { choices: [], usage }

it('tells hits and savings: all to an admin, its own to a tenant', async () => {
  const { url, as } = await guarded({ cache: createCache({ savings: true }) })
  const [acme, other, admin] = [await as('acme', 'read', 'write'), await as('other', 'read'), await as(undefined, 'admin')]
  await post(`${url}/cache/query`, asked, acme)
  await post(`${url}/cache/store`, { ...asked, response }, acme)
  await post(`${url}/cache/query`, asked, acme)

  const stats = await ask(`${url}/cache/stats`, { headers: admin })
  expect(stats.body).toMatchObject({
    hits: 1,
    misses: 1,
    hit_rate_percent: 50,
    hot_cache_size: 1,
    by_operation: { chat: { hits: 1 } },
    by_model: { 'gpt-4o': { hits: 1, saved_tokens: 2_000 } },
    by_tenant: { acme: { hits: 1, misses: 1 } },
  })
  const own = await ask(`${url}/cache/stats`, { headers: acme })
  expect(own.body).toMatchObject({ hits: 1, misses: 1, hit_rate_percent: 50, by_tenant: { acme: { hits: 1 } } })
  const others = await ask(`${url}/cache/stats`, { headers: other })
  expect(others.body).toEqual(expect.objectContaining({ hits: 0, by_tenant: { other: expect.objectContaining({ hits: 0 }) } }))
  expect(JSON.stringify(others.body)).not.toContain('acme')

  expect((await ask(`${url}/cache/savings?by=model&days=1`, { headers: admin })).body).toMatchObject({ rows: { 'gpt-4o': { hits: 1 } } })
  expect((await ask(`${url}/cache/savings`, { headers: acme })).body).toMatchObject({ total: { hits: 1 }, rows: { acme: { hits: 1 } } })
  expect((await ask(`${url}/cache/savings`, { headers: other })).body).toMatchObject({ total: { hits: 0 } })
  expect((await ask(`${url}/cache/savings?by=model`, { headers: acme })).status).toBe(400)
})

it('gives the report and the counters of Prometheus to an admin of all', async () => {
  const { url, as } = await guarded()
  const admin = { headers: await as(undefined, 'admin') }
  expect((await ask(`${url}/cache/report`, admin)).body).toMatchObject({ recommendations: expect.any(Array) })
  expect((await ask(`${url}/cache/report?format=csv`, admin)).type).toContain('text/csv')
  expect((await ask(`${url}/cache/report?format=text`, admin)).body).toContain('llmemo')
  await ask(`${url}/cache/stats`)
  const { body, type } = await ask(`${url}/metrics`, admin)
  expect(type).toContain('text/plain; version=0.0.4')
  expect(body).toContain('llmemo_gateway_refusals_total{reason="no-credential"} 1')
  for (const path of ['/metrics', '/cache/report']) {
    expect((await ask(url + path, { headers: await as('acme', 'admin') })).status).toBe(403)
  }
})

it('says how savings are kept where they are not', async () => {
  const { url, as } = await guarded()
  for (const headers of [await as(undefined, 'admin', 'read'), await as('acme', 'read')]) {
    expect(await ask(`${url}/cache/savings`, { headers })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('CACHE_SAVINGS=true') },
    })
  }
})

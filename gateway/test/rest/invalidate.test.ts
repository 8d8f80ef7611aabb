import { expect, it } from 'vitest'
import { guarded, type Guarded } from '../support/guarded.ts'
import { ask, post } from '../support/requests.ts'

type Headers = Record<string, string>

async function filled(): Promise<Guarded & { acme: Headers; other: Headers; admin: Headers }> {
  const made = await guarded()
  const [acme, other, admin] = await Promise.all([
    made.as('acme', 'read', 'write'),
    made.as('other', 'read', 'write'),
    made.as(undefined, 'admin'),
  ])
  for (const headers of [acme, other]) {
    await post(`${made.url}/cache/store`, { prompt: 'a', response: 'b', operation: 'chat', tags: ['t'], model: 'm' }, headers)
    await post(`${made.url}/cache/store`, { prompt: 'c', response: 'd', operation: 'summary', model: 'n' }, headers)
    await post(`${made.url}/api/v1/cache`, { key: 'user:1', value: 1 }, headers)
    await post(`${made.url}/api/v1/cache`, { key: 'page:1', value: 1 }, headers)
  }
  await made.cache.flush()
  return { ...made, acme, other, admin }
}

async function left({ url }: Guarded, headers: Headers): Promise<string[]> {
  const { body } = await ask(`${url}/cache/entries`, { headers })
  const { entries } = Object(body)
  return entries.map((each: { operation: string; key: string }) => (each.operation === 'value' ? each.key : each.operation)).toSorted()
}

const all = ['chat', 'page:1', 'summary', 'user:1']

it.each<[what: object, rest: readonly string[]]>([
  [{ tags: ['t'] }, ['page:1', 'summary', 'user:1']],
  [{ operation: 'chat' }, ['page:1', 'summary', 'user:1']],
  [{ model: 'n' }, ['chat', 'page:1', 'user:1']],
  [{ pattern: 'user:*' }, ['chat', 'page:1', 'summary']],
  [{ invalidateAll: true }, []],
])('invalidates %j of the caller’s tenant only, and shows before what would go', async (what, rest) => {
  const made = await filled()
  const before = await post(`${made.url}/cache/invalidate`, { ...what, dryRun: true }, made.acme)
  expect(before.body).toMatchObject({ dryRun: true, count: all.length - rest.length })
  expect(await left(made, made.acme)).toEqual(all)

  expect(await post(`${made.url}/cache/invalidate`, what, made.acme)).toMatchObject({ status: 200, body: { complete: true } })
  expect(await left(made, made.acme)).toEqual(rest)
  expect(await left(made, made.other)).toEqual(all)
  const again = await post(`${made.url}/cache/query`, { prompt: 'a', operation: 'chat', model: 'm' }, made.acme)
  expect(again.status).toBe(rest.includes('chat') ? 200 : 404)
  expect((await post(`${made.url}/cache/query`, { prompt: 'a', operation: 'chat', model: 'm' }, made.other)).status).toBe(200)
})

it('invalidates of all tenants what an admin names', async () => {
  const made = await filled()
  await post(`${made.url}/api/v1/cache/invalidate`, { operation: 'chat' }, made.admin)
  expect(await left(made, made.acme)).toEqual(['page:1', 'summary', 'user:1'])
  expect(await left(made, made.other)).toEqual(['page:1', 'summary', 'user:1'])
})

it('removes all of one tenant', async () => {
  const made = await filled()
  const tenant = `${made.url}/api/v1/cache/tenant/acme`
  expect((await ask(tenant, { method: 'DELETE', headers: made.acme })).status).toBe(403)
  expect((await ask(tenant, { method: 'DELETE', headers: await made.as('other', 'admin') })).status).toBe(403)
  expect((await ask(tenant, { method: 'DELETE', headers: made.admin })).status).toBe(200)
  expect(await left(made, made.acme)).toEqual([])
  expect(await left(made, made.other)).toEqual(all)
})

it('wants exactly one selector', async () => {
  const { url, acme } = await filled()
  expect((await post(`${url}/cache/invalidate`, {}, acme)).status).toBe(400)
  expect((await post(`${url}/cache/invalidate`, { operation: 'chat', model: 'm' }, acme)).status).toBe(400)
  expect((await post(`${url}/cache/invalidate`, { invalidateAll: false }, acme)).status).toBe(400)
})

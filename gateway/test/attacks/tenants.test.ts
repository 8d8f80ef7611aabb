import { beforeEach, describe, expect, it } from 'vitest'
import { guarded, type Guarded } from '../support/guarded.ts'
import { ask, type Answered, post } from '../support/requests.ts'

const secret = 'answer-of-acme'
let made: Guarded
let key: string

beforeEach(async () => {
  made = await guarded()
  const acme = await made.as('acme', 'read', 'write')
  await post(`${made.url}/api/v1/cache`, { key: 'k', value: secret }, acme)
  const { body } = await post(
    `${made.url}/cache/store`,
    { prompt: 'a', response: secret, operation: 'acme-operation', model: 'acme-model', tags: ['acme-tag'] },
    acme,
  )
  key = Object(body).cacheKey
  await post(`${made.url}/cache/query`, { prompt: 'a', operation: 'acme-operation', model: 'acme-model' }, acme)
  await made.cache.flush()
})

type Sent = (headers: Record<string, string>) => Promise<Answered>

/** Every route, as an attacker would ask for what another tenant has. */
function attempts(): Readonly<Record<string, Sent>> {
  const { url } = made
  const get =
    (path: string): Sent =>
    (headers) =>
      ask(url + path, { headers })
  const send =
    (path: string, body: object): Sent =>
    (headers) =>
      post(url + path, body, headers)
  const remove =
    (path: string): Sent =>
    (headers) =>
      ask(url + path, { headers, method: 'DELETE' })
  return {
    query: send('/cache/query', { prompt: 'a', operation: 'acme-operation', model: 'acme-model' }),
    'query with a scope': send('/cache/query', { prompt: 'a', operation: 'acme-operation', model: 'acme-model', scope: 'acme' }),
    'query with options': send('/cache/query', {
      prompt: 'a',
      operation: 'acme-operation',
      model: 'acme-model',
      options: { scope: 'acme' },
    }),
    explain: send('/cache/explain', { request: { prompt: 'a', operation: 'acme-operation', model: 'acme-model' } }),
    store: send('/cache/store', { prompt: 'a', operation: 'acme-operation', model: 'acme-model', response: 'poison' }),
    get: get('/api/v1/cache/k'),
    'get by the full key': get(`/api/v1/cache/${encodeURIComponent('tenant:acme:k')}`),
    'get by the key of an answer': get(`/api/v1/cache/${key}`),
    'get with a slash': get('/api/v1/cache/..%2facme%2fk'),
    set: send('/api/v1/cache', { key: 'k', value: 'poison' }),
    'set by the full key': send('/api/v1/cache', { key: 'tenant:acme:k', value: 'poison' }),
    delete: remove('/api/v1/cache/k'),
    'delete by the full key': remove(`/api/v1/cache/${encodeURIComponent('tenant:acme:k')}`),
    batch: send('/api/v1/cache/batch', {
      operations: [
        { op: 'get', key: 'k' },
        { op: 'delete', key: 'k' },
        { op: 'set', key: 'k', value: 'poison' },
      ],
    }),
    'invalidate all': send('/cache/invalidate', { invalidateAll: true }),
    'invalidate by tag': send('/cache/invalidate', { tags: ['acme-tag'] }),
    'invalidate by operation': send('/api/v1/cache/invalidate', { operation: 'acme-operation' }),
    'invalidate by model': send('/cache/invalidate', { model: 'acme-model' }),
    'invalidate by key': send('/cache/invalidate', { key }),
    'preview by key': send('/cache/invalidate', { key, dryRun: true }),
    'preview all': send('/cache/invalidate', { invalidateAll: true, dryRun: true }),
    ...Object.fromEntries(
      ['*', '?*', '[^x]*', '\\*', '*:acme:*', 'tenant:acme:*', ']*', '**************************k', '../*', '}*', '*k'].map((pattern) => [
        `glob ${pattern}`,
        send('/cache/invalidate', { pattern }),
      ]),
    ),
    tenant: remove('/api/v1/cache/tenant/acme'),
    'tenant by another name': remove('/api/v1/cache/tenant/*'),
    stats: get('/cache/stats'),
    savings: get('/cache/savings'),
    'savings by scope': get('/cache/savings?by=scope'),
    report: get('/cache/report'),
    metrics: get('/metrics'),
    entries: get('/cache/entries'),
    'entries of the model': get('/cache/entries?model=acme-model'),
    'entries found by their key': get(`/cache/entries?search=${key}`),
    'entry with content': get(`/cache/entries/${key}`),
    'entry with content by a value’s key': get(`/cache/entries/${encodeURIComponent('tenant:acme:k')}`),
    openapi: get('/openapi.json'),
    docs: get('/docs'),
  }
}

/** What tells of the other tenant: its name, its words, its answer. The attacker’s own words come back in some answers. */
const traces = /answer-of-acme|acme-tag|"acme"/

describe.each([
  ['a key of another tenant', ['read', 'write', 'admin'], 'other'],
  ['a key of a tenant whose name begins the same', ['read', 'write', 'admin'], 'acm'],
  ['a key of a tenant whose name goes on', ['read', 'write', 'admin'], 'acme.x'],
] as const)('%s', (_name, roles, tenant) => {
  it('reaches nothing of a tenant, by any route', async () => {
    const headers = await made.as(tenant, ...roles)
    for (const [name, send] of Object.entries(attempts())) {
      const { status, body } = await send(headers)
      expect({ name, failed: status >= 500, leaks: traces.test(JSON.stringify(body)) }).toEqual({ name, failed: false, leaks: false })
    }
    for (const [name, send] of Object.entries(attempts())) {
      const { status } = await send({ ...headers, 'x-tenant-id': 'acme' })
      expect([name, status]).toEqual([name, 403])
    }
    // All is still there, as it was.
    const acme = await made.as('acme', 'read')
    expect(
      (await post(`${made.url}/cache/query`, { prompt: 'a', operation: 'acme-operation', model: 'acme-model' }, acme)).body,
    ).toMatchObject({ response: secret })
    expect((await ask(`${made.url}/api/v1/cache/k`, { headers: acme })).body).toMatchObject({ value: secret })
    expect(made.lines.filter(({ reason }) => reason === 'tenant').length).toBeGreaterThan(0)
    expect(JSON.stringify(made.lines)).not.toMatch(traces)
  })
})

describe('a key with too few roles', () => {
  it('reads without changing, or changes without reading', async () => {
    const [reader, writer] = [await made.as('acme', 'read'), await made.as('acme', 'write')]
    const all = attempts()
    for (const name of [
      'store',
      'set',
      'delete',
      'invalidate all',
      'invalidate by tag',
      'tenant',
      'report',
      'metrics',
      'entry with content',
      'batch',
    ]) {
      expect([name, (await all[name]?.(reader))?.status]).toEqual([name, 403])
    }
    for (const name of [
      'query',
      'explain',
      'get',
      'stats',
      'savings',
      'report',
      'metrics',
      'entries',
      'entry with content',
      'batch',
      'tenant',
    ]) {
      expect([name, (await all[name]?.(writer))?.status]).toEqual([name, 403])
    }
  })
})

describe('no key at all', () => {
  it('gets 401 at every route', async () => {
    for (const [name, send] of Object.entries(attempts())) {
      const { status, body } = await send({})
      expect({ name, refused: [401, 429].includes(status), leaks: traces.test(JSON.stringify(body)) }).toEqual({
        name,
        refused: true,
        leaks: false,
      })
    }
  })
})

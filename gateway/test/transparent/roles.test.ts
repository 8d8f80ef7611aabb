import { createCache } from 'llmemo'
import { describe, expect, it, onTestFinished } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import { guarded, type Guarded } from '../support/guarded.ts'
import { ask } from '../support/provider.ts'

async function guardedOver(keys = {}): Promise<Guarded & { readonly provider: ProviderServer }> {
  const provider = await startProvider((_request, reply) => reply.json(completion(`answer ${provider.requests.length}`)))
  onTestFinished(() => provider.close())
  const made = await guarded({ cache: createCache(), upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'], keys })
  return { ...made, provider }
}

const denied = { error: { code: 'role_not_allowed', type: 'invalid_request_error' } }

describe('through the paths of providers', () => {
  it('a key with the role read gets what is stored, and never asks the provider', async () => {
    const { url, provider, as, lines } = await guardedOver()
    const [reader, writer] = [await as('acme', 'read'), await as('acme', 'read', 'write')]
    const refused = await ask(url, reader)
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject(denied)
    expect(provider.requests).toHaveLength(0)
    expect(lines).toContainEqual(expect.objectContaining({ event: 'refused', reason: 'role' }))
    await (await ask(url, writer)).text()
    const hit = await ask(url, reader)
    expect(await hit.json()).toEqual(completion('answer 1'))
    expect(hit.headers.get('x-llmemo-source')).toBe('memory')
    expect(provider.requests).toHaveLength(1)
  })

  it.each([
    ['cache-control', 'no-cache'],
    ['cache-control', 'no-store'],
    ['cache-control', 'max-age=0'],
    ['cache-control', 'max-stale'],
    ['cache-control', 'stale-if-error=60'],
    ['x-llmemo-mode', 'reload'],
    ['x-llmemo-mode', 'default'],
    ['cf-aig-skip-cache', 'true'],
  ])('a reader does not get past what is stored by %s: %s', async (name, value) => {
    const { url, provider, as } = await guardedOver()
    const reader = await as('acme', 'read')
    expect((await ask(url, { ...reader, [name]: value })).status).toBe(403)
    expect(provider.requests).toHaveLength(0)
  })

  it('a reader that asks for what is stored only, is told so as usual', async () => {
    const { url, as } = await guardedOver()
    expect((await ask(url, { ...(await as('acme', 'read')), 'cache-control': 'only-if-cached' })).status).toBe(404)
  })

  it('a reader may read at the provider, and neither upload nor remove', async () => {
    const { url, provider, as } = await guardedOver()
    const reader = await as('acme', 'read')
    expect((await fetch(`${url}/openai/v1/models`, { headers: reader })).status).toBe(200)
    expect((await fetch(`${url}/openai/v1/files/f`, { method: 'DELETE', headers: reader })).status).toBe(403)
    const form = new FormData()
    form.set('file', new File(['a'], 'a.txt'))
    expect((await fetch(`${url}/openai/v1/files`, { method: 'POST', body: form, headers: reader })).status).toBe(403)
    expect(provider.requests.map(({ method }) => method)).toEqual(['GET'])
  })

  it('a key with the role write alone gets nothing', async () => {
    const { url, provider, as } = await guardedOver()
    expect((await ask(url, await as('acme', 'write'))).status).toBe(403)
    expect(provider.requests).toHaveLength(0)
  })
})

describe('the key of a provider that the gateway owns', () => {
  it('is that of the tenant, else the default, else none, and never the one that a client sends', async () => {
    const { url, provider, as } = await guardedOver({
      openai: { default: 'sk-default', tenants: { acme: 'sk-acme', globex: 'sk-globex' } },
    })
    for (const tenant of ['acme', 'globex', 'initech']) await (await ask(url, await as(tenant, 'read', 'write'))).text()
    expect(provider.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer sk-acme',
      'Bearer sk-globex',
      'Bearer sk-default',
    ])
    expect(provider.requests.every(({ headers }) => headers['x-llmemo-api-key'] === undefined)).toBe(true)
  })

  it('is not that of another tenant where a tenant has none', async () => {
    const { url, provider, as } = await guardedOver({ openai: { tenants: { acme: 'sk-acme' } } })
    for (const tenant of ['constructor', '__proto__x', 'initech'])
      await (await ask(url, await as(tenant.replaceAll('_', ''), 'read', 'write'))).text()
    expect(provider.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, undefined])
  })

  it('keeps the answers of tenants apart, though they share it', async () => {
    const { url, provider, as } = await guardedOver({ openai: 'sk-owned' })
    const [acme, globex] = [await as('acme', 'read', 'write'), await as('globex', 'read', 'write')]
    expect(await (await ask(url, acme)).json()).toEqual(completion('answer 1'))
    expect(await (await ask(url, globex)).json()).toEqual(completion('answer 2'))
    expect(await (await ask(url, acme)).json()).toEqual(completion('answer 1'))
    expect(provider.requests).toHaveLength(2)
  })

  it('is one of the tenant that an admin names', async () => {
    const { url, provider, as } = await guardedOver({ openai: { tenants: { acme: 'sk-acme' } } })
    await (await ask(url, { ...(await as(undefined, 'admin')), 'x-tenant-id': 'acme' })).text()
    expect(provider.requests[0]?.headers.authorization).toBe('Bearer sk-acme')
  })
})

import { createCache } from 'llmemo'
import { ManualClock } from 'llmemo/testing'
import { describe, expect, it } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { steeringOf } from '../../src/transparent/steering.ts'
import { ask, gatewayOver } from '../support/provider.ts'

describe('what a request asks of the cache', () => {
  it.each([
    ['cache-control', 'no-store', { mode: 'no-store' }],
    ['cache-control', 'No-Cache', { mode: 'reload' }],
    ['cache-control', 'max-age=0', { mode: 'reload' }],
    ['cache-control', 'max-age=60, only-if-cached', { mode: 'only-if-cached' }],
    ['cache-control', 'max-stale', { mode: 'force-cache' }],
    ['cache-control', 'max-stale=60', {}],
    ['x-llmemo-ttl', '10m', { ttl: '10m' }],
    ['x-llmemo-tags', 'a,b', { tags: 'a,b' }],
    ['cf-aig-skip-cache', 'true', { mode: 'no-store' }],
    ['cf-aig-skip-cache', 'false', {}],
    ['cf-aig-cache-ttl', '3600', { ttl: '3600' }],
    ['x-portkey-cache-force-refresh', 'True', { mode: 'reload' }],
    ['helicone-cache-enabled', 'false', { mode: 'no-store' }],
    ['helicone-cache-enabled', 'true', {}],
    ['x-openrouter-cache', 'false', { mode: 'no-store' }],
    ['x-openrouter-cache-clear', 'true', { mode: 'reload' }],
    ['x-openrouter-cache-ttl', '5', { ttl: '5' }],
    ['x-bt-use-cache', 'never', { mode: 'no-store' }],
    ['x-bt-use-cache', 'auto', {}],
    ['x-bt-cache-ttl', '7', { ttl: '7' }],
    ['x-bt-cache-ttl', 'soon', {}],
  ])('%s: %s', (name, value, options) => {
    const named = Object.fromEntries(Object.entries(options).map(([option, each]) => [`x-llmemo-${option}`, each]))
    expect(steeringOf(new Headers({ [name]: value })).options).toEqual(named)
  })

  it('is x-llmemo-* before cache-control, and that before other gateways', () => {
    const headers = new Headers({ 'x-bt-use-cache': 'never', 'cache-control': 'no-cache' })
    expect(steeringOf(headers).options).toEqual({ 'x-llmemo-mode': 'reload' })
    headers.set('x-llmemo-mode', 'default')
    expect(steeringOf(headers).options).toEqual({ 'x-llmemo-mode': 'default' })
  })
})

describe('a gateway', () => {
  it('serves only what is young enough', async () => {
    const clock = new ManualClock()
    const { provider, url } = await gatewayOver(undefined, { cache: createCache({ clock }) })
    await (await ask(url)).text()
    clock.advance(60_000)
    const found = await ask(url, { 'cache-control': 'max-age=60' })
    expect(found.headers.get('age')).toBe('60')
    const renewed = await ask(url, { 'cache-control': 'max-age=59' })
    expect(renewed.headers.get('cache-status')).toBe('llmemo; fwd=miss; stored')
    await renewed.text()
    expect(provider.requests).toHaveLength(2)
    expect((await ask(url, { 'cache-control': 'max-age=59' })).headers.get('age')).toBe('0')
  })

  it('neither reads nor stores for no-store, and tells nothing of it upstream', async () => {
    const { provider, url } = await gatewayOver()
    for (const headers of [{ 'cache-control': 'no-store' }, { 'x-bt-use-cache': 'never' }, { 'cf-aig-skip-cache': 'true' }]) {
      const response = await ask(url, headers)
      expect(response.headers.get('cache-status')).toBe('llmemo; fwd=bypass')
      await response.text()
    }
    expect(
      provider.requests.map(({ headers }) => [headers['x-bt-use-cache'], headers['cf-aig-skip-cache'], headers['x-llmemo-mode']]),
    ).toEqual(Array.from({ length: 3 }, () => [undefined, undefined, undefined]))
    await (await ask(url)).text()
    expect(provider.requests).toHaveLength(4)
  })

  it('never calls the provider for only-if-cached', async () => {
    const { provider, url } = await gatewayOver()
    const response = await ask(url, { 'cache-control': 'only-if-cached' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'NOT_CACHED' } })
    expect(provider.requests).toEqual([])
  })

  it('gives an outdated answer during an outage if stale-if-error allows', async () => {
    const clock = new ManualClock()
    let isOut = false
    const { url } = await gatewayOver((_request, reply) => (isOut ? reply.text('out', { status: 503 }) : reply.json(completion('Old.'))), {
      cache: createCache({ clock, ttl: 60, stale: 3_600 }),
    })
    await (await ask(url)).text()
    clock.advance(120_000)
    isOut = true
    expect((await ask(url)).status).toBe(503)
    const stale = await ask(url, { 'cache-control': 'stale-if-error=600' })
    expect(stale.status).toBe(200)
    expect(stale.headers.get('age')).toBe('120')
    expect(await stale.text()).toContain('Old.')
  })

  it('takes options from headers, and says which cannot be', async () => {
    const { url } = await gatewayOver()
    await (await ask(url, { 'x-llmemo-ttl': '10m' })).text()
    expect((await ask(url)).headers.get('cache-status')).toBe('llmemo; hit; ttl=600; detail=memory')
    const refused = await ask(url, { 'x-llmemo-ttl': 'soon' })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { code: 'INVALID_OPTION', message: expect.stringContaining('x-llmemo-ttl') } })
  })
})

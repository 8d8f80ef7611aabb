import { readdirSync } from 'node:fs'
import { createCache } from 'llmemo'
import { createGateway } from 'llmemo-gateway'
import { ManualClock } from 'llmemo/testing'
import { expect, it, onTestFinished } from 'vitest'
import { pageFiles, pagePolicy } from '../../src/dashboard/page-files.ts'
import { keptMinutes } from '../../src/dashboard/recent-minutes.ts'
import { guarded } from '../support/guarded.ts'
import { ask, post } from '../support/requests.ts'

const folder = new URL('../../src/dashboard/page/', import.meta.url)

it('serves the page and each of its files without a key, under a policy that allows nothing else', async () => {
  const { url } = await guarded()
  expect(readdirSync(folder).toSorted()).toEqual([...pageFiles].toSorted())
  for (const path of ['/', '/favicon.ico', ...pageFiles.map((file) => `/dashboard/${file}`)]) {
    const { status, headers } = await ask(url + path)
    expect([path, status, headers.get('content-security-policy')]).toEqual([path, 200, pagePolicy])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
  expect((await ask(`${url}/`)).type).toBe('text/html; charset=utf-8')
  expect((await ask(`${url}/dashboard/main.js`)).type).toBe('text/javascript; charset=utf-8')
  for (const path of ['/dashboard/recent', '/dashboard/..%2froutes.ts', '/dashboard/none.js']) {
    expect([path, (await ask(url + path)).status]).toEqual([path, 401])
  }
})

it('tells each tenant its own minutes, and who it is', async () => {
  const { url, as } = await guarded()
  const [acme, other, admin] = [await as('acme', 'read', 'write'), await as('other', 'read'), await as(undefined, 'admin')]
  await post(`${url}/cache/query`, { prompt: 'a' }, acme)
  await post(`${url}/cache/store`, { prompt: 'a', response: 'b' }, acme)
  await post(`${url}/cache/query`, { prompt: 'a' }, acme)
  const recent = async (headers: Record<string, string>): Promise<unknown> => (await ask(`${url}/dashboard/recent`, { headers })).body
  expect(await recent(acme)).toMatchObject({ tenant: 'acme', roles: ['read', 'write'], minutes: [{ hits: 1, misses: 1 }] })
  expect(await recent(other)).toMatchObject({ tenant: 'other', minutes: [{ hits: 0, misses: 0 }] })
  expect(await recent(admin)).toMatchObject({ roles: expect.arrayContaining(['admin']), minutes: [{ hits: 1, misses: 1 }] })
})

it('keeps two hours of minutes, and looks no longer once the gateway is closed', async () => {
  const clock = new ManualClock()
  const cache = createCache({ clock })
  onTestFinished(() => cache.close())
  const before = clock.timers
  const gateway = createGateway({ cache, clock })
  await cache.lookup({ prompt: 'a' })
  clock.advance(60_000)
  await cache.lookup({ prompt: 'b' })
  await cache.lookup({ prompt: 'c' })
  const minutes = async (): Promise<unknown> => {
    const answer = await gateway.fetch(new Request('http://gateway/dashboard/recent'))
    const body: unknown = await answer.json()
    return body
  }
  expect(await minutes()).toMatchObject({ minutes: [{ misses: 1 }, { misses: 2 }] })
  clock.advance(keptMinutes * 60_000)
  const { minutes: kept } = Object(await minutes())
  expect(kept).toHaveLength(keptMinutes + 1)
  expect(kept[0]).toMatchObject({ misses: 2 })
  await gateway.close()
  expect(clock.timers).toBe(before)
})

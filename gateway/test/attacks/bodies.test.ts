import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'
import { ask, post } from '../support/requests.ts'

const json = { 'content-type': 'application/json' }

it('refuses bodies that are too large, too deep, or no JSON, and stays up', async () => {
  const { url, as, lines } = await guarded({ limits: { bodyBytes: 10_000, depth: 20 } })
  const headers = { ...(await as('acme', 'read', 'write')), ...json }
  const send = async (body: BodyInit, more: Record<string, string> = {}): Promise<number> =>
    (await ask(`${url}/cache/query`, { method: 'POST', body, headers: { ...headers, ...more } })).status
  expect(await send(JSON.stringify({ prompt: 'x'.repeat(10_000) }))).toBe(413)
  expect(await chunked(`${url}/cache/query`, headers, 100)).toBe(413)
  expect(await send(`{"prompt":"a","context":${'['.repeat(9_000)}`)).toBe(400)
  expect(await send(`{"prompt":"a","context":${'{"a":'.repeat(21)}1${'}'.repeat(21)}}`)).toBe(400)
  expect(await send(`{"prompt":"a","context":${'['.repeat(19)}${']'.repeat(19)}}`)).toBe(404)
  expect(await send(JSON.stringify({ prompt: `"${'[{'.repeat(50)}\\` }))).toBe(404)
  for (const body of ['', 'sk-secret', '{"prompt":"sk-secret"', '[]', 'null', '"a"', '{"prompt":1e999}']) expect(await send(body)).toBe(400)
  expect(await send(new Uint8Array([0x22, 0xff, 0x22]))).toBe(400)
  expect(await send('{"prompt":"a"}', { 'content-type': 'text/plain' })).toBe(415)
  expect(await send('prompt=a', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(415)
  expect(JSON.stringify(lines)).not.toContain('sk-secret')
  expect(lines.filter(({ reason }) => reason === 'too-large')).toHaveLength(2)
  expect(await send('{"prompt":"a"}')).toBe(404)
})

it('takes __proto__ as the name of a member, and as nothing else', async () => {
  const { url, as, cache } = await guarded()
  const headers = { ...(await as('acme', 'read', 'write')), ...json }
  const send = (path: string, body: string): ReturnType<typeof ask> => ask(url + path, { method: 'POST', body, headers })
  expect((await send('/cache/query', '{"prompt":"a","__proto__":{"polluted":1}}')).status).toBe(400)
  expect((await send('/cache/query', '{"prompt":"a","constructor":{"prototype":{"polluted":1}}}')).status).toBe(400)
  expect(
    (await send('/cache/store', '{"prompt":"a","options":{"__proto__":{"polluted":1}},"response":{"__proto__":{"polluted":1}}}')).status,
  ).toBe(200)
  expect((await send('/api/v1/cache', '{"key":"__proto__","value":{"__proto__":{"polluted":1}}}')).status).toBe(200)
  expect(
    (await send('/cache/store', '{"prompt":"b","response":1,"operation":"__proto__","model":"__proto__","tags":["__proto__"]}')).status,
  ).toBe(200)
  // With and without the member are two questions.
  expect((await send('/cache/query', '{"prompt":"a","options":{}}')).status).toBe(404)
  expect((await send('/cache/query', '{"prompt":"b","operation":"__proto__","model":"__proto__"}')).status).toBe(200)
  const response = await fetch(`${url}/api/v1/cache/__proto__`, { headers: { ...headers, connection: 'close' } })
  expect(await response.text()).toContain('"__proto__":{"polluted":1}')
  for (const path of ['/cache/stats', '/cache/entries', '/cache/savings?by=__proto__']) await ask(url + path, { headers })
  expect(Object.hasOwn(cache.stats(), 'polluted')).toBe(false)
  expect('polluted' in {}).toBe(false)
})

it('gives nothing of the machine for paths that reach for it', async () => {
  const { url, as } = await guarded()
  const headers = await as('acme', 'admin')
  for (const path of [
    '/api/v1/cache/..%2f..%2fetc%2fpasswd',
    '/api/v1/cache/%2e%2e/%2e%2e/metrics',
    '/api/v1/cache/tenant/..%2fother',
    '/api/v1/cache//etc/passwd',
    '/cache/entries/..%2f..%2fmetrics',
    '/cache/%2e%2e/metrics',
    '//metrics',
    '/%6detrics',
    '/METRICS',
    '/metrics/',
    '/metrics%00',
    '/api/v1/cache/%ff%fe',
    '/api/v1/cache/%',
  ]) {
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await ask(url + path, { headers, method })
      expect([200, 400, 403, 404]).toContain(status)
      // A DELETE of what is not there says so.
      expect([path, status === 200 && Object(body).deleted !== false]).toEqual([path, false])
      expect(JSON.stringify(body)).not.toMatch(/root:|llmemo_hits/)
    }
  }
  expect((await post(`${url}/cache/query`, { prompt: 'a' }, headers)).status).toBe(404)
})

/** Sends a body in chunks, without its length. */
async function chunked(url: string, headers: Record<string, string>, chunks: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', headers: { ...headers, connection: 'close' } }, (response) => {
      void text(response).then(() => resolve(response.statusCode), reject)
    })
    sending.on('error', reject)
    for (let count = 0; count < chunks; count++) sending.write('x'.repeat(200))
    sending.end()
  })
}

/**
 * The Worker of examples/deploy/cloudflare in Node.js, over a stand-in of KV that can be down. In workerd itself it is run by
 * `npm run test:runtimes`.
 */
import { expect, it, onTestFinished, vi } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { startProvider } from '../../../test/support/provider-server.ts'
import { answering } from '../support/lambda/surroundings.ts'
import { question } from '../support/provider.ts'
import { tokenIssuer } from '../support/token-issuer.ts'

/** What Cloudflare calls. */
interface Worker {
  fetch(request: Request, env: object, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response>
}

const entry = new URL('../../../examples/deploy/cloudflare/worker.js', import.meta.url).href

/** KV as the Worker sees it. Source: https://developers.cloudflare.com/kv/api/ */
function namespace() {
  const values = new Map<string, Uint8Array>()
  const kv = {
    isDown: false,
    shortest: Infinity,
    get size(): number {
      return values.size
    },
    async get(key: string, type: string): Promise<ArrayBuffer | null> {
      kv.assertUp()
      expect(type).toBe('arrayBuffer')
      return values.get(key)?.slice().buffer ?? null
    },
    async put(key: string, value: Uint8Array, { expirationTtl: seconds }: { expirationTtl: number }): Promise<void> {
      kv.assertUp()
      // KV refuses less than a minute, and keys of more than 512 bytes.
      if (!Number.isInteger(seconds) || seconds < 60) throw new Error('KV PUT failed: 400 Invalid expiration_ttl')
      if (Buffer.byteLength(key) > 512) throw new Error('KV PUT failed: 414 UTF-8 encoded length exceeds key length limit of 512')
      kv.shortest = Math.min(kv.shortest, seconds)
      values.set(key, Uint8Array.from(value))
    },
    async delete(key: string): Promise<void> {
      kv.assertUp()
      values.delete(key)
    },
    assertUp(): void {
      if (kv.isDown) throw new Error('KV GET failed: 500 Internal Server Error')
    },
  }
  return kv
}

/** What a client sees of an answer. */
async function seen(response: Response): Promise<unknown> {
  return [response.headers.get('x-llmemo-source'), await response.json()]
}

it('misses, hits, streams, goes past the cache and refuses as a Worker, and answers while KV is down', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const provider = await startProvider(answering)
  onTestFinished(() => provider.close())
  const issuer = await tokenIssuer()
  const kv = namespace()
  const env = {
    ANSWERS: kv,
    JWT_JWKS: issuer.settings.jwks,
    JWT_ISSUER: issuer.settings.issuer,
    JWT_AUDIENCE: issuer.settings.audience,
    // An address in digits would be refused as private.
    UPSTREAM_OPENAI: provider.url.replace('127.0.0.1', 'localhost'),
  }
  const { default: worker }: { default: Worker } = await import(entry)
  const token = await issuer.token()
  const ask = async (text: string, headers: Record<string, string> = {}, path = '/openai/v1/chat/completions'): Promise<Response> => {
    const waited: Promise<unknown>[] = []
    const given = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-api-key': 'sk-test',
      'cf-connecting-ip': '203.0.113.9',
    }
    const request = new Request(`https://gateway.example${path}`, { method: 'POST', headers: { ...given, ...headers }, body: text })
    const response = await worker.fetch(request, env, { waitUntil: (work) => void waited.push(work) })
    const body = await response.arrayBuffer()
    // Cloudflare lets it go on after the response has ended.
    await Promise.all(waited)
    return new Response(body, response)
  }
  expect(await seen(await ask(question()))).toEqual(['origin', completion('Rayleigh.')])
  expect(kv.size).toBeGreaterThan(0)
  expect(kv.shortest).toBeGreaterThanOrEqual(60)
  expect(await seen(await ask(question()))).toEqual(['kv', completion('Rayleigh.')])
  const streamed = JSON.stringify({ ...JSON.parse(question('Streamed?')), stream: true })
  const [first, second] = [await ask(streamed), await ask(streamed)]
  expect([first, second].map(({ headers }) => headers.get('x-llmemo-source'))).toEqual(['origin', 'kv'])
  expect(await second.text()).toMatch(/\[DONE\]\s+$/)
  expect(await seen(await ask(question(), { 'cache-control': 'no-store' }))).toEqual(['origin', completion('Rayleigh.')])
  // Kept for less than KV keeps anything: the entry itself says when it ends.
  expect((await ask(question('Short?'), { 'x-llmemo-ttl': '5s' })).status).toBe(200)
  const refused = [
    await ask(question(), { authorization: 'Bearer none' }),
    await ask('{}', {}, '/none'),
    await ask('{', {}, '/cache/query'),
  ]
  expect(refused.map(({ status }) => status)).toEqual([401, 404, 400])
  const calls = provider.requests.length
  kv.isDown = true
  expect(await seen(await ask(question()))).toEqual(['origin', completion('Rayleigh.')])
  const whileDown = await ask(streamed)
  expect([whileDown.status, await whileDown.text()]).toEqual([200, expect.stringMatching(/\[DONE\]\s+$/)])
  kv.isDown = false
  expect(await seen(await ask(question()))).toEqual(['kv', completion('Rayleigh.')])
  expect(provider.requests).toHaveLength(calls + 2)
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('"kv" is not answering'))
})

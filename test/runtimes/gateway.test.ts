/**
 * examples/deploy/cloudflare in workerd, over its KV, in front of a stand-in provider.
 */
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'
import { tokenIssuer } from '../../gateway/test/support/token-issuer.ts'
import { inRepository } from '../deploy/artefacts.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'
import { startProvider } from '../support/provider-server.ts'

/** The part of miniflare that is used. Its types are not there before its suite has run. */
interface Miniflare {
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>
  dispose(): Promise<void>
}
const load = createRequire(import.meta.url)

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [inRepository('examples/deploy/cloudflare/worker.js')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['workerd', 'worker', 'import'],
    logLevel: 'error',
    // Packages that are CommonJS ask for the modules of Node.js by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/')" },
  })
  return outputFiles[0]?.text ?? ''
}

it('serves as a Worker: refuses, misses, hits across requests, streams and goes past the cache', async () => {
  const { Miniflare: Workers }: { Miniflare: new (options: object) => Miniflare } = load('miniflare')
  const provider = await startProvider(({ body }, reply) =>
    Object(body).stream === true ? reply.events(chunksOf('Rayleigh.').flat()) : reply.json(completion('Rayleigh.')),
  )
  const issuer = await tokenIssuer()
  const {
    compatibility_date: compatibilityDate,
    compatibility_flags: compatibilityFlags,
    kv_namespaces: namespaces,
  } = load(inRepository('examples/deploy/cloudflare/wrangler.json'))
  const workers = new Workers({
    modules: true,
    script: await bundled(),
    compatibilityDate,
    compatibilityFlags,
    kvNamespaces: namespaces.map(({ binding }: { binding: string }) => binding),
    bindings: {
      JWT_JWKS: issuer.settings.jwks,
      JWT_ISSUER: issuer.settings.issuer,
      JWT_AUDIENCE: issuer.settings.audience,
      UPSTREAM_OPENAI: provider.url.replace('127.0.0.1', 'localhost'),
    },
  })
  onTestFinished(async () => {
    await workers.dispose()
    await provider.close()
  })
  const token = await issuer.token()
  const ask = async (content: string, headers: Record<string, string> = {}, more: object = {}): Promise<Response> =>
    workers.dispatchFetch('http://gateway/openai/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-api-key': 'sk-test', ...headers },
      body: JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content }], ...more }),
    })
  expect((await workers.dispatchFetch('http://gateway/health')).status).toBe(200)
  expect((await workers.dispatchFetch('http://gateway/ready')).status).toBe(200)
  expect((await ask('Why?', { authorization: 'Bearer none' })).status).toBe(401)
  const seen: (string | null)[] = []
  for (const headers of [{}, {}, { 'cache-control': 'no-store' }]) {
    const response = await ask('Why?', headers)
    seen.push(response.headers.get('x-llmemo-source'))
    expect(await response.json()).toEqual(completion('Rayleigh.'))
  }
  expect(seen).toEqual(['origin', 'kv', 'origin'])
  const text = await (await ask('Streamed?', {}, { stream: true })).text()
  expect(text).toMatch(/\[DONE\]\s+$/)
  const again = await ask('Streamed?', {}, { stream: true })
  expect([again.headers.get('x-llmemo-source'), await again.text()]).toEqual(['kv', text])
  expect(provider.requests).toHaveLength(3)
})

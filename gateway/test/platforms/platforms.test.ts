/**
 * The entries of examples/deploy, each run by its platform's own package or server, over a DynamoDB, in front of a stand-in provider.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { app, HttpRequest, HttpResponse } from '@azure/functions'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { getRequestListener } from '@hono/node-server'
import type { Store } from 'llmemo'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import { completion } from '../../../test/support/openai-answers.ts'
import { surroundings } from '../support/lambda/surroundings.ts'
import { question } from '../support/provider.ts'
import { tokenIssuer } from '../support/token-issuer.ts'

const deploy = new URL('../../../examples/deploy/', import.meta.url)

/** Sends a request to an entry. */
type Send = (path: string, init: RequestInit) => Promise<Response>
type Env = Readonly<Record<string, string>>

/** Loads an entry anew, with its variables in the environment. */
async function load(path: string, env: Env): Promise<Record<string, unknown>> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  vi.resetModules()
  return { ...(await import(new URL(path, deploy).href)) }
}

async function urlOf(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens at a port
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What an entry in the form of the web exports. */
function webHandler(entry: Record<string, unknown>): { fetch(request: Request, env?: Env): Promise<Response> } {
  const { default: made } = entry
  if (typeof made !== 'object' || made === null || !('fetch' in made)) throw new TypeError('the entry has no fetch')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the platform calls
  return made as ReturnType<typeof webHandler>
}

async function cloudRun(env: Env): Promise<Send> {
  const { spec } = parse(readFileSync(new URL('cloud-run/service.yaml', deploy), 'utf8')).spec.template
  const [{ env: given }]: [{ env: { name: string; value?: string }[] }] = spec.containers
  const own = Object.fromEntries(given.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
  const program = new URL('../../dist/bin.mjs', import.meta.url).pathname
  // Cloud Run says by PORT where to listen.
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'] ?? '', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...own, ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        const [, port] = /http:\/\/[\d.]+:(\d+)/.exec(printed) ?? []
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
      })
    }
    child.once('exit', () => reject(new Error(printed)))
  })
  return (path, init) => fetch(url + path, init)
}

async function cloudFunctions(env: Env): Promise<Send> {
  await load('cloud-functions/index.js', env)
  const url = await urlOf(getTestServer('gateway'))
  return (path, init) => fetch(url + path, { ...init, headers: { ...Object(init.headers), 'x-forwarded-for': '203.0.113.9' } })
}

async function azureFunctions(env: Env): Promise<Send> {
  vi.spyOn(console, 'warn').mockReturnValue()
  const registered = vi.spyOn(app, 'http')
  const { handle } = await load('azure-functions/src/gateway.js', env)
  if (typeof handle !== 'function') throw new TypeError('the entry has no handler')
  const [, { methods = [], route }] = registered.mock.calls[0] ?? ['', { methods: [], handler: () => undefined }]
  expect(route).toBe('{*path}')
  return async (path, init) => {
    const { method = 'GET', headers = {}, body } = init
    // What the host would answer itself.
    if (!methods.some((each) => each === method)) return new Response(null, { status: 404 })
    const made = { method, url: `https://gateway.azurewebsites.net${path}`, headers: { ...Object(headers) } }
    const request = new HttpRequest({ ...made, ...(typeof body === 'string' && { body: { string: body } }) })
    const { status, headers: answered, body: stream } = new HttpResponse(await handle(request))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both are streams of the web
    return new Response(stream as ReadableStream, { status, headers: [...answered] })
  }
}

async function vercel(env: Env): Promise<Send> {
  const entry = webHandler(await load('vercel/api/gateway.js', env))
  const listener = getRequestListener((request) => entry.fetch(request), { overrideGlobalObjects: false })
  const url = await urlOf(createServer((incoming, outgoing) => void listener(incoming, outgoing)))
  return (path, init) => fetch(url + path, init)
}

/** The keys of the answers in a store. */
async function keysIn(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys?.('llmemo/:v1:') ?? []) keys.push(key)
  return keys
}

it('ends the body of an answer though the store takes connections and never answers', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { env } = await surroundings()
  const issuer = await tokenIssuer()
  const silent = createTcpServer(() => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens at a port
  const { port } = silent.address() as AddressInfo
  const { jwks, issuer: name, audience } = issuer.settings
  const tokens = { LLMEMO_JWT_JWKS: jwks, LLMEMO_JWT_ISSUER: name, LLMEMO_JWT_AUDIENCE: audience }
  const send = await vercel({ ...env, ...tokens, CACHE_STORE: `redis://127.0.0.1:${port}` })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await issuer.token()}`, 'x-api-key': 'sk-test' }
  for (const source of ['origin', 'memory']) {
    const response = await send('/openai/v1/chat/completions', { method: 'POST', body: question(), headers })
    expect([response.headers.get('x-llmemo-source'), await response.json()]).toEqual([source, completion('Rayleigh.')])
  }
})

describe.each([
  { name: 'Cloud Run', open: cloudRun, stops: false },
  { name: 'Cloud Functions', open: cloudFunctions, stops: true },
  { name: 'Azure Functions', open: azureFunctions, stops: true },
  { name: 'Vercel, behind a server of Node.js', open: vercel, stops: true },
])('the entry for $name', ({ open, stops }) => {
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }

  it('misses, hits, streams, goes past the cache, and refuses', async () => {
    const { env, key, provider, store } = await surroundings()
    const send = await open({ ...credentials, ...env })
    const post = async (body: string, headers: Env = {}, path = '/openai/v1/chat/completions'): Promise<Response> =>
      send(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', 'x-llmemo-api-key': key, ...headers },
      })
    const miss = await post(question())
    expect([miss.status, miss.headers.get('x-llmemo-source')]).toEqual([200, 'origin'])
    expect(await miss.json()).toEqual(completion('Rayleigh.'))
    // A process that goes on writes behind the answer; where it may be stopped, the store had it when the body ended.
    expect((await keysIn(store)).length).toBeGreaterThanOrEqual(stops ? 1 : 0)
    const hit = await post(question())
    expect([hit.headers.get('x-llmemo-source'), await hit.json()]).toEqual(['memory', completion('Rayleigh.')])
    const streamed = JSON.stringify({ ...JSON.parse(question('Another?')), stream: true })
    const stream = await post(streamed)
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = await stream.text()
    expect(events).toMatch(/\[DONE\]\s+$/)
    const again = await post(streamed)
    expect([again.headers.get('x-llmemo-source'), await again.text()]).toEqual(['memory', events])
    const past = await post(question(), { 'cache-control': 'no-store' })
    expect([past.headers.get('x-llmemo-source'), await past.json()]).toEqual(['origin', completion('Rayleigh.')])
    expect(provider.requests).toHaveLength(3)
    const [wrong, none, unreadable] = [
      await post(question(), { 'x-llmemo-api-key': 'llm_wrong' }),
      await post('{}', {}, '/none'),
      await post('{', {}, '/cache/query'),
    ]
    expect([wrong.status, none.status, unreadable.status]).toEqual([401, 404, 400])
  })

  it('hands on each method that a provider may have, and a body of bytes', async () => {
    const bytes = Uint8Array.of(0, 255, 10)
    const { env, key, provider } = await surroundings((request, reply) =>
      request.method === 'GET' ? reply.bytes(bytes) : reply.json({ method: request.method }),
    )
    const send = await open({ ...credentials, ...env })
    const headers = { authorization: 'Bearer sk-test', 'x-llmemo-api-key': key }
    const withBody = { headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const response = await send('/openai/v1/files/a', { method, ...(method === 'DELETE' ? { headers } : withBody) })
      expect([response.status, await response.json()]).toEqual([200, { method }])
    }
    const file = await send('/openai/v1/files/a/content', { method: 'GET', headers })
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(bytes)
    const head = await send('/openai/v1/models', { method: 'HEAD', headers })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(provider.requests.map(({ method }) => method)).toEqual(['PUT', 'PATCH', 'DELETE', 'GET', 'HEAD'])
  })

  it('answers while the store is down', async () => {
    const { env, key, store, stopStore } = await surroundings()
    const send = await open({ ...credentials, ...env })
    const ask = async (text: string, more: object = {}): Promise<Response> =>
      send('/openai/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify({ ...JSON.parse(question(text)), ...more }),
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', 'x-llmemo-api-key': key },
      })
    expect(await (await ask('One?')).json()).toEqual(completion('Rayleigh.'))
    while ((await keysIn(store)).length === 0);
    await stopStore()
    const hit = await ask('One?')
    expect([hit.headers.get('x-llmemo-source'), await hit.json()]).toEqual(['memory', completion('Rayleigh.')])
    expect(await (await ask('Two?')).json()).toEqual(completion('Rayleigh.'))
    expect(await (await ask('Three?', { stream: true })).text()).toMatch(/\[DONE\]\s+$/)
  })
})

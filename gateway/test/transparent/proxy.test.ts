import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { listening } from '../support/listening.ts'
import { ask, gatewayOver, question } from '../support/provider.ts'

describe('what is not cacheable', () => {
  it('passes through untouched, each time', async () => {
    const { provider, url } = await gatewayOver((_request, reply) => reply.json({ data: [] }, { headers: { 'x-models': '0' } }))
    for (const _ of [1, 2]) {
      const response = await fetch(`${url}/openai/v1/models?limit=5`, { headers: { authorization: 'Bearer sk-test' } })
      expect(await response.json()).toEqual({ data: [] })
      expect(response.headers.get('x-models')).toBe('0')
      expect(response.headers.get('cache-status')).toBe('llmemo; fwd=bypass')
    }
    expect(provider.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models?limit=5', 'GET /v1/models?limit=5'])
  })

  it('is uploaded as a stream, byte for byte', async () => {
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new File([new Uint8Array(300_000).fill(7)], 'a.bin'))
    const seen: { type: string | undefined; bytes: number }[] = []
    const upstream = createServer((request, response) => {
      let bytes = 0
      request.on('data', (chunk: Buffer) => (bytes += chunk.byteLength))
      request.on('end', () => {
        seen.push({ type: request.headers['content-type'], bytes })
        response.end('{"id":"file-1"}')
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void upstream.close())
    await once(upstream, 'listening')
    // A server that listens at a port has an address of this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { port } = upstream.address() as AddressInfo
    const { url } = await listening({ upstreams: { openai: `http://127.0.0.1:${port}/v1` }, privateHosts: ['127.0.0.1'] })
    const sent = new Request(`${url}/openai/v1/files`, { method: 'POST', body: form })
    const length = (await sent.clone().arrayBuffer()).byteLength
    expect(await (await fetch(sent)).json()).toEqual({ id: 'file-1' })
    expect(seen).toEqual([{ type: sent.headers.get('content-type'), bytes: length }])
  })

  it('keeps the form of the provider in its errors', async () => {
    const error = { error: { message: 'No such model.', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } }
    const { url } = await gatewayOver((_request, reply) => reply.json(error, { status: 404, headers: { 'x-request-id': 'req_1' } }))
    const response = await ask(url)
    expect(response.status).toBe(404)
    expect(response.headers.get('x-request-id')).toBe('req_1')
    expect(await response.json()).toEqual(error)
  })

  it('ends at the provider when the client goes away', async () => {
    const [head] = chunksOf('Rayleigh.')
    const { provider, url } = await gatewayOver((_request, reply) => reply.events(head, { end: 'never' }))
    const body = JSON.stringify({ ...JSON.parse(question()), stream: true })
    const gone = new AbortController()
    const response = await fetch(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
      signal: gone.signal,
    })
    const reader = response.body?.getReader()
    await reader?.read()
    gone.abort()
    await provider.untilAborted(1)
    expect(provider.aborted).toBe(1)
  })

  it('holds the provider up when the client does not read', async () => {
    const chunk = new Uint8Array(64 * 1024)
    let written = 0
    const stopped = Promise.withResolvers<void>()
    const upstream = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      const more = (): void => {
        while (written < 256 * 1024 * 1024) {
          written += chunk.byteLength
          if (!response.write(chunk)) {
            response.once('drain', more)
            // Whatever can still flow without the client flows within some turns of the loop.
            setTimeout(() => stopped.resolve(), 500)
            return
          }
        }
        response.end()
      }
      more()
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void upstream.close())
    onTestFinished(() => upstream.closeAllConnections())
    await once(upstream, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const { port } = upstream.address() as AddressInfo
    const { url } = await listening({ upstreams: { openai: `http://127.0.0.1:${port}/v1` }, privateHosts: ['127.0.0.1'] })
    const response = await fetch(`${url}/openai/v1/files/file-1/content`)
    await stopped.promise
    expect(written).toBeLessThan(64 * 1024 * 1024)
    await response.body?.cancel()
  })

  it('is a clear error for a WebSocket', async () => {
    const { provider, url } = await gatewayOver()
    const { host } = new URL(url)
    const { request } = await import('node:http')
    const upgrade = request(`http://${host}/openai/v1/realtime`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      },
    }).end()
    const [response]: unknown[] = await once(upgrade, 'response')
    expect(response).toHaveProperty('statusCode', 501)
    upgrade.destroy()
    expect(provider.requests).toEqual([])
  })
})

describe('the upstream', () => {
  it('may compress though it is asked not to', async () => {
    const answer = gzipSync(JSON.stringify(completion('Zipped.')))
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const { provider, url } = await gatewayOver((_request, reply) => reply.bytes(answer, { headers }))
    for (const _ of [1, 2]) expect(await (await ask(url)).json()).toEqual(completion('Zipped.'))
    expect(provider.requests).toHaveLength(1)
  })

  it('is an error in the form of each provider when it cannot be reached', async () => {
    const base = 'http://127.0.0.1:1'
    const upstreams = { openai: base, anthropic: base, gemini: base, bedrock: base, other: base }
    const { url } = await listening({ upstreams, privateHosts: ['127.0.0.1'] })
    const bodyOf = async (path: string): Promise<unknown> => {
      const response = await fetch(url + path)
      expect(response.status).toBe(502)
      return response.json()
    }
    expect(await bodyOf('/openai/v1/models')).toMatchObject({ error: { type: 'server_error', code: 'upstream_failed' } })
    expect(await bodyOf('/anthropic/v1/models')).toMatchObject({ type: 'error', error: { type: 'api_error' } })
    expect(await bodyOf('/gemini/v1beta/models')).toMatchObject({ error: { code: 502, status: 'UNAVAILABLE' } })
    expect(await bodyOf('/bedrock/model/a/none')).toEqual({ message: expect.stringContaining('"bedrock"') })
    expect(await bodyOf('/up/other/models')).toMatchObject({ error: { message: expect.stringContaining('"other"') } })
  })

  it('is an error, and its connection ends, when its answer has a status that is none', async () => {
    const left = Promise.withResolvers<void>()
    const upstream = createNetServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 999 Odd\r\ncontent-length: 1000000\r\n\r\nbegun'))
      socket.on('error', () => undefined).once('close', () => left.resolve())
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void upstream.close())
    await once(upstream, 'listening')
    const port = Reflect.get(Object(upstream.address()), 'port')
    const { url } = await listening({ upstreams: { openai: `http://127.0.0.1:${port}/v1` }, privateHosts: ['127.0.0.1'] })
    expect((await ask(url)).status).toBe(502)
    await left.promise
    expect((await fetch(`${url}/openai/v1/models`)).status).toBe(502)
  })

  it('is not asked twice what it may have read, when a kept connection breaks', async () => {
    let calls = 0
    const { provider, url } = await gatewayOver((_request, reply) => (++calls === 2 ? reply.reset() : reply.json(completion('Again.'))))
    await (await ask(url, {}, question('1'))).text()
    const failed = await ask(url, {}, question('2'))
    // SDKs ask again after this status.
    expect([failed.status, failed.headers.get('x-should-retry')]).toEqual([502, null])
    expect(provider.requests).toHaveLength(2)
    expect((await ask(url, {}, question('2'))).status).toBe(200)
  })

  it('is asked again for what only reads, when a kept connection breaks', async () => {
    let calls = 0
    const { provider, url } = await gatewayOver((_request, reply) => (++calls === 2 ? reply.reset() : reply.json({ data: [] })))
    for (const _ of [1, 2]) expect((await fetch(`${url}/openai/v1/models`)).status).toBe(200)
    expect(provider.requests).toHaveLength(3)
  })

  it('gets the key that the gateway owns, and not the one of the client', async () => {
    const keys = { openai: { default: 'sk-owned', tenants: {} } }
    const { provider, url } = await gatewayOver(undefined, { keys })
    await (await ask(url, { cookie: 'session=1', 'x-api-key': 'sk-other' })).text()
    const { authorization, cookie, 'x-api-key': other } = provider.requests[0]?.headers ?? {}
    expect([authorization, cookie, other]).toEqual(['Bearer sk-owned', undefined, undefined])
  })
})

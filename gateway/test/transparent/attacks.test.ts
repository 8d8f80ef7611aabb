/**
 * What an attacker may send: it is refused, nothing leaks, and the gateway stays up.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createCache } from 'llmemo'
import { createGateway } from 'llmemo-gateway'
import { describe, expect, it, onTestFinished } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { startProvider } from '../../../test/support/provider-server.ts'
import { localAdmin } from '../../src/caller.ts'
import { transparentGateway } from '../../src/transparent/gateway.ts'
import { isPrivateAddress } from '../../src/transparent/private-address.ts'
import { contextOf } from '../support/context.ts'
import { listening } from '../support/listening.ts'
import { ask, gatewayOver, question } from '../support/provider.ts'

/** Sends text as it is. @returns all that came back until the gateway closed the connection */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  let got = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (got += chunk))
  socket.write(text)
  await once(socket, 'close')
  return got
}

const head = 'POST /openai/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'

describe('a request that two servers may read differently', () => {
  it.each([
    ['both lengths', `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /ready HTTP/1.1\r\n\r\n`],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}`],
    ['a space before the colon', `${head}Content-Length : 2\r\n\r\n{}`],
    ['a folded header', `${head}X-A: a\r\n b\r\nContent-Length: 2\r\n\r\n{}`],
    ['an unknown coding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ])('is refused: %s', async (_name, text) => {
    const { provider, url } = await gatewayOver()
    const got = await raw(url, text)
    expect(got.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect(provider.requests).toEqual([])
  })
})

describe('headers', () => {
  it('of the way here reach no provider and make no other key', async () => {
    const provider = await startProvider((_request, reply) => reply.json(completion('Rayleigh.')))
    onTestFinished(() => provider.close())
    // Past the door, which takes no forwarded request while there is no key.
    const transparent = transparentGateway(contextOf({ upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] }))
    const given = { 'content-type': 'application/json', authorization: 'Bearer sk-test' }
    const askBy = async (headers: Readonly<Record<string, string>>): Promise<Headers | undefined> => {
      const sent = { method: 'POST', body: question(), headers: { ...given, ...headers } }
      const response = await transparent.answer(new Request('http://gateway/openai/v1/chat/completions', sent), localAdmin)
      await response?.text()
      return response?.headers
    }
    await askBy({})
    const way = {
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=10.0.0.1',
      via: '1.1 proxy',
      'x-real-ip': '10.0.0.1',
      'accept-language': 'fr',
      'x-envoy-attempt-count': '1',
      'cf-connecting-ip': '10.0.0.1',
      'x-tenant-id': 'other',
      priority: 'u=1',
      'proxy-authorization': 'Basic c2VjcmV0',
    }
    expect((await askBy(way))?.get('x-llmemo-source')).toBe('memory')
    await askBy({ ...way, 'cache-control': 'no-store' })
    const names = Object.keys(provider.requests[1]?.headers ?? {})
    expect(names.filter((name) => name in way)).toEqual([])
  })

  it('that connection names are for this connection only', async () => {
    const { provider, url } = await gatewayOver()
    const body = question()
    const text = `${head}Connection: close, X-Secret\r\nX-Secret: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    expect(await raw(url, text)).toContain('HTTP/1.1 200')
    expect(provider.requests[0]?.headers).not.toHaveProperty('x-secret')
  })

  it('of an upstream cannot speak for the cache or end the connection', async () => {
    const { url } = await gatewayOver((_request, reply) =>
      reply.json(
        { data: [] },
        { headers: { connection: 'x-hop', 'x-hop': '1', 'set-cookie': 'a=1', 'x-llmemo-source': 'memory', 'keep-alive': 'timeout=1' } },
      ),
    )
    const response = await fetch(`${url}/openai/v1/models`)
    for (const name of ['x-hop', 'set-cookie', 'x-llmemo-source']) expect(response.headers.get(name)).toBeNull()
  })
})

describe('a method that makes an upstream send back what it got', () => {
  it('does not give away the key that the gateway owns', async () => {
    const keys = { openai: { default: 'sk-owned', tenants: {} } }
    const { provider, url } = await gatewayOver(({ headers }, reply) => reply.json(headers), { keys })
    const got = await raw(url, 'TRACE /openai/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    expect(got).toContain('HTTP/1.1 405')
    expect(got).not.toContain('sk-owned')
    expect(provider.requests).toEqual([])
  })
})

describe('a body', () => {
  it('that is too large is refused, with a declared length and without', async () => {
    const { provider, url } = await gatewayOver(undefined, { limits: { bodyBytes: 1_000 } })
    const declared = await ask(url, {}, question('a'.repeat(1_000)))
    expect(declared.status).toBe(413)
    expect(await declared.json()).toMatchObject({ error: { code: 'body_too_large' } })
    const chunks = Array.from({ length: 10 }, () => '1f4\r\n' + 'a'.repeat(500) + '\r\n').join('')
    expect(await raw(url, `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)).toContain('HTTP/1.1 413')
    const upload = `POST /openai/v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
    expect(await raw(url, upload)).toContain('HTTP/1.1 413')
    expect(provider.requests).toEqual([])
    expect((await ask(url)).status).toBe(200)
  })

  it('of 100,000 nested arrays goes to the provider, which may judge it', async () => {
    const { provider, url } = await gatewayOver((_request, reply) => reply.json({ error: { message: 'Too deep.' } }, { status: 400 }))
    const nested = `{"model":"gpt-test","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect((await ask(url, {}, nested)).status).toBe(400)
    expect(provider.requests).toHaveLength(1)
  })
})

describe('an upstream', () => {
  it.each(['/openai/v1/..%2f..%2fadmin', '/openai/v1/%2e%2e%5cadmin', '/openai/v1/a/..%252fadmin', '/openai/v1/..%5c..'])(
    'is not left by %s',
    async (path) => {
      const { provider, url } = await gatewayOver()
      const got = await raw(url, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
      expect(got).toContain('HTTP/1.1 400')
      expect(provider.requests).toEqual([])
    },
  )

  it.each([
    '/up/http:%2f%2f127.0.0.1',
    '/up/none/models',
    '/openai/v1@127.0.0.1/a',
    '/openai/v1.evil.example/a',
    '/up/__proto__/a',
    '//evil.example/a',
  ])('is not made by the path %s', async (path) => {
    const { provider, url } = await gatewayOver()
    expect(await raw(url, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)).toContain('HTTP/1.1 404')
    expect(provider.requests).toEqual([])
  })

  it.each(['http://127.0.0.1', 'http://[::1]', 'http://[::ffff:127.0.0.1]', 'http://localhost', 'http://0x7f000001', 'http://2130706433'])(
    'at %s is refused unless it is named',
    async (host) => {
      const provider = await startProvider()
      onTestFinished(() => provider.close())
      const base = `${host}:${new URL(provider.url).port}`
      const { url } = await listening({ upstreams: { other: base } })
      const response = await fetch(`${url}/up/other/models`)
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('private address') } })
      expect(provider.requests).toEqual([])
    },
  )

  it('that redirects leads nowhere: the client gets the redirect', async () => {
    const target = await startProvider()
    onTestFinished(() => target.close())
    const { url } = await gatewayOver((_request, reply) => reply.text('', { status: 307, headers: { location: `${target.url}/internal` } }))
    const response = await fetch(`${url}/openai/v1/models`, { redirect: 'manual' })
    expect(response.status).toBe(307)
    expect(target.requests).toEqual([])
  })

  it.each([
    '10.1.2.3',
    '169.254.169.254',
    '192.168.0.1',
    '172.31.255.255',
    '::ffff:10.0.0.1',
    'fd00::1',
    'fe80::1',
    '100.64.0.1',
    '0.0.0.0',
  ])('has a private address: %s', (address) => expect(isPrivateAddress(address)).toBe(true))
  it.each(['1.1.1.1', '172.32.0.1', '2606:4700::1111', 'api.openai.com'])('has a public address: %s', (address) =>
    expect(isPrivateAddress(address)).toBe(false),
  )
})

describe('a caller without the right to it', () => {
  it('chooses no scope', async () => {
    const gateway = createGateway()
    onTestFinished(() => gateway.close())
    const transparent = transparentGateway(contextOf())
    const request = new Request('http://gateway/openai/v1/models', { headers: { 'x-llmemo-scope': 'other' } })
    const response = await transparent.answer(request, { id: 'key', tenant: 'own', roles: new Set(['read', 'write']) })
    expect(response?.status).toBe(403)
  })

  it('shares no answer with another tenant, whatever provider key it sends', async () => {
    const provider = await startProvider((_request, reply) => reply.json(completion('Secret.')))
    onTestFinished(() => provider.close())
    const transparent = transparentGateway(contextOf({ upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] }, createCache()))
    for (const tenant of ['a', 'b', 'a', 'b']) {
      const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-same' }
      const request = new Request('http://gateway/openai/v1/chat/completions', { method: 'POST', body: question(), headers })
      await (await transparent.answer(request, { id: tenant, tenant, roles: new Set(['read', 'write']) }))?.text()
    }
    expect(provider.requests).toHaveLength(2)
  })
})

describe('a slow client', () => {
  it.each([
    ['that never says anything', ''],
    ['whose head does not end', 'POST /openai/v1/chat/completions HTTP/1.1\r\nHost: '],
    ['whose body does not end', `${head}Content-Length: 100\r\n\r\n{`],
  ])('%s is cut off, and others are served meanwhile', async (_name, text) => {
    const { url } = await gatewayOver(undefined, { limits: { head: 0.2, request: 0.5 } })
    const slow = raw(url, text)
    expect((await ask(url)).status).toBe(200)
    expect(await slow).toMatch(/^$|^HTTP\/1\.1 408/)
  })
})

describe('resets', () => {
  it('at any moment leave the gateway up', async () => {
    const { url } = await gatewayOver()
    const { hostname, port } = new URL(url)
    const body = question()
    const whole = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
    for (let cut = 0; cut <= whole.length; cut += 7) {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(whole.slice(0, cut))
      socket.resetAndDestroy()
    }
    const upgrade = 'GET /openai/v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    for (const text of [upgrade, preface, preface.slice(0, 5), `${preface}\0\0\0\0\0\0\0\0\0garbage`]) {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(text)
      socket.resetAndDestroy()
    }
    expect((await ask(url)).status).toBe(200)
  })
})

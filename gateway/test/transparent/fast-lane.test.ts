import { once } from 'node:events'
import { createServer } from 'node:http'
import { createCache } from 'llmemo'
import { ManualClock } from 'llmemo/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import * as write from '../../src/transparent/write-response.ts'
import * as stored from '../../src/transparent/write-stored.ts'
import { guarded, type Guarded } from '../support/guarded.ts'
import { listening } from '../support/listening.ts'
import { ask, gatewayOver, question } from '../support/provider.ts'

/** The requests that the lane has taken and asked the cache's `fetch` for, and those that it has answered out of memory. */
const asked = vi.spyOn(write, 'writeResponse')
const written = vi.spyOn(stored, 'writeStored')
vi.mock('../../src/transparent/write-response.ts', { spy: true })
vi.mock('../../src/transparent/write-stored.ts', { spy: true })
const taken = (): number => asked.mock.calls.length + written.mock.calls.length
beforeEach(() => {
  asked.mockClear()
  written.mockClear()
})

async function guardedOver(handler?: ProviderHandler, clock?: ManualClock): Promise<Guarded & { readonly provider: ProviderServer }> {
  const provider = await startProvider(handler ?? ((_request, reply) => reply.json(completion(`answer ${provider.requests.length}`))))
  onTestFinished(() => provider.close())
  const options = { upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] }
  return { ...(await guarded({ cache: createCache(), ...options, ...(clock && { clock }) })), provider }
}

const streamed = (content: string): string => JSON.stringify({ ...JSON.parse(question(content)), stream: true })

describe('a request whose like came a moment ago', () => {
  it('is answered the same, hit or miss, whole or streamed, and refused the same', async () => {
    const { url } = await gatewayOver(({ body }, reply) => {
      const text = JSON.stringify(body)
      if (text.includes('broken')) return reply.json({ error: { message: 'no' } }, { status: 400, headers: { 'x-request-id': 'r' } })
      return text.includes('"stream":true') ? reply.events(chunksOf('Rayleigh.').flat()) : reply.json(completion('Rayleigh.'))
    })
    const seen = async (body: string): Promise<object> => {
      const response = await ask(url, {}, body)
      const { date: _date, connection: _connection, 'keep-alive': _alive, ...headers } = Object.fromEntries(response.headers)
      return { status: response.status, statusText: response.statusText, headers, text: await response.text() }
    }
    for (const make of [question, streamed]) {
      for (const content of ['one', 'broken']) {
        const first = await seen(make(`${content} a`))
        const known = await seen(make(`${content} b`))
        expect(Object.assign(known, { headers: { ...Object(known).headers, 'x-llmemo-key': '' } })).toEqual(
          Object.assign(first, { headers: { ...Object(first).headers, 'x-llmemo-key': '' } }),
        )
      }
      const hit = await seen(make('one a'))
      expect(hit).toMatchObject({ status: 200, statusText: 'OK', headers: { 'x-llmemo-source': 'memory' } })
    }
    expect(taken()).toBeGreaterThanOrEqual(8)
  })

  it('G09 sends bytes that are no UTF-8 as they came, and takes no two of them for one', async () => {
    const seen: Buffer[] = []
    const provider = createServer((request, reply) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.once('end', () => {
        seen.push(Buffer.concat(chunks))
        reply.setHeader('content-type', 'application/json').end(JSON.stringify(completion('Rayleigh.')))
      })
    })
    await once(provider.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void provider.close())
    const openai = `http://127.0.0.1:${Reflect.get(Object(provider.address()), 'port')}/v1`
    const { url } = await listening({ cache: createCache(), upstreams: { openai }, privateHosts: ['127.0.0.1'] })
    const [before = '', after = ''] = question('?').split('?')
    const bodies = [0xff, 0xff, 0xfe].map((byte) => Buffer.concat([Buffer.from(before), Buffer.of(byte), Buffer.from(after)]))
    for (const body of bodies) expect((await ask(url, {}, body)).status).toBe(200)
    expect(seen).toEqual(bodies)
    expect(taken()).toBe(2)
  })

  it('is answered out of memory as by the cache itself, whole and streamed, also past ASCII', async () => {
    const { url, provider } = await gatewayOver(({ body }, reply) => {
      const text = 'Rayleigh – blau 🌌'
      return JSON.stringify(body).includes('"stream":true') ? reply.events(chunksOf(text).flat()) : reply.json(completion(text))
    })
    for (const body of [question(), streamed('Why?')]) {
      const seen: object[] = []
      for (let call = 0; call < 4; call++) {
        // By another head, each first one goes the long way.
        const response = await ask(url, call < 2 ? {} : { 'x-stainless-retry-count': '1' }, body)
        const text = await response.text()
        const { status, headers } = response
        const told = ['content-type', 'cache-status', 'x-llmemo-source', 'x-llmemo-key', 'x-llmemo-saved-usd', 'age']
        seen.push({ status, text, ...Object.fromEntries(told.map((name) => [name, headers.get(name)])) })
      }
      for (let call = 0; call < 2; call++) {
        const response = await ask(url, {}, body)
        const length = response.headers.get('content-length')
        expect(length).toBe(String(Buffer.byteLength(await response.text())))
      }
      const [origin, ...hits] = seen
      expect(new Set(hits.map((hit) => JSON.stringify(hit))).size).toBe(1)
      expect(hits[0]).toMatchObject({ text: Reflect.get(Object(origin), 'text'), 'x-llmemo-source': 'memory' })
    }
    expect(provider.requests).toHaveLength(2)
    expect(written.mock.results.map(({ value }) => value)).toEqual(Array.from({ length: written.mock.calls.length }, () => true))
    expect(written.mock.calls.length).toBeGreaterThanOrEqual(4)
  })

  it('is asked of the cache if an answer in memory has a header that cannot be sent', async () => {
    const { url } = await gatewayOver()
    for (let call = 0; call < 3; call++) await (await ask(url)).text()
    written.mockReturnValueOnce(false)
    const response = await ask(url)
    expect([response.status, response.headers.get('x-llmemo-source')]).toEqual([200, 'memory'])
    expect(asked).toHaveBeenCalled()
  })

  it('counts for the rate of its key each time', async () => {
    const { url, ring } = await guardedOver()
    const { key } = await ring.create({ roles: ['read', 'write'], tenant: 'acme', rate: '3/m' })
    const statuses: number[] = []
    for (let call = 0; call < 5; call++) statuses.push((await ask(url, { 'x-llmemo-api-key': key })).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect(taken()).toBe(0)
  })

  it('has no longer a key that was revoked', async () => {
    const clock = new ManualClock(Date.now())
    const { url, ring } = await guardedOver(undefined, clock)
    const { key, record } = await ring.create({ roles: ['read', 'write'], tenant: 'acme' })
    const status = async (): Promise<number> => (await ask(url, { 'x-llmemo-api-key': key })).status
    expect([await status(), await status()]).toEqual([200, 200])
    expect(taken()).toBe(1)
    await ring.revoke(record.id)
    clock.advance(10_001)
    expect(await status()).toBe(401)
  })

  it('has no longer a key that has expired', async () => {
    const clock = new ManualClock(Date.now())
    const { url, ring } = await guardedOver(undefined, clock)
    const { key } = await ring.create({ roles: ['read', 'write'], tenant: 'acme', validFor: 5_000 })
    const status = async (): Promise<number> => (await ask(url, { 'x-llmemo-api-key': key })).status
    expect([await status(), await status()]).toEqual([200, 200])
    clock.advance(6_001)
    expect(await status()).toBe(401)
  })

  it('gets nothing of another tenant, whose request differs by its key only', async () => {
    const { url, as, provider } = await guardedOver()
    const [acme, globex] = [await as('acme', 'read', 'write'), await as('globex', 'read', 'write')]
    const said = async (headers: Record<string, string>): Promise<unknown> => (await ask(url, headers)).json()
    for (let round = 0; round < 3; round++) {
      expect(await said(acme)).toEqual(completion('answer 1'))
      expect(await said(globex)).toEqual(completion('answer 2'))
    }
    expect(provider.requests).toHaveLength(2)
  })

  it('is steered by its headers as any other', async () => {
    const { url, provider } = await gatewayOver((_request, reply) => reply.json(completion(`answer ${provider.requests.length}`)))
    for (let call = 0; call < 3; call++) await (await ask(url)).text()
    for (let call = 0; call < 2; call++) await (await ask(url, { 'cache-control': 'no-cache' })).text()
    expect(provider.requests).toHaveLength(3)
  })

  it('ends at the provider when its client goes away', async () => {
    const [head] = chunksOf('Rayleigh.')
    const { provider, url } = await gatewayOver(({ body }, reply) =>
      JSON.stringify(body).includes('first') ? reply.events(chunksOf('Rayleigh.').flat()) : reply.events(head, { end: 'never' }),
    )
    await (await ask(url, {}, streamed('first'))).text()
    const gone = new AbortController()
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-test' }
    const response = await fetch(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: streamed('second'),
      signal: gone.signal,
    })
    await response.body?.getReader().read()
    gone.abort()
    await provider.untilAborted(1)
    expect(provider.aborted).toBe(1)
    expect(taken()).toBe(1)
  })

  it('is seen to break off when the provider breaks off', async () => {
    const [head] = chunksOf('Rayleigh.')
    const { url } = await gatewayOver(({ body }, reply) =>
      JSON.stringify(body).includes('first') ? reply.events(chunksOf('Rayleigh.').flat()) : reply.events(head, { end: 'reset' }),
    )
    await (await ask(url, {}, streamed('first'))).text()
    await expect(ask(url, {}, streamed('second')).then((response) => response.text())).rejects.toThrow('terminated')
  })

  it('is told that its connection closes while the gateway ends', async () => {
    const open = gate()
    const provider = await startProvider(async ({ body }, reply) => {
      if (JSON.stringify(body).includes('second')) await open
      return reply.json(completion('Rayleigh.'))
    })
    onTestFinished(() => provider.close())
    const { url, server } = await listening({ upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] })
    await (await ask(url, {}, question('first'))).text()
    const late = ask(url, {}, question('second'))
    await provider.untilRequests(2)
    const drained = server.drain()
    open.open()
    expect(await (await late).json()).toEqual(completion('Rayleigh.'))
    await drained
  })

  it('takes a body whose bytes are no JSON, or have a mark before them, as any other', async () => {
    const { url, provider } = await gatewayOver((_request, reply) => reply.json(completion('Rayleigh.')))
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-test' }
    const post = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(`${url}/openai/v1/chat/completions`, { method: 'POST', headers, body })
    for (let call = 0; call < 2; call++) await (await post(question())).text()
    const marked = await post(new Uint8Array([0xef, 0xbb, 0xbf, ...Buffer.from(question())]))
    expect(marked.headers.get('x-llmemo-source')).toBe('memory')
    expect(provider.requests).toHaveLength(1)
    expect(taken()).toBe(2)
  })
})

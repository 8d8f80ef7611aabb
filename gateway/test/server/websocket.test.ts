import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createCache } from 'llmemo'
import { ManualClock } from 'llmemo/testing'
import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/events/event-stream.ts'
import { guarded } from '../support/guarded.ts'
import { listening } from '../support/listening.ts'
import { post } from '../support/requests.ts'
import { openSocket, refusedSocket } from '../support/web-socket.ts'

const asked = { prompt: 'what nobody else may read', operation: 'chat', model: 'gpt-4o', provider: 'openai' }

describe('a WebSocket at /events', () => {
  it('tells what the stream of events tells, to each tenant its own', async () => {
    const { url, as } = await guarded()
    const [acme, other] = [await as('acme', 'read', 'write'), await as('other', 'read', 'write')]
    const [ofAcme, ofOther] = [await openSocket(url, { headers: acme }), await openSocket(url, { headers: other })]
    expect([await ofAcme.next(), await ofOther.next()]).toMatchObject([{ event: 'savings' }, { event: 'savings' }])
    await post(`${url}/cache/query`, asked, acme)
    await post(`${url}/cache/store`, { ...asked, response: 'A.' }, acme)
    await post(`${url}/cache/query`, asked, acme)
    await post(`${url}/cache/invalidate`, { tags: ['t'] }, await as(undefined, 'admin'))
    await post(`${url}/cache/query`, { prompt: 'b', operation: 'of-other' }, other)
    const told = [await ofAcme.next(), await ofAcme.next(), await ofAcme.next()]
    expect(told).toMatchObject([
      { event: 'miss', id: expect.stringMatching(/^[\da-f]{8}-\d+$/), data: { tenant: 'acme', operation: 'chat' } },
      { event: 'hit', data: { tenant: 'acme', source: 'memory' } },
      { event: 'invalidate' },
    ])
    expect(JSON.stringify(told)).not.toContain(asked.prompt)
    let first = await ofOther.next()
    while (first.event === 'invalidate') first = await ofOther.next()
    expect(first).toMatchObject({ event: 'miss', data: { tenant: 'other', operation: 'of-other' } })
  })

  it('goes on where the client was', async () => {
    const { url } = await listening()
    const first = await openSocket(url)
    await first.next()
    await post(`${url}/cache/query`, { prompt: 'a', operation: 'one' })
    const { id } = await first.next()
    first.socket.close()
    await first.closed
    await post(`${url}/cache/query`, { prompt: 'b', operation: 'two' })
    const again = await openSocket(url, { query: `?lastEventId=${id}` })
    expect([await again.next(), await again.next()]).toMatchObject([{ event: 'savings' }, { event: 'miss', data: { operation: 'two' } }])
  })

  it('takes the key of a page, which can send no header, as a protocol, and never says it', async () => {
    const { url, as } = await guarded()
    const { 'x-llmemo-api-key': key = '' } = await as('acme', 'read')
    const { socket, next } = await openSocket(url, { protocols: ['llmemo.events', `llmemo.key.${key}`] })
    expect(socket.protocol).toBe('llmemo.events')
    expect(await next()).toMatchObject({ event: 'savings' })
  })

  it('is refused as a request is: without a key, with a wrong one, without the role, from a page of another site', async () => {
    const { url, as } = await guarded()
    expect(await refusedSocket(url)).toBe(401)
    expect(await refusedSocket(url, { 'x-llmemo-api-key': `llm_${'a'.repeat(40)}` })).toBe(401)
    expect(await refusedSocket(url, await as('acme', 'write'))).toBe(403)
    const open = await listening()
    expect(await refusedSocket(open.url, { origin: 'https://evil.example' })).toBe(403)
  })

  it('counts with the streams of its key', async () => {
    const { url } = await listening()
    for (let index = 0; index < 32; index++) await openSocket(url)
    expect(await refusedSocket(url)).toBe(429)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  it('ends when the gateway closes, so that the client comes back', async () => {
    const { url, gateway, server } = await listening()
    const { closed, next } = await openSocket(url)
    await next()
    await gateway.close()
    await server.drain()
    expect(await closed).toBe(1001)
  })

  it('ends when the client no longer answers', async () => {
    const clock = new ManualClock()
    const { url } = await listening({ clock, cache: createCache() })
    const { socket, closed, next } = await openSocket(url, { autoPong: false })
    await next()
    clock.advance(heartbeat)
    await once(socket, 'ping')
    clock.advance(heartbeat)
    expect(await closed).toBe(1006)
  })
})

it('answers a client that offers HTTP/2 by an upgrade, as Java’s does, over HTTP/1.1', async () => {
  const { url } = await listening()
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ prompt: 'a', operation: 'chat' })
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /cache/query HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 404 [^]*There is no answer/)
})

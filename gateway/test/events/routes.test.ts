import { connect } from 'node:http2'
import { createCache } from 'llmemo'
import { createGateway } from 'llmemo-gateway'
import { ManualClock } from 'llmemo/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { heartbeat, longest } from '../../src/events/event-stream.ts'
import { eventIn, EventReader } from '../support/event-reader.ts'
import { guarded } from '../support/guarded.ts'
import { listening } from '../support/listening.ts'
import { ask, post } from '../support/requests.ts'

const secret = 'what nobody else may read'
const asked = { prompt: secret, operation: 'chat', model: 'gpt-4o', provider: 'openai' }
const response = { choices: [], text: secret, usage: { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 } }

async function opened(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const answer = await fetch(`${url}/events`, { headers })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const reader = new EventReader(answer)
  onTestFinished(() => reader.cancel())
  expect(await reader.next()).toMatchObject({ event: 'savings' })
  return reader
}

describe('GET /events', () => {
  it('tells hits, misses and what they saved, without what was asked', async () => {
    const { url } = await listening()
    const events = await opened(url)
    await post(`${url}/cache/query`, asked)
    await post(`${url}/cache/store`, { ...asked, response })
    await post(`${url}/cache/query`, asked)
    await post(`${url}/cache/invalidate`, { operation: 'chat' })
    const told = [await events.next(), await events.next(), await events.next()]
    expect(told).toMatchObject([
      { event: 'miss', data: { operation: 'chat', model: 'gpt-4o', key: expect.stringMatching(/^[\da-f]{64}$/) } },
      { event: 'hit', data: { source: 'memory', saved_tokens: 2_000, saved_usd: 0.0125 } },
      { event: 'invalidate', data: { by: 'operation', label: 'operation:chat' } },
    ])
    expect(JSON.stringify(told)).not.toContain(secret)
  })

  it('tells each tenant its own only, and an admin all', async () => {
    const { url, as } = await guarded()
    const [acme, other, admin] = [await as('acme', 'read', 'write'), await as('other', 'read', 'write'), await as(undefined, 'admin')]
    const [ofAcme, ofOther, ofAll] = [await opened(url, acme), await opened(url, other), await opened(url, admin)]
    await post(`${url}/cache/query`, asked, acme)
    await post(`${url}/cache/invalidate`, { tags: ['project-x'] }, admin)
    await ask(`${url}/api/v1/cache/tenant/acme`, { method: 'DELETE', headers: admin })
    await post(`${url}/cache/query`, asked, other)
    expect([await ofAcme.next(), await ofAcme.next(), await ofAcme.next()]).toMatchObject([
      { event: 'miss', data: { tenant: 'acme' } },
      { event: 'invalidate', data: { by: 'tag' } },
      { event: 'invalidate', data: { by: 'scope' } },
    ])
    const others = [await ofOther.next(), await ofOther.next()]
    expect(others).toMatchObject([
      { event: 'invalidate', data: { by: 'tag' } },
      { event: 'miss', data: { tenant: 'other' } },
    ])
    expect(JSON.stringify(others)).not.toMatch(/acme|project-x/)
    const all = [await ofAll.next(), await ofAll.next(), await ofAll.next(), await ofAll.next()]
    expect(all).toMatchObject([
      { event: 'miss', data: { tenant: 'acme' } },
      { data: { label: 'tag:project-x' } },
      { data: { label: 'scope:acme' } },
      { event: 'miss', data: { tenant: 'other' } },
    ])
    expect((await ask(`${url}/events`)).status).toBe(401)
  })

  it('goes on where the client was, and says when it cannot', async () => {
    const { url } = await listening()
    const first = await opened(url)
    await post(`${url}/cache/query`, { prompt: 'a', operation: 'one' })
    const seen = await first.next()
    await first.cancel()
    await post(`${url}/cache/query`, { prompt: 'b', operation: 'two' })
    const again = new EventReader(await fetch(`${url}/events`, { headers: { 'last-event-id': seen?.id ?? '' } }))
    expect(await again.next()).toMatchObject({ event: 'savings' })
    expect(await again.next()).toMatchObject({ event: 'miss', data: { operation: 'two' } })
    await again.cancel()
    for (const id of ['00000000-1', 'not an id', `${seen?.id.split('-')[0]}-999999`]) {
      const lost = new EventReader(await fetch(`${url}/events`, { headers: { 'last-event-id': id } }))
      expect(await lost.next()).toMatchObject({ event: 'gap' })
      await lost.cancel()
    }
  })

  it('keeps a thousand events, and tells a client that was slower', async () => {
    const cache = createCache()
    onTestFinished(() => cache.close())
    const gateway = createGateway({ cache })
    const events = new EventReader(await gateway.fetch(new Request('http://gateway/events')))
    expect(await events.next()).toMatchObject({ event: 'savings' })
    for (let index = 0; index <= 1_000; index++) await cache.lookup({ prompt: String(index) })
    expect(await events.next()).toMatchObject({ event: 'gap' })
    await gateway.close()
    expect(await events.next()).toBeUndefined()
  })

  it('shows in silence that it is alive, ends so that the key is looked at again, and listens no longer than needed', async () => {
    const clock = new ManualClock()
    const cache = createCache({ clock })
    const gateway = createGateway({ clock, cache })
    const before = clock.timers
    const events = new EventReader(await gateway.fetch(new Request('http://gateway/events')))
    await events.next()
    const silence = events.block()
    await new Promise(setImmediate)
    clock.advance(heartbeat)
    expect(await silence).toBe(': still here')
    const end = events.next()
    await new Promise(setImmediate)
    clock.advance(longest - heartbeat)
    expect(await end).toBeUndefined()
    clock.advance(5 * 60_000)
    expect(clock.timers).toBe(before)
    await gateway.close()
  })

  it('limits the streams of one key', async () => {
    const { url } = await listening()
    for (let index = 0; index < 32; index++) await opened(url)
    expect((await ask(`${url}/events`)).status).toBe(429)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  it('limits those that are asked for at once, over one connection', async () => {
    const { url } = await listening()
    const session = connect(url)
    onTestFinished(() => session.destroy())
    const streams = Array.from({ length: 40 }, () => session.request({ ':path': '/events' }).setEncoding('utf8'))
    // Those that begin stay open, so that none makes room for another.
    const begun = await Promise.all(
      streams.map(
        (stream) =>
          new Promise<boolean>((resolve) => {
            stream.on('data', (text: string) => text.includes('event: savings') && resolve(true)).once('end', () => resolve(false))
          }),
      ),
    )
    expect(begun.filter(Boolean)).toHaveLength(32)
  })

  it('counts no stream whose client is gone before it begins', async () => {
    const gateway = createGateway({ cache: createCache() })
    onTestFinished(() => gateway.close())
    const open = async (): Promise<Response> => gateway.fetch(new Request('http://gateway/events'))
    for (let index = 0; index < 32; index++) await (await open()).body?.cancel()
    // Neither read nor cancelled.
    for (let index = 0; index < 32; index++) await open()
    expect((await open()).status).toBe(200)
  })

  it('ends when the gateway closes', async () => {
    const { url, gateway } = await listening()
    const events = await opened(url)
    await gateway.close()
    expect(await events.next()).toBeUndefined()
  })

  it('works over HTTP/2 without TLS', async () => {
    const { url, gateway } = await listening()
    const session = connect(url)
    onTestFinished(() => session.destroy())
    const stream = session.request({ ':path': '/events' })
    stream.setEncoding('utf8')
    const chunks = stream[Symbol.asyncIterator]()
    const read = async (): Promise<string> => {
      const { value, done } = await chunks.next()
      return done === true ? '' : String(value)
    }
    expect(await read()).toContain('event: savings')
    await post(`${url}/cache/query`, asked)
    expect(eventIn((await read()).trim())).toMatchObject({ event: 'miss' })
    await gateway.close()
    expect(await read()).toBe('')
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })
})

import { describe, expect, it, vi } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { RepeatedRequests } from '../../../src/clients/http/repeated-requests.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import type { Call, CachedCall } from '../../../src/engine/cached-call.ts'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { completion } from '../../support/openai-answers.ts'

const asker = { endpoint: openaiChat, origin: 'https://a.invalid', headers: { 'x-special': '1' }, credential: 'me' }

/** A resolved call, with the members that matter here. */
function decidedFor(text: string): { call: Call; cachedCall: CachedCall } {
  const call = { ...asker, request: { text }, options: {} }
  const cachedCall = {
    ...call,
    key: text,
    storeKey: text,
    scope: '',
    operation: 'chat',
    mode: 'default',
    ttl: 1,
    maxAge: Infinity,
    tags: [],
    model: '',
    labels: [],
  } as const
  return { call, cachedCall: { ...cachedCall, streamed: false, missingParts: [] } }
}

describe('a request that was answered before', () => {
  it('is found by its text, for a call with the same context', () => {
    const repeated = new RepeatedRequests(2 ** 30)
    const decided = decidedFor('{"a":1}')
    repeated.note('{"a":1}', decided)
    expect(repeated.find('{"a":1}', { ...asker, headers: { ...asker.headers } }, {})).toBe(decided)
    expect(repeated.find('{"a":2}', asker, {})).toBeUndefined()
  })

  it.each([
    [{ endpoint: openaiResponses }],
    [{ origin: 'https://b.invalid' }],
    [{ credential: 'you' }],
    [{ headers: {} }],
    [{ headers: { 'x-special': '2' } }],
    [{ headers: { 'x-other': '1' } }],
    [{ headers: { 'x-special': '1', 'x-other': '1' } }],
  ])('I3: is none for another: %j', (other) => {
    const repeated = new RepeatedRequests(2 ** 30)
    repeated.note('{}', decidedFor('{}'))
    expect(repeated.find('{}', { ...asker, ...other }, {})).toBeUndefined()
  })

  it('I6: is forgotten if there is no room', () => {
    const repeated = new RepeatedRequests(64 * 1_000)
    const texts = Array.from({ length: 20 }, (_, index) => String(index).padEnd(100, '.'))
    for (const text of texts) repeated.note(text, decidedFor(text))
    const found = texts.filter((text) => repeated.find(text, asker, {}) !== undefined)
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThanOrEqual(10)
    const long = 'x'.repeat(126)
    repeated.note(long, decidedFor(long))
    expect(repeated.find(long, asker, {})).toBeUndefined()
    const none = new RepeatedRequests(0)
    none.note('', decidedFor(''))
    expect(none.find('{}', asker, {})).toBeUndefined()
  })
})

function open() {
  const upstream = vi.fn<Fetch>(async () => Response.json(completion('Hello.')))
  const cache = createCache({ logger: false })
  return { upstream, cache, fetch: cachingFetch(cache, upstream) }
}

describe('a caching fetch with a repeated request', () => {
  const url = 'https://provider.invalid/v1/chat/completions'
  const body = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'Hi' }] })
  const headers = { authorization: 'Bearer one' }

  it('answers as at first', async () => {
    const { upstream, fetch } = open()
    const texts: string[] = []
    for (let call = 0; call < 4; call++) texts.push(await (await fetch(url, { method: 'POST', headers, body })).text())
    expect(new Set(texts).size).toBe(1)
    expect(upstream).toHaveBeenCalledTimes(1)
  })

  it('I3: keeps credentials, addresses, headers and options apart', async () => {
    const { upstream, fetch } = open()
    for (let call = 0; call < 3; call++) await (await fetch(url, { method: 'POST', headers, body })).text()
    expect(upstream).toHaveBeenCalledTimes(1)
    const others: [string, RequestInit][] = [
      [url, { headers: { authorization: 'Bearer two' } }],
      ['https://elsewhere.invalid/v1/chat/completions', { headers }],
      [url, { headers: { ...headers, 'x-special': '1' } }],
      [url, { headers, cache: 'reload' }],
      [url, { headers, cache: 'no-store' }],
    ]
    for (const [place, init] of others) await (await fetch(place, { method: 'POST', body, ...init })).text()
    expect(upstream).toHaveBeenCalledTimes(6)
  })

  it('does not serve an invalidated answer', async () => {
    const { upstream, cache, fetch } = open()
    const ask = async () => cacheInfo(await fetch(url, { method: 'POST', headers, body }))
    for (let call = 0; call < 3; call++) await ask()
    await cache.invalidate({ model: 'gpt-test' })
    expect(await ask()).toMatchObject({ hit: false })
    expect(upstream).toHaveBeenCalledTimes(2)
  })

  it('gives each answer another TTL if there is jitter', async () => {
    const draws = [0, 0.5, 1, 0, 0.25]
    const upstream = vi.fn<Fetch>(async () => Response.json(completion('Hello.')))
    const cache = createCache({ logger: false, ttl: 100, jitter: 1, random: () => draws.shift() ?? 0 })
    const fetch = cachingFetch(cache, upstream)
    for (let call = 0; call < 2; call++) await (await fetch(url, { method: 'POST', headers, body })).text()
    const left = draws.length
    await (await fetch(url, { method: 'POST', headers, body })).text()
    expect(draws.length).toBeLessThan(left)
  })
})

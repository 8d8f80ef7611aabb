import { describe, expect, it } from 'vitest'
import type { Cache, CacheRequest, Invalidation } from '../../../src/cache/cache.ts'
import type { CallOptions } from '../../../src/call.ts'
import { callOptions } from '../../../src/clients/call-options.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { answer, ask, openCache, question, textIn } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** Calls of one question. Each answer of the origin has a number of its own. */
function callsOf(cache: Cache): (options?: CallOptions) => Promise<unknown> {
  let count = 0
  const fetch = cachingFetch(cache, async () => Response.json(answer(String(++count))))
  return async (options = {}) => {
    const init: RequestInit & { readonly [callOptions]: object } = {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify(question().body),
      [callOptions]: { options },
    }
    const response = await fetch('https://api.openai.com/v1/chat/completions', init)
    const text = textIn({ answer: { ...Object(await response.json()) } })
    await cache.flush()
    return text
  }
}

const places: [string, () => Parameters<typeof openCache>[0]][] = [
  ['memory', () => ({})],
  ['memory and a store', () => ({ store: new ScriptedStore() })],
  ['a store alone', () => ({ store: memoryStore(), maxMemoryBytes: 0 })],
]

const labelled: [CallOptions, Invalidation][] = [
  [{ tags: ['doc'] }, { tags: ['doc'] }],
  [{ operation: 'qa' }, { operation: 'qa' }],
  [{ tags: ['doc', 'page'], operation: 'qa' }, { tags: ['page'] }],
]

describe.each(places)('in %s', (_, options) => {
  it.each(labelled)('G14 a call with %j gets no answer that %j could not have reached', async (given, what) => {
    const { cache } = openCache(options())
    const call = callsOf(cache)
    expect([await call(), await call()]).toEqual(['1', '1'])
    await cache.invalidate(what)
    expect(await call(given)).toBe('2')
    await cache.invalidate(what)
    expect(await call(given)).toBe('3')
  })

  it.each(labelled)('G14 what is fetched for a call with %j serves the others too, and %j reaches it', async (given, what) => {
    const { cache } = openCache(options())
    const call = callsOf(cache)
    await call()
    expect([await call(given), await call(), await call(given)]).toEqual(['2', '2', '2'])
    await cache.invalidate(what)
    expect([await call(), await call(given)]).toEqual(['3', '4'])
  })

  it('G14 calls with different labels do not fetch in turn: the answer bears the labels of both', async () => {
    const { cache } = openCache(options())
    const call = callsOf(cache)
    const first = { tags: ['a'], operation: 'qa' }
    const second = { tags: ['b'], operation: 'summarize' }
    expect([await call(first), await call(second), await call(first), await call(second)]).toEqual(['1', '2', '2', '2'])
    await cache.invalidate({ tags: ['a'] })
    expect(await call(second)).toBe('3')
  })

  it("G14 a call's own TTL is also the greatest age that it accepts", async () => {
    const { cache, clock } = openCache({ ...options(), ttl: '1h' })
    const call = callsOf(cache)
    await call()
    clock.advance(999)
    expect(await call({ ttl: '1s' })).toBe('1')
    clock.advance(1)
    expect([await call(), await call({ ttl: '2s' }), await call({ ttl: '1s' })]).toEqual(['1', '1', '2'])
    expect(await call()).toBe('2')
    // What was stored for a second is no older for a call that would accept more.
    clock.advance(1_000)
    expect(await call({ ttl: '10m' })).toBe('3')
  })
})

describe('labels and ages of a call', () => {
  it('G14 hold for described requests, and in every mode that reads', async () => {
    const { cache, clock } = openCache({ stale: '1h' })
    const tagged: CacheRequest = question('What is the answer?', { tags: ['doc'] })
    await cache.store(question(), answer('1'))
    clock.advance(1_000)
    for (const mode of ['default', 'only-if-cached', 'force-cache'] as const) {
      expect(await ask(cache, { ...tagged, mode })).toBeUndefined()
      expect(await ask(cache, question(undefined, { mode, ttl: '1s' }))).toBe(mode === 'force-cache' ? '1' : undefined)
      expect(await ask(cache, question(undefined, { mode }))).toBe('1')
    }
  })

  it('G14 the facts of a hit say how long it is fresh for this call, and an old one is stale for it', async () => {
    const { cache, clock } = openCache({ staleWhileRevalidate: '10s' })
    await cache.store(question(), answer('1'))
    clock.advance(2_000)
    expect((await cache.lookup(question(undefined, { ttl: '5s' })))?.info).toMatchObject({ age: 2, ttl: 3, stale: false })
    expect((await cache.lookup(question(undefined, { ttl: '1s' })))?.info).toMatchObject({ age: 2, ttl: 0, stale: true })
    expect((await cache.lookup(question()))?.info).toMatchObject({ age: 2, ttl: 3_598, stale: false })
  })

  it('G14 an old answer without the label does not stand in for an outage', async () => {
    const { cache, clock } = openCache({ ttl: '1s', staleIfError: '1h' })
    let isOut = false
    const fetch = cachingFetch(cache, async () => (isOut ? Response.json({}, { status: 503 }) : Response.json(answer('1'))))
    const call = async (options: CallOptions): Promise<number> => {
      const init: RequestInit & { readonly [callOptions]: object } = {
        method: 'POST',
        body: JSON.stringify(question().body),
        [callOptions]: { options },
      }
      return (await fetch('https://api.openai.com/v1/chat/completions', init)).status
    }
    expect(await call({})).toBe(200)
    await cache.flush()
    clock.advance(2_000)
    isOut = true
    expect([await call({ tags: ['doc'] }), await call({})]).toEqual([503, 200])
  })

  it('G14 tags without end do not make an entry grow without end', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store, clock: new ManualClock() })
    const call = callsOf(cache)
    for (let index = 0; index < 300; index++) await call({ tags: [`user ${index}`] })
    const longest = Math.max(...store.entryKeys().map((key) => store.map.get(key)?.byteLength ?? 0))
    expect(longest).toBeLessThan(16_000)
  })
})

import { describe, expect, it } from 'vitest'
import type { Cache, Invalidation } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/index.ts'
import { callOptions } from '../../src/clients/call-options.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { CallOptions } from '../../src/call.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { answer, openCache, question, settle } from '../support/chat.ts'

/** Asks a provider that answers when it is let, with the numbers of its answers. */
function caller(cache: Cache) {
  const asked: (() => void)[] = []
  const fetch = cachingFetch(cache, async () => {
    const number = asked.length + 1
    await new Promise<void>((resolve) => asked.push(resolve))
    return Response.json(answer(`#${number}`))
  })
  return {
    asked,
    answerAll: () => asked.forEach((resolve) => resolve()),
    ask: async (options: CallOptions = {}) => {
      const init: RequestInit & { readonly [callOptions]: object } = {
        method: 'POST',
        headers: { authorization: 'Bearer sk-test' },
        body: JSON.stringify(question().body),
        [callOptions]: { options: { operation: 'qa', tags: ['doc'], scope: 'mine', ...options } },
      }
      const response = await fetch('https://api.openai.com/v1/chat/completions', init)
      const text = await response.text()
      return { text: /#\d+/.exec(text)?.[0], info: cacheInfo(response) }
    },
  }
}

const tiers: Readonly<Record<string, () => CacheOptions>> = {
  'memory alone': () => ({}),
  'memory and a store': () => ({ store: memoryStore() }),
  'a store alone': () => ({ store: memoryStore(), maxMemoryBytes: 0 }),
}

describe.each(Object.keys(tiers))('while the provider answers a call, over %s', (name) => {
  const options = (): CacheOptions => tiers[name]?.() ?? {}

  it.each<[string, (cache: Cache, key: string) => Promise<unknown>]>([
    ['its key', (cache, key) => cache.invalidate({ key })],
    ['its result', (cache, key) => cache.forget({ hit: true, key })],
    ['its tag', (cache) => cache.invalidate({ tags: ['doc'] })],
    ['everything', (cache) => cache.invalidate({ all: true })],
  ])('G19 a call after an invalidation by %s gets no answer from before, and none is kept', async (_, invalidate) => {
    const { cache } = openCache(options())
    const { ask, asked, answerAll } = caller(cache)
    const first = ask()
    await settle()
    answerAll()
    const key = (await first).info?.key ?? ''
    // One that fetches a new answer, while there is an old one.
    const reload = ask({ mode: 'reload' })
    await settle()
    await invalidate(cache, key)
    const later = ask()
    await settle()
    expect(asked).toHaveLength(3)
    answerAll()
    expect([(await reload).text, (await later).text]).toEqual(['#2', '#3'])
    await cache.flush()
    expect((await ask()).text).toBe('#3')
  })

  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['del', (cache) => cache.del('user:1')],
    ['delByPattern', (cache) => cache.delByPattern('user:*')],
    ['clear', (cache) => cache.clear()],
    ...[{ pattern: 'user:?' }, { operation: 'value' }, { scope: '' }, { all: true } as const].map(
      (what: Invalidation): [string, (cache: Cache) => Promise<unknown>] => [JSON.stringify(what), (cache) => cache.invalidate(what)],
    ),
  ])('G19 a value that is being made when it is removed by %s is neither given to later callers nor kept', async (_, remove) => {
    const { cache } = openCache(options())
    for (const wrap of [
      async (make: () => Promise<string>) => cache.wrap('user:1', '1h', make),
      async (make: () => Promise<string>) => cache.wrapSWR('user:1', '1h', '2h', make),
    ]) {
      const { promise, resolve } = Promise.withResolvers<string>()
      const first = wrap(() => promise)
      await settle()
      await remove(cache)
      const other = await wrap(async () => 'new')
      resolve('old')
      expect([await first, other, await cache.get('user:1')]).toEqual(['old', 'new', 'new'])
      await cache.flush()
      await cache.del('user:1')
    }
  })

  it('G19 a value that is set while an older one is being made stays', async () => {
    const { cache } = openCache(options())
    const { promise, resolve } = Promise.withResolvers<string>()
    const making = cache.wrap('key', '1h', () => promise)
    await settle()
    await cache.set('key', 'set')
    resolve('made before')
    expect([await making, await cache.get('key')]).toEqual(['made before', 'set'])
    await cache.flush()
    expect(await cache.get('key')).toBe('set')
  })

  it('G19 a pattern removes nothing that is made later, nor what does not match', async () => {
    const { cache } = openCache(options())
    const { promise, resolve } = Promise.withResolvers<string>()
    const other = cache.wrap('other', '1h', () => promise)
    await settle()
    for (let count = 0; count < 300; count++) await cache.delByPattern(`user:${count}:*`)
    resolve('other')
    await other
    await cache.set('user:7:name', 'new')
    expect(await cache.get('user:7:name')).toBe('new')
  })
})

it.each([true, false])(
  'G19 the process that removed an answer does not get one that was on its way to another: shared flights %s',
  async (sharedFlights) => {
    const store = memoryStore()
    const clock = new ManualClock()
    const [here, there] = [openCache({ store, clock, sharedFlights }), openCache({ store, clock, sharedFlights })]
    const [caller1, caller2] = [caller(here.cache), caller(there.cache)]
    const first = caller1.ask()
    await settle()
    caller1.answerAll()
    const key = (await first).info?.key ?? ''
    await here.cache.flush()
    clock.advance(10)
    // The other process fetches a new answer, and hears of nothing.
    const reload = caller2.ask({ mode: 'reload' })
    await settle()
    clock.advance(10)
    expect(await here.cache.invalidate({ key })).toBe(true)
    caller2.answerAll()
    await reload
    await there.cache.flush()
    const later = caller1.ask()
    await settle()
    expect(caller1.asked).toHaveLength(2)
    caller1.answerAll()
    expect((await later).text).toBe('#2')
    await here.cache.flush()
    // What was asked for later is good for both, wherever it comes from.
    clock.advance(1_001)
    await there.cache.invalidate({ key })
    clock.advance(10)
    const fresh = caller2.ask()
    await settle()
    clock.advance(10)
    caller2.answerAll()
    expect((await fresh).info).toMatchObject({ hit: false })
    await there.cache.flush()
    clock.advance(1_001)
    expect((await caller1.ask()).info).toMatchObject({ hit: true })
  },
)

it('G19 a call after the removal by another process does not wait for the answer from before, though no message tells of it', async () => {
  const store = memoryStore()
  const here = openCache({ store, invalidationDelay: 0 })
  const there = openCache({ store }).cache
  const { ask, asked, answerAll } = caller(here.cache)
  const first = ask()
  await settle()
  answerAll()
  const key = (await first).info?.key ?? ''
  await here.cache.flush()
  const reload = ask({ mode: 'reload' })
  await settle()
  await there.invalidate({ key })
  const later = ask()
  await settle()
  expect(asked).toHaveLength(3)
  answerAll()
  expect([(await reload).text, (await later).text]).toEqual(['#2', '#3'])
})

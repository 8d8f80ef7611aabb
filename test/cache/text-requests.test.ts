import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import type { TextRequest } from '../../src/cache/cache.ts'
import { openCache, settle } from '../support/chat.ts'

const requests: TextRequest[] = [
  { text: 'same' },
  { prompt: 'same' },
  { messages: [{ role: 'user', content: 'same' }] },
  { text: 'same', operation: 'translate' },
  { text: 'same', model: 'm' },
  { text: 'same', options: { temperature: 1 } },
  { text: 'same', context: { project: 'atlas' } },
  { text: 'same', scope: 'tenant' },
  { text: 'same', variant: 1 },
  { text: 'same', provider: 'openai' },
  { text: 'Same' },
]

describe('an answer by its text', () => {
  it.each([['a text'], [{ any: ['JSON', 1, null] }], [[1, 2]], [7], [false], ['x'.repeat(100_000)]])(
    'may be any JSON: %#',
    async (given) => {
      const { cache } = openCache()
      const request = { text: 'question', operation: 'qa' }
      expect(await cache.lookup(request)).toBeUndefined()
      expect(await cache.store(request, given)).toMatchObject({ stored: true, operation: 'qa', hit: false })
      const found = await cache.lookup(request)
      expect(found?.answer).toEqual(given)
      expect(found?.info).toMatchObject({ hit: true, source: 'memory', operation: 'qa' })
      expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stored: 1, byOperation: { qa: { hits: 1, misses: 1 } } })
    },
  )

  it('is another one for each thing that the request says', async () => {
    const { cache } = openCache()
    for (const [index, request] of requests.entries()) await cache.store(request, index)
    const found = await Promise.all(requests.map(async (request) => (await cache.lookup(request))?.answer))
    expect(found).toEqual(requests.map((_, index) => index))
  })

  it('has a key of the same size, however long the text is, which explain shows', async () => {
    const { cache } = openCache()
    const long = 'x'.repeat(1_000_000)
    const { key } = await cache.store({ text: long }, 1)
    expect(key).toMatch(/^[\da-f]{64}$/)
    const explained = cache.explain({ text: long })
    expect(explained.key).toBe(key)
    expect(JSON.stringify(explained).length).toBeLessThan(5_000)
    expect(JSON.stringify(cache.explain({ text: 'a' }, { text: 'b' }))).toContain('text')
  })

  it('lives as long as its operation says, and is invalidated by its tags, operation, model and scope', async () => {
    const { cache, clock } = openCache({ ttl: { qa: '10m', default: '1h' } })
    const request = { prompt: 'p', operation: 'qa', tags: ['doc:42'], model: 'm', scope: 's' }
    for (const what of [{ tags: ['doc:42'] }, { operation: 'qa' }, { model: 'm' }, { scope: 's' }]) {
      await cache.store(request, 1)
      expect((await cache.lookup(request))?.answer).toBe(1)
      await cache.invalidate(what)
      expect(await cache.lookup(request)).toBeUndefined()
    }
    await cache.store(request, 1)
    clock.advance(600_000)
    expect(await cache.lookup(request)).toBeUndefined()
  })

  it('has the tokens and the price of its model, if it is in the form of a provider', async () => {
    const { cache } = openCache({ prices: [{ model: 'm', input: 1_000_000, output: 2_000_000 }] })
    const openai = { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }
    const anthropic = { usage: { input_tokens: 5, output_tokens: 6 } }
    for (const [place, given] of [openai, anthropic, { usage: 'free' }].entries()) {
      await cache.store({ text: `${place}`, model: 'm' }, given)
      await cache.lookup({ text: `${place}`, model: 'm' })
    }
    expect(cache.stats()).toMatchObject({ hits: 3, unpricedHits: 1, savedTokens: 18, savedUsd: 3 + 8 + 5 + 12 })
  })

  it('is not stored when it is empty, or nothing that JSON can hold', async () => {
    const { cache } = openCache()
    for (const given of [undefined, () => {}, Number.NaN, new Map()]) {
      expect(await cache.store({ text: 'a' }, given)).toMatchObject({ stored: false, reason: 'not JSON' })
    }
    for (const given of ['', null]) expect(await cache.store({ text: 'a' }, given)).toMatchObject({ stored: false, reason: 'empty' })
    expect(await cache.lookup({ text: 'a' })).toBeUndefined()
  })

  it('is refused at once if the request says two things, or nothing that can be', async () => {
    const { cache } = openCache()
    const wrong: object[] = [
      { text: 'a', prompt: 'b' },
      { text: 7 },
      { messages: 'hello' },
      { text: undefined },
      { text: 'a', options: 'warm' },
      { text: 'a', model: 7 },
      { text: 'a', provider: 7 },
      { text: 'a', temprature: 1 },
      { text: 'a', ttl: 'soon' },
    ]
    for (const request of wrong) {
      for (const method of ['lookup', 'store', 'getOrCreate'] as const) {
        await expect((async () => Reflect.apply(cache[method], cache, [request, () => 1]))()).rejects.toThrow(InvalidOptionError)
      }
    }
  })
})

describe('getOrCreate', () => {
  it('gives what is stored, else what is made, once for all who ask at the same time', async () => {
    const { cache } = openCache()
    let made = 0
    const ask = async (mode?: 'reload' | 'no-store') =>
      cache.getOrCreate({ prompt: 'p', operation: 'qa', ...(mode && { mode }) }, async () => ({ number: ++made }))
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ number: 1 }, { number: 1 }, { number: 1 }])
    expect(await ask()).toEqual({ number: 1 })
    expect((await cache.lookup({ prompt: 'p', operation: 'qa' }))?.answer).toEqual({ number: 1 })
    expect(await ask('reload')).toEqual({ number: 2 })
    expect(await ask()).toEqual({ number: 2 })
    expect(await ask('no-store')).toEqual({ number: 3 })
    expect(await ask()).toEqual({ number: 2 })
    expect(cache.stats()).toMatchObject({ hits: 6, misses: 2, bypasses: 1, bySource: { flight: { hits: 2 } } })
  })

  it('serves a stale answer at once while a new one is made, if that is allowed', async () => {
    const { cache, clock } = openCache({ ttl: '1m', staleWhileRevalidate: '1h' })
    let made = 0
    const ask = async () => cache.getOrCreate({ text: 't' }, () => ++made)
    await ask()
    clock.advance(61_000)
    expect(await ask()).toBe(1)
    await settle()
    expect(await ask()).toBe(2)
  })

  it('is an error in mode only-if-cached if nothing is stored', async () => {
    const { cache } = openCache()
    const request = { text: 't', mode: 'only-if-cached' } as const
    await expect(cache.getOrCreate(request, () => 1)).rejects.toMatchObject({ code: 'NOT_CACHED' })
  })

  it('tells in its events how long the answer took to make', async () => {
    const { cache, clock, told } = openCache()
    await cache.getOrCreate({ text: 't', operation: 'qa', model: 'm' }, () => {
      clock.advance(700)
      return 1
    })
    await settle()
    const event = { operation: 'qa', model: 'm', endpoint: 'text', latency: 700 }
    expect(told.events.find(({ name }) => name === 'store')?.event).toMatchObject(event)
  })
})

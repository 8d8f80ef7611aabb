import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { withCache, cachingFetch } from '../../src/clients/with-cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { answer, ask, openCache, question, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

function twoProcesses() {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  return { clock, store, here: openCache({ store, clock }).cache, there: openCache({ store, clock }).cache }
}

function clientOf(cache: ReturnType<typeof openCache>['cache']) {
  let count = 0
  const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const body: { input?: string[]; stream?: boolean } = JSON.parse(await new Response(init?.body ?? null).text())
    count++
    if (body.input !== undefined) {
      const data = body.input.map((_text, index) => ({ object: 'embedding', index, embedding: [count] }))
      return Response.json({ object: 'list', model: 'text-embedding-3-small', data, usage: { prompt_tokens: 1, total_tokens: 1 } })
    }
    return Response.json(answer(String(count)))
  }
  return withCache(new OpenAI({ apiKey: 'sk-test', maxRetries: 0, fetch }), cache)
}

const params = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: 'What is the answer?' }] }

describe('one bad answer', () => {
  it('G19 is removed by its key, in every tier, and no other', async () => {
    const { cache } = openCache({ store: new ScriptedStore() })
    const info = await cache.store(question(), answer('bad'))
    await cache.store(question('other'), answer('good'))
    await cache.flush()
    expect(await cache.invalidate({ key: info.key })).toBe(true)
    expect([await ask(cache), await ask(cache, question('other'))]).toEqual([undefined, 'good'])
  })

  it('G19 is removed from the memory of other processes within the delay', async () => {
    const { clock, here, there } = twoProcesses()
    const info = await here.store(question(), answer('bad'))
    await here.flush()
    expect(await ask(there)).toBe('bad')
    expect(await here.invalidate({ key: info.key })).toBe(true)
    clock.advance(1_001)
    expect([await ask(here), await ask(there)]).toEqual([undefined, undefined])
    await there.store(question(), answer('better'))
    await there.flush()
    clock.advance(1_001)
    expect([await ask(here), await ask(there)]).toEqual(['better', 'better'])
  })

  it('G19 is removed by the result of a client: the next equal call asks the provider', async () => {
    const { cache } = openCache()
    const client = clientOf(cache)
    const first = await client.chat.completions.create(params)
    await settle()
    expect((await client.chat.completions.create(params)).choices[0]?.message.content).toBe('1')
    expect(await cache.forget(first)).toBe(true)
    const second = await client.chat.completions.create(params)
    expect(second.choices[0]?.message.content).toBe('2')
    await settle()
    // A hit is as good as the first answer, and so are its facts.
    const hit = await client.chat.completions.create(params)
    for (const given of [hit, hit._cache]) {
      expect(await cache.forget(given)).toBe(true)
      expect((await client.chat.completions.create(params))._cache.hit).toBe(false)
      await settle()
    }
  })

  it('G19 is removed by a response and by what was looked up', async () => {
    const { cache } = openCache()
    const fetch = cachingFetch(cache, async () => Response.json(answer()))
    const call = async (): Promise<Response> => {
      const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify(params) })
      await response.clone().text()
      await settle()
      return response
    }
    await call()
    const hit = await call()
    expect(cacheInfo(hit)?.hit).toBe(true)
    expect(await cache.forget(hit)).toBe(true)
    expect(cacheInfo(await call())?.hit).toBe(false)
    await cache.store(question('looked up'), answer('bad'))
    const looked = await cache.lookup(question('looked up'))
    expect(await cache.forget(looked ?? {})).toBe(true)
    expect(await ask(cache, question('looked up'))).toBeUndefined()
  })

  it('G19 of a batch of inputs is removed with each of its parts', async () => {
    const { cache } = openCache()
    const client = clientOf(cache)
    const input = ['a', 'b']
    const batch = await client.embeddings.create({ model: 'text-embedding-3-small', input })
    await settle()
    expect((await client.embeddings.create({ model: 'text-embedding-3-small', input }))._cache.hit).toBe(true)
    expect(await cache.forget(batch)).toBe(true)
    for (const each of input) {
      expect((await client.embeddings.create({ model: 'text-embedding-3-small', input: [each] }))._cache.hit).toBe(false)
    }
  })

  it('G19 that bypassed the cache needs no removal', async () => {
    const { cache } = openCache()
    const client = clientOf(cache)
    expect(await cache.forget(await client.chat.completions.create(params, { bypassCache: true }))).toBe(true)
  })

  it.each([[{}], [null], ['text'], [Promise.resolve({})], [answer('secret')]])('G19 what has no facts is refused: %o', async (given) => {
    const { cache } = openCache()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const done = cache.forget(given as object)
    await expect(done).rejects.toThrow(InvalidOptionError)
    await expect(done).rejects.not.toThrow('secret')
  })

  it.each(['', 'abc', 'A'.repeat(64), 5])('G19 a key that cannot be is refused: %s', async (key) => {
    const { cache } = openCache()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    await expect(cache.invalidate({ key: key as string })).rejects.toThrow('"invalidate.key"')
  })
})

import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import type { ShadowEvent } from '../../src/events.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { settle } from '../support/chat.ts'
import { completion } from '../support/openai-answers.ts'
import { offLane, sdks } from '../support/openai-sdks.ts'
import { isStream } from '../support/outcome.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'

/** The answers of the stand-in have 9 tokens of input and 12 of output. */
const prices = [{ model: 'gpt-test-1', input: 1_000_000, output: 2_000_000 }]

describe.each([...sdks, ...sdks.map(offLane)])('shadow mode through $name', ({ make }) => {
  let server: ProviderServer
  let clock: ManualClock
  let said: string
  let status: number
  beforeEach(async () => {
    clock = new ManualClock()
    said = 'Hello.'
    status = 200
    server = await startProvider(({ body }, reply) => {
      clock.advance(500)
      if (status !== 200) return reply.json({ error: { message: 'no' } }, { status })
      const asked = isJsonObject(body) ? body : {}
      const whole = { ...completion(said), id: `chatcmpl-${server.requests.length}`, created: server.requests.length }
      if (asked['stream'] === true) return reply.events(openaiChat.streaming?.disassemble(whole, asked) ?? [])
      return reply.json(whole)
    })
  })
  afterEach(() => server.close())

  const open = (options: CacheOptions = {}) => {
    const cache = createCache({ clock, logger: false, prices, mode: 'shadow', ...options })
    const told: ShadowEvent[] = []
    cache.on('shadow', (event) => told.push(event))
    const client = withCache(make({ url: server.url }), cache)
    const ask = async (content: string, more: object = {}) => {
      const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], ...more })
      if (isStream(answer)) for await (const _ of answer);
      await settle()
      return cacheInfo(answer)
    }
    return { cache, told, ask }
  }

  it('lets the provider answer every call, and counts what would have been saved and how often answers differ', async () => {
    const { cache, told, ask } = open()
    for (const content of ['a', 'a', 'b', 'a']) expect(await ask(content)).toMatchObject({ hit: false, source: 'origin' })
    said = 'Something else.'
    expect(await ask('a')).toMatchObject({ hit: false })
    expect(server.requests).toHaveLength(5)
    const stats = cache.stats()
    expect(stats).toMatchObject({ hits: 0, misses: 5, savedUsd: 0, spentTokens: 5 * 21, spentUsd: 5 * 33, stored: 2 })
    expect(stats.shadow).toEqual({ hits: 3, same: 2, different: 1, savedUsd: 3 * 33, unpricedHits: 0, savedTokens: 3 * 21, savedMs: 1_500 })
    expect(told.map(({ same, source, usd, tokens }) => [same, source, usd, tokens])).toEqual([
      [true, 'memory', 33, 21],
      [true, 'memory', 33, 21],
      [false, 'memory', 33, 21],
    ])
  })

  it('compares streams and whole answers with each other', async () => {
    const { cache, ask } = open()
    const stream = { stream: true, stream_options: { include_usage: true } }
    await ask('a', stream)
    await ask('a', stream)
    await ask('a')
    said = 'Something else.'
    await ask('a', stream)
    expect(cache.stats().shadow).toMatchObject({ hits: 3, same: 2, different: 1 })
  })

  it('lets stored answers grow old as if they were served', async () => {
    const { cache, ask } = open({ ttl: '1m' })
    await ask('a')
    clock.advance(40_000)
    await ask('a')
    clock.advance(40_000)
    await ask('a')
    expect(cache.stats().shadow).toMatchObject({ hits: 1, same: 1 })
    expect(cache.stats().stored).toBe(2)
  })

  it('calls equal calls at the same time one by one', async () => {
    const { cache, ask } = open()
    await Promise.all(['a', 'a', 'a'].map((content) => ask(content)))
    expect(server.requests).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 3 })
  })

  it('passes on an error of the provider, and counts it as neither same nor different', async () => {
    const { cache, ask } = open()
    await ask('a')
    status = 400
    await expect(ask('a')).rejects.toMatchObject({ status: 400 })
    expect(cache.stats().shadow).toMatchObject({ hits: 1, same: 0, different: 0 })
    cache.stats().reset()
    expect(cache.stats().shadow).toMatchObject({ hits: 0, savedUsd: 0 })
  })
})

describe('shadow mode of embeddings', () => {
  it('compares each input by itself, and counts what a batch would have saved', async () => {
    const clock = new ManualClock()
    let shift = 0
    const asked: string[][] = []
    const upstream: typeof fetch = async (_, init) => {
      clock.advance(500)
      const { input } = { ...Object(JSON.parse(typeof init?.body === 'string' ? init.body : '')) }
      asked.push(input)
      const data = [...input].map((text: string, index) => ({
        object: 'embedding',
        index,
        embedding: [text.length, text === 'b' ? shift : 0],
      }))
      return Response.json({
        object: 'list',
        model: 'gpt-test-1',
        data,
        usage: { prompt_tokens: 9 * data.length, total_tokens: 9 * data.length },
      })
    }
    const cache = createCache({ clock, logger: false, prices, mode: 'shadow', ttl: '1m' })
    const told: ShadowEvent[] = []
    cache.on('shadow', (event) => told.push(event))
    const client = withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache)
    const embed = async (...input: string[]) => {
      const { data } = await client.embeddings.create({ model: 'gpt-test-1', input, encoding_format: 'float' })
      await settle()
      return data.map(({ embedding }) => embedding)
    }
    await embed('a', 'b')
    expect(await embed('b', 'ccc', 'a')).toEqual([
      [1, 0],
      [3, 0],
      [1, 0],
    ])
    expect(cache.stats().shadow).toMatchObject({ hits: 2, same: 2, different: 0, savedTokens: 18, savedUsd: 18, savedMs: 0 })
    shift = 1
    expect(await embed('a', 'b', 'ccc')).toEqual([
      [1, 0],
      [1, 1],
      [3, 0],
    ])
    // Of the 27 tokens of `b`, `ccc` and `a`, 16 are those of `ccc` by its length.
    expect(cache.stats().shadow).toMatchObject({ hits: 5, same: 4, different: 1, savedTokens: 18 + 18 + 16, savedMs: 500 })
    // Nothing was served, and what is stored grows old as if it were.
    expect(asked).toEqual([
      ['a', 'b'],
      ['b', 'ccc', 'a'],
      ['a', 'b', 'ccc'],
    ])
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 8, stored: 3 })
    expect(told.map(({ same, inputs }) => [same, inputs])).toEqual([
      [true, 1],
      [true, 1],
      [true, 1],
      [false, 1],
      [true, 1],
    ])
    clock.advance(60_000)
    await embed('a')
    expect(cache.stats().shadow).toMatchObject({ hits: 5 })
  })
})

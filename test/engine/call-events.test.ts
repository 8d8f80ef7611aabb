import OpenAI from 'openai'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import type { CacheEvents } from '../../src/events.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { completion } from '../support/openai-answers.ts'
import { offLane, sdks } from '../support/openai-sdks.ts'
import { isStream } from '../support/outcome.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'

const model = 'asked-model'
const messages = [{ role: 'user' as const, content: 'What is the secret?' }]
/** The answers of the stand-in have 9 tokens of input and 12 of output, and are by this model. */
const answered = 'gpt-test-1'
const prices = [{ model: answered, input: 1_000_000, output: 2_000_000 }]
const usage = { input: 9, output: 12 }
const usd = 9 * 1 + 12 * 2
/** All texts of the request. */
const characters = [model, ...messages.flatMap(({ role, content }) => [role, content])].join('').length

type Heard = { readonly [Name in 'hit' | 'miss' | 'spent' | 'bypass' | 'store' | 'skip']: CacheEvents[Name][] }

let server: ProviderServer
let clock: ManualClock
let latency: number

beforeEach(async () => {
  clock = new ManualClock()
  latency = 1_250
  server = await startProvider(({ body }, reply) => {
    clock.advance(latency)
    const asked = { ...Object(body) }
    if (asked.stream === true) return reply.events(openaiChat.streaming?.disassemble(completion('Hello.'), asked) ?? [])
    return reply.json(completion('Hello.'))
  })
})
afterEach(() => server.close())

function open(options: CacheOptions = {}) {
  const cache = createCache({ clock, logger: false, prices, scope: 'tenant-1', ...options })
  const heard: Heard = { hit: [], miss: [], spent: [], bypass: [], store: [], skip: [] }
  cache.on('hit', (event) => heard.hit.push(event))
  cache.on('miss', (event) => heard.miss.push(event))
  cache.on('spent', (event) => heard.spent.push(event))
  cache.on('bypass', (event) => heard.bypass.push(event))
  cache.on('store', (event) => heard.store.push(event))
  cache.on('skip', (event) => heard.skip.push(event))
  return { cache, heard }
}

describe.each([...sdks, ...sdks.map(offLane)])('the events of calls through $name', ({ make }) => {
  const common = { provider: 'openai', endpoint: 'chat.completions', model, operation: 'greet', scope: 'tenant-1' }

  it.each([false, true])('tell whose call it was, what it was for and what it cost, streamed: %s', async (stream) => {
    const { cache, heard } = open()
    const client = withCache(make({ url: server.url }), cache)
    const ask = async (): Promise<string | undefined> => {
      const options = stream ? { stream: true, stream_options: { include_usage: true } } : {}
      const answer = await client.chat.completions.create({ model, messages, ...options }, { cache: { operation: 'greet' } })
      if (isStream(answer)) for await (const _ of answer);
      await settle()
      return cacheInfo(answer)?.key
    }
    const key = await ask()
    const call = { ...common, key, streamed: stream }
    const cost = { answered, characters, usage, tokens: 21, usd, latency }
    expect(heard.miss).toEqual([{ ...call, inputs: 1, characters }])
    expect(heard.spent).toEqual([expect.objectContaining({ ...call, answered, usage, latency })])
    const size = heard.store[0]?.bytes
    // A stream is stored as its events.
    expect(size).toBe(stream ? size : JSON.stringify(completion('Hello.')).length)
    expect(size).toBeGreaterThan(100)
    expect(heard.store.map((event) => JSON.parse(JSON.stringify(event)))).toEqual([{ ...call, ...cost, bytes: size, ttl: 3_600, tags: [] }])
    expect(heard.spent.map(({ tokens, usd: dollars, bytes }) => [tokens, dollars, bytes])).toEqual([[21, usd, null]])
    clock.advance(90_900)
    await ask()
    expect(heard.hit.map((event) => JSON.parse(JSON.stringify(event)))).toEqual([
      { ...call, ...cost, bytes: size, source: 'memory', stale: false, age: 90, inputs: 1 },
    ])
    expect(heard.hit[0]?.usd).toBe(cache.stats().savedUsd)
    expect(heard.miss).toHaveLength(1)
    expect(heard.spent).toHaveLength(1)
  })

  it('tell why an answer was not stored, with its cost, and why a call bypassed the cache', async () => {
    const { cache, heard } = open({ policy: () => false })
    const client = withCache(make({ url: server.url }), cache)
    const answer = await client.chat.completions.create({ model, messages }, { cache: { operation: 'greet' } })
    await client.chat.completions.create({ model, messages }, { bypassCache: true, cache: { operation: 'greet' } })
    const call = { ...common, streamed: false }
    const size = JSON.stringify(completion('Hello.')).length
    expect(heard.skip.map((event) => JSON.parse(JSON.stringify(event)))).toEqual([
      { ...call, key: cacheInfo(answer)?.key, reason: 'policy', answered, characters, usage, tokens: 21, usd, latency, bytes: size },
    ])
    expect(heard.bypass).toEqual([{ ...call, key: '', reason: 'no-store' }])
    expect(heard.store).toEqual([])
  })
})

function openClient(options: CacheOptions = {}) {
  const opened = open(options)
  return { ...opened, openai: withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), opened.cache) }
}

describe('the events of calls', () => {
  it('of a call that joined another tell what it saved, but no size', async () => {
    const { heard, openai } = openClient()
    await Promise.all([1, 2].map(() => openai.chat.completions.create({ model, messages })))
    await settle()
    expect(heard.hit.map(({ source, bytes, tokens, usd: dollars, age }) => ({ source, bytes, tokens, dollars, age }))).toEqual([
      { source: 'flight', bytes: null, tokens: 21, dollars: usd, age: 0 },
    ])
  })

  it('count a batch by its inputs, and are as many as the counters say', async () => {
    const { cache, heard, openai } = openClient()
    server.respond(({ body }, reply) => {
      const { input } = { ...Object(body) }
      const data = input.map((text: string, index: number) => ({ object: 'embedding', index, embedding: [text.length] }))
      return reply.json({ object: 'list', model, data, usage: { prompt_tokens: input.length, total_tokens: input.length } })
    })
    for (const input of [['a', 'bb'], ['a', 'bb', 'ccc'], ['ccc']])
      await openai.embeddings.create({ model, input, encoding_format: 'float' })
    await settle()
    expect(heard.hit.map(({ inputs, tokens }) => [inputs, tokens])).toEqual([
      [2, 2],
      [1, 1],
    ])
    expect(heard.miss.map(({ inputs }) => inputs)).toEqual([2, 1])
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 3 })
  })

  it('of a value of your own have its key, and no provider', async () => {
    const { cache, heard } = openClient()
    await cache.set('colour', 'red')
    await cache.wrap('loop', '1m', () => () => {})
    expect(heard.store).toMatchObject([
      { key: 'colour', provider: '', endpoint: '', model: '', operation: 'value', scope: 'tenant-1', bytes: 5 },
    ])
    expect(heard.skip).toMatchObject([{ key: 'loop', operation: 'value', reason: 'not JSON', tokens: null, usd: null }])
  })

  it('know no dollars without prices, nor for a model without one', async () => {
    for (const given of [false, [{ model: 'another', input: 1, output: 1 }]] as const) {
      const { heard, openai } = openClient({ prices: given })
      await openai.chat.completions.create({ model, messages })
      expect(heard.store.map(({ usd: dollars, tokens }) => [dollars, tokens])).toEqual([[null, 21]])
    }
  })

  it('I7 show their figures in a log, and nothing of the question or the answer', async () => {
    const { heard, openai } = openClient()
    for (let time = 0; time < 2; time++) await openai.chat.completions.create({ model, messages })
    const shown = inspect(heard, { depth: 9, showHidden: true }) + JSON.stringify(heard)
    for (const text of ['usd: 33', 'tokens: 21', 'bytes: ']) expect(shown).toContain(text)
    for (const text of ['secret', 'Hello', '[Getter']) expect(shown).not.toContain(text)
  })

  it('ask for no price and measure no body while nobody reads them', async () => {
    const { openai } = openClient()
    await openai.chat.completions.create({ model, messages })
    const measure = vi.spyOn(Buffer, 'byteLength')
    const body = JSON.stringify(completion('Hello.'))
    try {
      await openai.chat.completions.create({ model, messages })
      expect(measure.mock.calls.filter(([text]) => text === body)).toEqual([])
    } finally {
      measure.mockRestore()
    }
  })
})

import { ChatOpenAI } from '@langchain/openai'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, cachingFetch, type CacheOptions, createCache, memoryStore, type Store, withCache } from '../../src/index.ts'
import { completion } from '../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'

let server: ProviderServer
beforeEach(async () => {
  server = await startProvider((_, reply) => reply.json(completion('Hi')))
})
afterEach(() => server.close())

function open(options: CacheOptions) {
  const cache = createCache({ logger: false, ...options })
  const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
  const ask = () => client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: 'Hi' }] })
  const events: string[] = []
  cache.on('store', () => events.push('store'))
  cache.on('skip', ({ reason }) => events.push(`skip: ${reason}`))
  return { cache, ask, events }
}

/** A cache, and a client that gets embeddings by it. */
function openForInputs(options: CacheOptions) {
  server.respond(({ body }, reply) => {
    const texts = textsOf(body)
    return reply.json({ model: 'm', data: texts.map((text, index) => ({ index, embedding: Array.from(text, () => 1) })) })
  })
  const { cache } = open(options)
  const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
  const embed = (...input: string[]) => client.embeddings.create({ model: 'm', input, encoding_format: 'float' })
  return { cache, embed }
}

const refuse = (): Promise<never> => Promise.reject(new Error('full'))

/** A store that takes no writes. */
function fullStore(how: 'set' | 'setMany'): Store {
  const store: Store = { ...memoryStore(), [how]: refuse }
  if (how === 'set') Reflect.deleteProperty(store, 'setMany')
  return store
}

/** The inputs in the body of a request. */
function textsOf(body: unknown): string[] {
  return [Reflect.get(Object(body), 'input')].flat().filter((each) => typeof each === 'string')
}

const nowhere = { stored: false, ttl: 0 }

describe('what the cache says of storing', () => {
  it('G37 with neither memory nor a store, nothing is stored', async () => {
    const { cache, ask, events } = open({ maxMemoryBytes: 0 })
    const info = cacheInfo(await ask())
    expect(info).toMatchObject({ ...nowhere, reason: 'no room' })
    expect(cacheInfo(await ask())).toMatchObject({ hit: false })
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'no room': 2 } })
    expect(events).toEqual(['skip: no room', 'skip: no room'])
  })

  it('G37 with a memory that is too small, nothing is stored', async () => {
    const { cache, ask } = open({ maxMemoryBytes: 200 })
    expect(cacheInfo(await ask())).toMatchObject({ ...nowhere, reason: 'no room' })
    expect(cache.stats()).toMatchObject({ stored: 0 })
  })

  it.each(['set', 'setMany'] as const)('G37 with a store whose %s fails and no memory, nothing is stored', async (how) => {
    const { cache, ask, events } = open({ maxMemoryBytes: 0, store: fullStore(how) })
    const info = cacheInfo(await ask())
    await cache.flush()
    expect(info).toMatchObject({ ...nowhere, reason: 'store failed' })
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'store failed': 1 }, errorKinds: { write: 1 } })
    expect(events).toEqual(['skip: store failed'])
  })

  it('G37 with a store that is left out after failures, nothing is stored', async () => {
    const { cache, ask } = open({ maxMemoryBytes: 0, store: fullStore('set') })
    const infos = []
    for (let time = 0; time < 8; time++) {
      infos.push(cacheInfo(await ask()))
      await cache.flush()
    }
    for (const info of infos) expect(info).toMatchObject(nowhere)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'store failed': 8 } })
  })

  it('G37 after close(), a store takes nothing, and nothing is stored', async () => {
    const { cache, ask, events } = open({ maxMemoryBytes: 0, store: memoryStore() })
    await cache.close()
    expect(cacheInfo(await ask())).toMatchObject({ ...nowhere, reason: 'store failed' })
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'store failed': 1 } })
    expect(events).toEqual(['skip: store failed'])
  })

  it('G37 an answer that is too large to wait for the store is not stored', async () => {
    const { cache } = open({ maxMemoryBytes: 0, maxEntryBytes: 100 * 2 ** 20, store: memoryStore() })
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    const info = await cache.store({ endpoint: 'chat.completions', body, scope: '' }, completion('Hi'.repeat(33 * 2 ** 20)))
    await cache.flush()
    expect(info).toMatchObject({ ...nowhere, reason: 'store failed' })
  })

  describe('of several inputs', () => {
    const [long, short] = ['a'.repeat(1_000), 'b']

    it('G37 nothing is stored with a store whose set fails and no memory', async () => {
      const { cache, embed } = openForInputs({ maxMemoryBytes: 0, store: fullStore('set') })
      const info = cacheInfo(await embed('a', 'b'))
      await cache.flush()
      expect(info).toMatchObject({ ...nowhere, reason: 'store failed' })
    })

    it.each([
      [long, short],
      [short, long],
    ])('G37 the whole is not stored if one of them is too large, in any order', async (...inputs) => {
      const { cache, embed } = openForInputs({ maxEntryBytes: 500 })
      expect(cacheInfo(await embed(...inputs))).toMatchObject({ ...nowhere, reason: 'too large' })
      expect(cache.stats()).toMatchObject({ stored: 1, skipped: { 'too large': 1 } })
      const body = { model: 'm', input: [...inputs], encoding_format: 'float' }
      const answer = { model: 'm', data: inputs.map((text, index) => ({ index, embedding: Array.from(text, () => 1) })) }
      expect(await cache.store({ endpoint: 'embeddings', body, scope: 's' }, answer)).toMatchObject({ ...nowhere, reason: 'too large' })
    })

    it('G37 the whole is stored once each of them is', async () => {
      const { embed } = openForInputs({})
      expect(cacheInfo(await embed(long, short))).toMatchObject({ stored: true, ttl: 3_600 })
      expect(cacheInfo(await embed(long, short))).toMatchObject({ hit: true, stored: true })
    })
  })

  it('G37 an answer that memory holds is stored, though the store fails', async () => {
    const { cache, ask } = open({ store: fullStore('set') })
    const info = cacheInfo(await ask())
    await cache.flush()
    expect(info).toMatchObject({ stored: true, ttl: 3_600 })
    expect(cacheInfo(await ask())).toMatchObject({ hit: true })
    expect(cache.stats()).toMatchObject({ stored: 1, skipped: {} })
  })

  it('G37 an answer that only the store holds is stored', async () => {
    const { cache, ask, events } = open({ maxMemoryBytes: 0, store: memoryStore() })
    const info = cacheInfo(await ask())
    await cache.flush()
    expect(info).toMatchObject({ stored: true, ttl: 3_600 })
    expect(cacheInfo(await ask())).toMatchObject({ hit: true })
    expect(cache.stats()).toMatchObject({ stored: 1 })
    expect(events).toEqual(['store'])
  })
})

const parses = (text: unknown): boolean => {
  try {
    JSON.parse(String(text))
    return true
  } catch {
    return false
  }
}

const part = (content: string, finish: string | null = null) => ({
  data: JSON.stringify({ model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] }),
})

const emptied: CacheOptions['policy'] = (answer) => {
  const body = answer.body()
  if (typeof body === 'object' && !(body instanceof Uint8Array)) body['choices'] = []
  return true
}

describe('a policy that looks at the answer', () => {
  it.each([
    ['without one, a framework that repeats a call gets the same bad answer', {}, 1, true],
    [
      'with one, it gets another answer',
      { policy: (answer) => parses(JSON.parse(JSON.stringify(answer.body())).choices[0].message.content) },
      2,
      false,
    ],
  ] satisfies [string, CacheOptions, number, boolean][])('G19 %s', async (_, options, requests, isBad) => {
    server.respond((_request, reply) => reply.json(completion(server.requests.length < 2 ? '{"a":' : '{"a":1}')))
    const fetch = cachingFetch(createCache({ logger: false, ...options }))
    const model = new ChatOpenAI({ model: 'gpt-test', apiKey: 'k', maxRetries: 0, configuration: { baseURL: server.url, fetch } })
    const asked = { type: 'object', properties: { a: { type: 'number' } } }
    const repeated = model.withStructuredOutput(asked, { method: 'jsonMode', name: 'a' }).withRetry({ stopAfterAttempt: 2 })
    const outcome: unknown = await repeated.invoke('Say a, as JSON').catch(() => 'bad')
    expect([outcome, server.requests.length]).toEqual([isBad ? 'bad' : { a: 1 }, requests])
  })

  it('G19 stores only what parses, whole and streamed, and reads a body only if asked', async () => {
    const texts: unknown[] = []
    const policy: CacheOptions['policy'] = (answer) => {
      const body = answer.body()
      const choices: unknown = Reflect.get(Object(body), 'choices')
      const text: unknown = Array.isArray(choices) ? choices[0]?.message?.content : undefined
      texts.push(text)
      return parses(text)
    }
    const cache = createCache({ logger: false, policy })
    const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    server.respond((_, reply) => reply.json(completion('no JSON')))
    expect(cacheInfo(await client.chat.completions.create({ model: 'm', messages }))).toMatchObject({ stored: false, reason: 'policy' })
    server.respond((_, reply) => reply.json(completion('{"a":1}')))
    expect(cacheInfo(await client.chat.completions.create({ model: 'm', messages }))).toMatchObject({ stored: true })
    server.respond((_, reply) => reply.events([part('{"b"'), part(':2}', 'stop'), { data: '[DONE]' }]))
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true, seed: 1 })
    for await (const _ of stream);
    expect(cacheInfo(stream)).toMatchObject({ stored: true })
    expect(texts).toEqual(['no JSON', '{"a":1}', '{"b":2}'])
  })

  it('gives a copy, which the policy may change', async () => {
    const cache = createCache({ logger: false, policy: emptied })
    const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
    const ask = () => client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
    await ask()
    expect(await ask()).toMatchObject({ choices: [{ message: { content: 'Hi' } }] })
  })
})

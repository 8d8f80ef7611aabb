import * as fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, it, vi } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { values } from '../../support/json-values.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { type SdkClient as AnthropicClient, sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { completion } from '../../support/openai-answers.ts'
import {
  azureSdks,
  type SdkClient as OpenAiClient,
  type SdkOptions,
  type SdkPromise,
  sdks as openaiSdks,
} from '../../support/openai-sdks.ts'
import { failureOf, outcomeOf } from '../../support/outcome.ts'
import { until } from '../../support/until.ts'

type Promised = Omit<SdkPromise, 'withResponse'> & { withResponse(): Promise<{ readonly data: unknown; readonly response: Response }> }

/** A client of any SDK, and how to call it. */
interface Subject {
  readonly name: string
  readonly make: (options: Pick<SdkOptions, 'url' | 'fetch' | 'fetchOptions'>) => object
  readonly ask: (client: object, body: object, options?: object) => Promised
  readonly body: object
  readonly answer: object
}

/** The methods of an SDK's own class that the tests have replaced. */
interface SdkClass {
  getUserAgent: () => string
  makeRequest: (...given: unknown[]) => Promise<object>
  prepareOptions: (options: { body: object }) => Promise<void>
}

const url = 'https://provider.invalid/v1'
const messages = [{ role: 'user', content: 'Hi' }]
const openaiAnswer = completion('Hello.')

const subjects: readonly Subject[] = [
  ...openaiSdks.map(({ name, make }) => ({
    name,
    make,
    ask: (client: object, body: object, options?: object) => openaiOf(client).chat.completions.create(body, options),
    body: { model: 'gpt-test', messages },
    answer: openaiAnswer,
  })),
  ...anthropicSdks.map(({ name, make }) => ({
    name,
    make,
    ask: (client: object, body: object, options?: object) => anthropicOf(client).messages.create(body, options),
    body: { model: 'claude-test', max_tokens: 9, messages },
    answer: message([text('Hello.')]),
  })),
]

function openaiOf(client: object): OpenAiClient {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each is made by the SDK that calls it
  return client as OpenAiClient
}

function anthropicOf(client: object): AnthropicClient {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each is made by the SDK that calls it
  return client as AnthropicClient
}

/** The prototype of the SDK's own class, which holds its methods. */
function classOf(client: object): SdkClass {
  let owner: unknown = client
  while (typeof owner === 'object' && owner !== null && !Object.hasOwn(owner, 'makeRequest')) owner = Object.getPrototypeOf(owner)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests fail if it does not have these methods
  return owner as SdkClass
}

function withSeed(body: object): object {
  return { ...body, seed: 1 }
}

async function answering(): Promise<Response> {
  return Response.json(completion('Hello.'))
}

function chat(client: object): PromiseLike<unknown> {
  return openaiOf(client).chat.completions.create({ model: 'gpt-test', messages })
}

function embed(client: object): PromiseLike<unknown> {
  return openaiOf(client).embeddings.create({ model: 'm', input: 'Hi', encoding_format: 'float' })
}

/** Counts the requests that the SDK builds from now on. It asks for its own name to build one; the lane does not depend on that name. */
function counting(client: object): () => number {
  const build = vi.spyOn(classOf(client), 'getUserAgent')
  return () => build.mock.calls.length
}

/** How many requests the SDK builds for three equal calls. */
async function builtFor(bare: object, ask = chat): Promise<number> {
  const built = counting(bare)
  const client = withCache(bare)
  for (let call = 0; call < 3; call++) await ask(client)
  return built()
}
/** A wrapped client whose provider answers at once
, and what can be counted of it. */
function open(subject: Subject, options: CacheOptions = {}) {
  const headers = { 'x-request-id': 'req_1', 'request-id': 'req_1' }
  const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(subject.answer, { headers }))
  const bare = subject.make({ url, fetch })
  const cache = createCache({ logger: false, ...options })
  return { fetch, bare, cache, client: withCache(bare, cache), built: counting(bare) }
}

describe.each(subjects)('the fast lane of $name', (subject) => {
  const ask = (client: object, body = subject.body, options?: object): Promised => subject.ask(client, body, options)

  it('answers a hit before the SDK builds a request, with the answer of the documented way', async () => {
    const { client, bare, fetch, cache, built } = open(subject)
    const miss = await ask(client)
    expect([fetch.mock.calls.length, built()]).toEqual([1, 1])
    const hit = await ask(client)
    expect([fetch.mock.calls.length, built()]).toEqual([1, 1])
    const seam = await ask(client, subject.body, { fetchOptions: { redirect: 'follow' } })
    expect([fetch.mock.calls.length, built()]).toEqual([1, 2])
    const plain = await ask(bare)
    expect([miss, hit, seam]).toStrictEqual([plain, plain, plain])
    expect({ ...cacheInfo(hit) }).toEqual({ ...cacheInfo(seam) })
    expect(cacheInfo(hit)).toMatchObject({ hit: true, source: 'memory', key: cacheInfo(miss)?.key })
    expect(Reflect.get(Object(hit), '_cache')).toBe(cacheInfo(hit))
    expect(Reflect.get(Object(hit), '_request_id')).toBe('req_1')
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1 })
  })

  it('gives each caller a copy of its own', async () => {
    const { client } = open(subject)
    const [first, second, third] = [await ask(client), await ask(client), await ask(client)]
    Object.assign(Object(second), { model: 'changed' })
    expect(third).toStrictEqual(first)
    expect(await ask(client)).toStrictEqual(first)
  })

  it('gives a real response to a caller that asks for it', async () => {
    const { client, built } = open(subject)
    await ask(client)
    const { data, response } = await ask(client).withResponse()
    expect(Object.getPrototypeOf(response)).toBe(Response.prototype)
    expect([response.status, response.ok, response.bodyUsed]).toEqual([200, true, true])
    expect(response.url).toMatch(/^https:\/\/provider\.invalid\/v1\/(chat\/completions|messages)$/)
    expect([response.headers.get('age'), response.headers.get('cache-status')]).toEqual(['0', 'llmemo; hit; ttl=3600; detail=memory'])
    expect(cacheInfo(response)).toBe(cacheInfo(data))
    const raw = await ask(client).asResponse()
    expect(Object.getPrototypeOf(raw)).toBe(Response.prototype)
    expect(raw.bodyUsed).toBe(false)
    expect(await raw.clone().json()).toEqual(subject.answer)
    expect(await raw.json()).toEqual(subject.answer)
    await expect(raw.text()).rejects.toThrow(TypeError)
    expect(built()).toBe(1)
  })

  it('reads one response once, by the SDK or by the caller', async () => {
    const { client } = open(subject)
    await ask(client)
    const promise = ask(client)
    const response = await promise.asResponse()
    expect(await response.json()).toEqual(subject.answer)
    await expect(Promise.resolve(promise)).rejects.toThrow(TypeError)
  })

  it('counts hits and emits events', async () => {
    const { client, cache } = open(subject)
    const told: unknown[] = []
    for (const name of ['hit', 'miss', 'bypass'] as const) cache.on(name, () => void told.push(name))
    await ask(client)
    await ask(client)
    await ask(client, subject.body, { bypassCache: true })
    expect(told).toEqual(['miss', 'hit', 'bypass'])
  })

  it('obeys the options of a call', async () => {
    const { client, fetch, built } = open(subject)
    await ask(client)
    const other = await ask(client, subject.body, { cache: { context: 'other', operation: 'qa' } })
    expect(cacheInfo(other)).toMatchObject({ hit: false, operation: 'qa' })
    expect(cacheInfo(await ask(client, subject.body, { cache: { mode: 'reload' } }))).toMatchObject({ hit: false, stored: true })
    expect(fetch).toHaveBeenCalledTimes(3)
    const before = built()
    expect(cacheInfo(await ask(client, subject.body, { cache: { context: 'other', operation: 'qa' } }))).toMatchObject({ hit: true })
    expect(cacheInfo(await ask(client, subject.body, { cache: { mode: 'only-if-cached' } }))).toMatchObject({ hit: true })
    expect(built()).toBe(before)
    await expect(Promise.resolve(ask(client, subject.body, { cache: { mode: 'wrong' } }))).rejects.toThrow('cache.mode')
  })

  it('I3: learns again after a change of the credential, the address or the headers of the client', async () => {
    const { client, fetch } = open(subject)
    await ask(client)
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
    for (const [name, value] of [
      ['apiKey', 'other-key'],
      ['baseURL', 'https://elsewhere.invalid/v1'],
    ] as const) {
      const before = Reflect.get(client, name)
      Reflect.set(client, name, value)
      expect(cacheInfo(await ask(client))).toMatchObject({ hit: false })
      expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
      Reflect.set(client, name, before)
      expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
    }
    const options: unknown = Reflect.get(client, '_options')
    Reflect.set(Object(options), 'defaultHeaders', { 'x-special': 'one' })
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: false })
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
    Object.assign(Reflect.get(Object(options), 'defaultHeaders'), { 'x-special': 'two' })
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: false })
    expect(fetch).toHaveBeenCalledTimes(5)
  })

  it.each<[string, object]>([
    ['headers of its own', { headers: { 'x-special': '1' } }],
    ['a query of its own', { query: { special: '1' } }],
    ['fetchOptions of its own', { fetchOptions: { redirect: 'follow' } }],
    ['an unknown option', { __tomorrow: 1 }],
  ])('leaves a call with %s to the documented way', async (_, options) => {
    const { client, built } = open(subject)
    for (let call = 0; call < 3; call++) await ask(client)
    expect(built()).toBe(1)
    const first = await ask(client, subject.body, options)
    expect(built()).toBe(2)
    const second = await ask(client, subject.body, options)
    expect(built()).toBe(3)
    expect(cacheInfo(second)).toMatchObject({ hit: true, key: cacheInfo(first)?.key })
  })

  it('leaves the errors of the SDK to the SDK', async () => {
    const { client, bare } = open(subject)
    await ask(client)
    await ask(client)
    const failure = async (of: object, options: object) =>
      failureOf(await Promise.resolve(ask(of, subject.body, options)).catch((error: unknown) => error))
    for (const options of [{ signal: AbortSignal.abort() }, { timeout: -1 }, { maxRetries: 0.5 }]) {
      expect(await failure(client, options)).toStrictEqual(await failure(bare, options))
    }
  })

  it.each<[string, object | undefined, boolean]>([
    ['a date', { when: new Date(0) }, true],
    [
      'an object of a class',
      {
        held: new (class Held {
          a = 1
        })(),
      },
      true,
    ],
    ['a number that is rounded', { seed: 1.2345678901234567e19 }, false],
    ['raw JSON', { seed: Reflect.get(JSON, 'rawJSON')?.('1.50') }, false],
    [
      'a text that says something else',
      {
        messages: [
          {
            role: 'user',
            content: [
              Object.create(
                { toJSON: () => ({ type: 'text', text: 'B' }) },
                { type: { value: 'text', enumerable: true }, text: { value: 'A', enumerable: true } },
              ),
            ],
          },
        ],
      },
      true,
    ],
  ])('leaves a body to the documented way if it may be sent as something else than was read: %s', async (_, extra, isRead) => {
    const { client, bare, built } = open(subject)
    await ask(client)
    await ask(client)
    const body = { ...subject.body, ...extra }
    for (const count of isRead ? [2, 2] : [2, 3]) {
      await ask(client, body)
      expect(built()).toBe(count)
    }
    expect(await ask(client, body)).toStrictEqual(await ask(bare, body))
  })

  it('streams a stored answer too, except for a call with a signal of its caller', async () => {
    const { client, built, fetch } = open(subject)
    await ask(client)
    await ask(client)
    const body = { ...subject.body, stream: true, ...(subject.answer === openaiAnswer && { stream_options: { include_usage: true } }) }
    const slow = await outcomeOf(() => ask(client, body, { fetchOptions: { redirect: 'follow' } }))
    expect([built(), fetch.mock.calls.length, slow.error]).toEqual([2, 1, undefined])
    expect(await outcomeOf(() => ask(client, body))).toStrictEqual(slow)
    expect(built()).toBe(2)
    const stream = Object(await ask(client, body))
    expect(cacheInfo(stream)).toMatchObject({ hit: true, source: 'memory' })
    const seen: unknown[] = []
    for await (const event of stream) if (seen.push(event) === 2) stream.controller.abort()
    expect(seen).toEqual(slow.events?.slice(0, 2))
    const raw = await ask(client, body).asResponse()
    expect([Object.getPrototypeOf(raw), raw.headers.get('content-type')]).toEqual([Response.prototype, 'text/event-stream; charset=utf-8'])
    expect(built()).toBe(2)
    const controller = new AbortController()
    expect(await outcomeOf(() => ask(client, body, { signal: controller.signal }))).toStrictEqual(slow)
    expect(built()).toBe(3)
  })

  it('leaves an answer that is stale, or due for a refresh, to the documented way', async () => {
    const clock = new ManualClock()
    const { client, fetch, built } = open(subject, { clock, ttl: '10m', stale: '1h', refreshAhead: 0.1 })
    await ask(client)
    await ask(client)
    expect(built()).toBe(1)
    clock.advance(9.5 * 60_000)
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
    await until(() => clock.timers === 0)
    expect(fetch).toHaveBeenCalledTimes(2)
    clock.advance(11 * 60_000)
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: false })
    clock.advance(11 * 60_000)
    expect(cacheInfo(await ask(client, subject.body, { cache: { mode: 'force-cache' } }))).toMatchObject({ hit: true, stale: true })
  })

  it('K11: a listener of "hit" that makes the same call is not called within itself', async () => {
    const { client, cache } = open(subject)
    await ask(client)
    const inner: PromiseLike<unknown>[] = []
    cache.on('hit', () => {
      if (inner.length < 3) inner.push(ask(client))
    })
    const answer = await ask(client)
    for (const each of inner) expect(await each).toStrictEqual(answer)
    expect(inner).toHaveLength(3)
  })

  it('does not serve an invalidated answer', async () => {
    const { client, cache } = open(subject)
    await ask(client)
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
    await cache.invalidate({ all: true })
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: false })
    expect(cacheInfo(await ask(client))).toMatchObject({ hit: true })
  })

  it.each<[string, (client: object) => void]>([
    ['hook is put on it', (client) => void Reflect.set(client, 'prepareOptions', async () => undefined)],
    ['other fetch is put into it', (client) => void Reflect.set(client, 'fetch', async () => Response.json(subject.answer))],
    ['log tells of every call', (client) => void Reflect.set(client, 'logLevel', 'info')],
    ['option of fetch is set for all calls', (client) => void Reflect.set(client, 'fetchOptions', { redirect: 'follow' })],
  ])('closes when a client is changed: a %s', async (name, change) => {
    const { client, built } = open(subject)
    await ask(client)
    await ask(client)
    expect(built()).toBe(1)
    Reflect.set(client, 'logger', { debug() {}, info() {}, warn() {}, error() {} })
    change(client)
    await ask(client)
    // A middleware runs above any fetch, so the lane need not watch that one.
    expect(built()).toBe(name.startsWith('other fetch') && Array.isArray(Reflect.get(client, 'middleware')) ? 1 : 2)
  })

  it('is not opened if the SDK differs from the known one', async () => {
    const { bare, cache, built } = open(subject)
    const owner = classOf(bare)
    const own = owner.makeRequest
    vi.spyOn(owner, 'makeRequest').mockImplementation(async function made(this: unknown, ...given) {
      return { ...(await Reflect.apply(own, this, given)), tomorrow: 1 }
    })
    const client = withCache(bare, cache)
    for (let call = 1; call <= 3; call++) {
      await ask(client)
      expect(built()).toBe(call)
    }
  })

  it('is not opened if a method of the SDK is replaced, whether it changes a body or not', async () => {
    const { bare, cache, fetch, built } = open(subject)
    let rewrites = withSeed
    const owner = classOf(bare)
    vi.spyOn(owner, 'prepareOptions').mockImplementation(async (options) => {
      options.body = rewrites(options.body)
    })
    const never = withCache(bare, cache)
    for (let call = 1; call <= 3; call++) {
      await ask(never)
      expect(built()).toBe(call)
    }
    rewrites = (body) => ('top_p' in body ? withSeed(body) : body)
    const client = withCache(bare, cache)
    await ask(client)
    await ask(client)
    expect(built()).toBe(5)
    await ask(client, { ...subject.body, top_p: 1 })
    await ask(client)
    expect(built()).toBe(7)
    expect(fetch).toHaveBeenCalledTimes(3)
  })

  it('is separate for each client', async () => {
    const { bare, cache, client, fetch } = open(subject)
    await ask(client)
    await ask(client)
    const other = Reflect.apply(Reflect.get(bare, 'withOptions'), bare, [{ apiKey: 'other-key' }])
    const cached = withCache(Object(other), cache)
    expect(cacheInfo(await ask(cached))).toMatchObject({ hit: false })
    expect(cacheInfo(await ask(cached))).toMatchObject({ hit: true })
    expect(fetch).toHaveBeenCalledTimes(2)
  })
})

describe.each(subjects)('the key on the fast lane of $name', (subject) => {
  /** Mostly values that JSON writes without a change. */
  const exact = values.map((value): unknown =>
    JSON.parse(JSON.stringify(value), (_, each: unknown) => (typeof each === 'number' && Math.abs(each) > 1e15 ? 1 : each)),
  )
  const any = fc.oneof({ weight: 20, arbitrary: exact }, { weight: 1, arbitrary: values })
  const plain = { noNullPrototype: true, requiredKeys: [] }
  const marked = [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }]
  const part = fc.record({ type: fc.constantFrom('text', 'image'), text: fc.string(), more: any }, plain)
  const content = fc.oneof(fc.string(), fc.constantFrom(undefined, marked), fc.array(part, { maxLength: 2 }))
  const said = fc.record({ role: fc.constantFrom('user', 'assistant', 'system', 'tool', 'other'), content }, plain)
  const tool = fc.record({ name: fc.string(), cache_control: any, nothing: fc.constant(undefined) }, plain)
  const bodies = fc.record(
    {
      messages: fc.array(said, { maxLength: 3 }),
      system: content,
      tools: fc.array(tool, { maxLength: 2 }),
      metadata: any,
      user: fc.string(),
      stream: fc.constantFrom(false, undefined),
      temperature: fc.constantFrom(0, 0.5, undefined, -0),
      other: any,
    },
    plain,
  )

  it('is the key of the documented way', async () => {
    const { client, built } = open(subject)
    const ask = (body: object, options?: object): Promised => subject.ask(client, { ...subject.body, ...body }, options)
    await ask({ messages: [] })
    let onLane = 0
    const asked = fc.asyncProperty(bodies, async (body) => {
      await ask(body)
      const before = built()
      const info = cacheInfo(await ask(body))
      if (built() === before) onLane++
      const other = cacheInfo(await ask(body, { fetchOptions: { redirect: 'follow' } }))
      expect([info?.key, info?.hit, info?.reason]).toEqual([other?.key, other?.hit, other?.reason])
    })
    await fc.assert(asked, { numRuns: 150 })
    expect(onLane).toBeGreaterThan(100)
    // With another key the lane would have closed.
    const before = built()
    await ask({ messages: [] })
    expect(built()).toBe(before)
  })
})

describe('never on the fast lane:', () => {
  it.each(azureSdks)('$name', async ({ make }) => {
    expect(await builtFor(make({ url, fetch: answering }))).toBe(3)
  })

  it.each(openaiSdks)('a client of $name with a key that may change', async ({ make }) => {
    expect(await builtFor(make({ url, fetch: answering, apiKey: async () => 'a-key' }))).toBe(3)
  })

  it('a client of a class that builds its own requests', async () => {
    class Own extends OpenAI {
      protected override async prepareOptions(): Promise<void> {}
    }
    expect(await builtFor(new Own({ baseURL: url, apiKey: 'test-key', fetch: answering }))).toBe(3)
  })

  it('but a client of a subclass that does not touch the requests is', async () => {
    class Own extends OpenAI {
      readonly mine = true
    }
    expect(await builtFor(new Own({ baseURL: url, apiKey: 'test-key', fetch: answering }))).toBe(1)
  })

  it('embeddings, as each input is cached by itself', async () => {
    const data = [{ object: 'embedding', index: 0, embedding: [1, 2] }]
    const list = { object: 'list', model: 'm', data, usage: { prompt_tokens: 1, total_tokens: 1 } }
    const bare = new OpenAI({ baseURL: url, apiKey: 'test-key', fetch: async () => Response.json(list) })
    expect(await builtFor(bare, embed)).toBe(3)
  })
})

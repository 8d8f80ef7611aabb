import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatEvents, type ServerEvent } from '../../../src/base/server-sent-events.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { chunksOf, completion, response } from '../../support/openai-answers.ts'
import { type SdkClient as OpenAiClient, sdks as openaiSdks } from '../../support/openai-sdks.ts'
import { failureOf, outcomeOf, read } from '../../support/outcome.ts'
import { until } from '../../support/until.ts'

/** A resource with a cached method, as the tests call it. */
interface Resource {
  create(
    body: object,
    options?: object,
  ): PromiseLike<unknown> & {
    asResponse(): Promise<Response>
    withResponse(): Promise<{ readonly data: unknown; readonly response: Response }>
  }
}

interface Subject {
  readonly name: string
  readonly make: (options: { url: string; fetch: typeof fetch; fetchOptions?: { redirect: 'follow' } }) => object
  readonly path: readonly string[]
  /** The answer that says `said`. */
  readonly answer: (said: string) => object
  readonly events: (said: string) => readonly ServerEvent[]
}

const subjects: readonly Subject[] = [
  ...openaiSdks.map(({ name, make }) => ({
    name,
    make,
    path: ['chat', 'completions'],
    answer: (said: string) => completion(said),
    events: (said: string) => chunksOf(said).flat(),
  })),
  ...anthropicSdks.map(({ name, make }) => ({
    name,
    make,
    path: ['messages'],
    answer: (said: string) => message([text(said)]),
    events: (said: string) => textEvents(said).flat(),
  })),
]

const url = 'https://provider.invalid/v1'
const asking = (content: unknown = 'Hi') => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] })

function resourceOf(client: object, path: readonly string[]): Resource {
  return Object(path.reduce<unknown>((parent, name) => Reflect.get(Object(parent), name), client))
}

/** A wrapped client whose provider repeats what it is asked. */
function open({ make, path, answer, events }: Subject, cache: Cache = createCache({ logger: false })) {
  const upstream = vi.fn<typeof fetch>(async (_, init) => {
    const { messages, stream } = JSON.parse(typeof init?.body === 'string' ? init.body : '{}')
    const said = JSON.stringify(messages)
    const headers = { 'x-request-id': 'req_1', 'request-id': 'req_1' }
    if (stream !== true) return Response.json(answer(said), { headers })
    return new Response(formatEvents(events(said)), { headers: { ...headers, 'content-type': 'text/event-stream' } })
  })
  const bare = make({ url, fetch: upstream })
  const client = withCache(bare, cache)
  const create: Resource['create'] = (...given) => resourceOf(client, path).create(...given)
  return { upstream, bare, client, cache, create, own: resourceOf(bare, path) }
}

/** Whether a call is answered where the SDK's method begins: any other way to a hit takes more turns. */
async function isAtOnce(cache: Cache, call: () => PromiseLike<unknown>): Promise<boolean> {
  let heard = false
  const off = cache.on('hit', () => void (heard = true))
  const promise = call()
  await Promise.resolve()
  const found = heard
  await promise
  off()
  return found
}

/** The members of a result that no list shows, less ours. */
function hidden(of: object): string[] {
  return Object.getOwnPropertyNames(of).filter((name) => !Object.keys(of).includes(name) && name !== '_cache')
}

/** What the first reading of a stream gives, and how the second one fails. */
async function readTwice(stream: AsyncIterable<unknown>) {
  const events = await read(stream)
  return { events, failure: failureOf(await read(stream).catch((error: unknown) => error)) }
}

function abort({ controller }: { controller: AbortController }): boolean {
  controller.abort()
  return false
}

async function responding(): Promise<Response> {
  return Response.json(response('In Germany.'))
}

afterEach(() => vi.restoreAllMocks())

describe.each(subjects)('the lane of the methods of $name', (subject) => {
  it.each(['unread', 'read', 'left'])(
    'G29 leaves no more on a signal that lives longer than the bare client does: streams that are %s',
    async (manner) => {
      const { create, own, cache } = open(subject, createCache({ logger: false, streamUsage: false }))
      const left: number[] = []
      for (const resource of [own, { create }]) {
        const { signal } = new AbortController()
        const kept: unknown[] = []
        for (let call = 0; call < 10; call++) {
          const stream = await resource.create({ ...asking(), stream: true }, { signal })
          // What is read to its end once is a hit from then on.
          if (manner === 'read' || call === 0) await read(Object(stream))
          else if (manner === 'left') for await (const event of Object(stream)) if (kept.push(event) > 0) break
          kept.push(stream)
        }
        left.push(getEventListeners(signal, 'abort').length)
      }
      expect(left[1]).toBeLessThanOrEqual(left[0] ?? 0)
      expect(cache.stats()).toMatchObject({ hits: 9, misses: 1 })
    },
  )

  it('learns a long call when it comes again, and many of which none came again before all were made', async () => {
    const { cache, create, upstream } = open(subject)
    const long = Array.from({ length: 20 }, (_, index) => asking(`${index} `.padEnd(20_000 + index, 'long ')))
    const rounds: boolean[][] = []
    for (let round = 0; round < 3; round++) {
      const atOnce: boolean[] = []
      for (const body of long) atOnce.push(await isAtOnce(cache, () => create(body)))
      rounds.push(atOnce)
    }
    expect(rounds.at(-1)).toEqual(long.map(() => true))
    expect(await isAtOnce(cache, () => create(asking('x'.repeat(100_000))))).toBe(false)
    expect(await isAtOnce(cache, () => create(asking('x'.repeat(100_000))))).toBe(true)
    expect(upstream).toHaveBeenCalledTimes(long.length + 1)
  })

  it('answers a call that was made before with the result of the SDK', async () => {
    const { cache, create, own, upstream } = open(subject)
    await create(asking())
    expect(await isAtOnce(cache, () => create(asking()))).toBe(true)
    expect(upstream).toHaveBeenCalledTimes(1)
    const [hit, plain] = [create(asking()), own.create(asking())]
    expect(Object.getPrototypeOf(hit)).toBe(Object.getPrototypeOf(plain))
    const [value, expected] = [Object(await hit), Object(await plain)]
    expect(value).toStrictEqual(expected)
    expect(hidden(value).map((name) => [name, value[name]])).toEqual(hidden(expected).map((name) => [name, expected[name]]))
    expect(cacheInfo(value)).toMatchObject({ hit: true, source: 'memory' })
    expect(value._cache).toBe(cacheInfo(value))
    const { data, response: real } = await create(asking()).withResponse()
    expect([data, real.bodyUsed, cacheInfo(real)?.hit]).toEqual([expected, true, true])
  })

  it('answers calls with options of the cache by themselves', async () => {
    const { cache, create, upstream } = open(subject)
    const qa = { cache: { operation: 'qa', context: { a: 1 } } }
    await create(asking(), qa)
    expect(await isAtOnce(cache, () => create(asking(), qa))).toBe(true)
    expect(cacheInfo(await create(asking(), qa))).toMatchObject({ operation: 'qa', hit: true })
    expect(cacheInfo(await create(asking()))).toMatchObject({ hit: false })
    expect(cacheInfo(await create(asking(), { cache: { mode: 'reload' } }))).toMatchObject({ hit: false })
    expect(upstream).toHaveBeenCalledTimes(3)
  })

  it('asks the switches of a cache for each call', async () => {
    let isOn = true
    const { create, upstream } = open(subject, createCache({ logger: false, enabled: () => isOn }))
    await create(asking())
    expect(cacheInfo(await create(asking()))).toMatchObject({ hit: true })
    isOn = false
    expect(cacheInfo(await create(asking()))?.hit).not.toBe(true)
    expect(upstream).toHaveBeenCalledTimes(2)
  })

  it('I3: learns nothing of a body that the caller changes after the call', async () => {
    const { create } = open(subject)
    for (let turn = 0; turn < 3; turn++) {
      const body = asking('one')
      const first = create(body)
      Object.assign(body, asking('two'))
      await first
      for (const content of ['one', 'two']) {
        expect(JSON.stringify(await create(asking(content)))).toContain(content)
        expect(JSON.stringify(await create(asking(content)))).not.toContain(content === 'one' ? 'two' : 'one')
      }
    }
  })

  it('I3: two clients over one cache, and a client that changes, have answers of their own', async () => {
    const { cache, create, client, upstream } = open(subject)
    const other = open(subject, cache)
    Reflect.set(other.client, 'apiKey', 'other-key')
    for (const ask of [create, other.create]) for (let call = 0; call < 2; call++) await ask(asking())
    expect([upstream.mock.calls.length, other.upstream.mock.calls.length]).toEqual([1, 1])
    for (const ask of [create, other.create]) expect(await isAtOnce(cache, () => ask(asking()))).toBe(true)
    Reflect.set(client, 'apiKey', 'third-key')
    expect(cacheInfo(await create(asking()))).toMatchObject({ hit: false })
  })

  it.each<[string, (opened: ReturnType<typeof open>) => void]>([
    ['a method on the resource of the given client', ({ own }) => void Object.assign(own, { create: own.create.bind(own) })],
    ['a method on the class', ({ own }) => void vi.spyOn(Object.getPrototypeOf(own), 'create')],
    ['post', ({ client }) => void Reflect.set(client, 'post', Reflect.get(client, 'post').bind(client))],
    ['makeRequest', ({ client }) => void Reflect.set(client, 'makeRequest', Reflect.get(client, 'makeRequest').bind(client))],
    ['a hook of the given client', ({ bare }) => void Reflect.set(bare, 'prepareOptions', async () => undefined)],
  ])('G04: is shut while the caller has replaced %s', async (_, replace) => {
    const opened = open(subject)
    for (let call = 0; call < 2; call++) await opened.create(asking())
    replace(opened)
    expect(await isAtOnce(opened.cache, () => opened.create(asking()))).toBe(false)
  })

  it.each<[string, () => object, object[]]>([
    [
      'a getter',
      () => ({
        ...asking(),
        get seed() {
          return 1
        },
      }),
      [],
    ],
    ['a toJSON', () => ({ ...asking(), seed: { toJSON: () => 1 } }), []],
    ['a member that is not listed', () => Object.defineProperty(asking(), 'stream', { value: false }), []],
    ['a member under a symbol', () => ({ ...asking(), [Symbol('a')]: 1 }), []],
    ['a number that JSON cannot hold', () => ({ ...asking(), seed: Number.NaN }), []],
    ['headers', asking, [{ headers: { 'x-special': '1' } }]],
    ['a signal', asking, [{ signal: new AbortController().signal }]],
    ['an unknown option', asking, [{ tomorrow: 1 }]],
  ])('G62: leaves a call with %s to the SDK', async (_, body, options) => {
    const { cache, create } = open(subject)
    await create({ ...asking(), seed: 1 })
    for (let call = 0; call < 2; call++) await create(body(), ...options)
    expect(await isAtOnce(cache, () => create(body(), ...options))).toBe(false)
  })

  it('never takes what JSON cannot hold for what it writes instead', async () => {
    const { create } = open(subject)
    for (let call = 0; call < 2; call++) await create({ ...asking(), seed: null })
    expect(cacheInfo(await create({ ...asking(), seed: Number.NaN }))).toMatchObject({ hit: false })
  })

  it('streams a recorded answer as the SDK streams it', async () => {
    const { cache, create, own, upstream } = open(subject)
    const body = { ...asking(), stream: true }
    await outcomeOf(() => create(body))
    await outcomeOf(() => create(body))
    const calls = upstream.mock.calls.length
    expect(await isAtOnce(cache, () => create(body))).toBe(true)
    const plain = await outcomeOf(() => own.create(body))
    expect(await outcomeOf(() => create(body))).toStrictEqual(plain)
    const [stream, bareStream] = [Object(await create(body)), Object(await own.create(body))]
    expect(Object.getPrototypeOf(stream)).toBe(Object.getPrototypeOf(bareStream))
    expect(cacheInfo(stream)).toMatchObject({ hit: true, source: 'memory' })
    const [left, right] = stream.tee()
    expect([await read(left), await read(right)]).toEqual([plain.events, plain.events])
    await read(bareStream)
    expect(await readTwice(Object(await create(body)))).toStrictEqual(await readTwice(Object(await own.create(body))))
    const { data, response: real } = await create(body).withResponse()
    expect([await read(Object(data)), real.bodyUsed]).toEqual([plain.events, true])
    expect(upstream.mock.calls.length - calls).toBe(3)
  })

  it('a stream that is left or aborted ends as one of the SDK', async () => {
    const { create, own } = open(subject)
    const body = { ...asking(), stream: true }
    for (let call = 0; call < 2; call++) await outcomeOf(() => create(body))
    const left = async (of: Resource['create'], leave: (stream: { controller: AbortController }) => boolean) => {
      const stream = Object(await of(body))
      const seen: unknown[] = []
      for await (const event of stream) if (seen.push(event) === 2 && leave(stream)) break
      return { seen, aborted: stream.controller.signal.aborted, rest: await read(stream).catch((error: unknown) => failureOf(error)) }
    }
    const bareCreate: Resource['create'] = (...given) => own.create(...given)
    expect((await left(create, abort)).seen).toEqual((await left(create, () => true)).seen)
    expect(await left(create, () => true)).toStrictEqual(await left(bareCreate, () => true))
  })

  it('tells the facts of a call past the cache on all that its caller gets, and counts it once', async () => {
    const { cache, create, upstream } = open(subject)
    const options = { bypassCache: true }
    const first = await create(asking(), options)
    const facts = { ...cacheInfo(first) }
    expect(facts).toMatchObject({ hit: false, source: 'origin', reason: 'no-store' })
    const { data, response: beside } = await create(asking(), options).withResponse()
    const raw = await create(asking(), options).asResponse()
    const stream = await create({ ...asking(), stream: true }, options)
    for (const of of [data, beside, raw, stream]) expect({ ...cacheInfo(of) }).toEqual(facts)
    expect(data).toStrictEqual(first)
    void create(asking(), options)
    await until(() => cache.stats().bypasses === 5)
    expect(upstream).toHaveBeenCalledTimes(5)
  })

  it('makes a call that bypasses the cache as the given client is now, and counts it once', async () => {
    const { cache, client, create, upstream } = open(subject)
    const told: unknown[] = []
    cache.on('bypass', (event) => void told.push(event))
    const first = await create(asking(), { bypassCache: true })
    const second = await create(asking(), { cache: { mode: 'no-store', operation: 'qa' } })
    expect(second).toStrictEqual(first)
    expect(upstream).toHaveBeenCalledTimes(2)
    expect({ ...cacheInfo(second) }).toEqual({ ...cacheInfo(first), operation: 'qa' })
    expect(cache.stats()).toMatchObject({ bypasses: 2, hits: 0, misses: 0, bypassReasons: { 'no-store': 2 } })
    expect(told).toHaveLength(2)
    Reflect.set(client, 'apiKey', 'set-on-the-twin')
    await create(asking(), { bypassCache: true })
    const sent = new Headers(upstream.mock.lastCall?.[1]?.headers)
    expect([sent.get('authorization'), sent.get('x-api-key')].join()).toContain('set-on-the-twin')
    await expect(Promise.resolve(create(asking(), { bypassCache: true, cache: { ttl: 'wrong' } }))).rejects.toThrow('cache.ttl')
  })
})

describe.each(openaiSdks)('a response of $name', ({ make }) => {
  it('has what the method itself adds to it', async () => {
    const bare: OpenAiClient = make({ url, fetch: responding })
    const cache = createCache({ logger: false })
    const client = withCache(bare, cache)
    const body = { model: 'm', input: 'Where is Berlin?' }
    await client.responses.create(body)
    expect(await isAtOnce(cache, () => client.responses.create(body))).toBe(true)
    const [hit, plain] = [Object(await client.responses.create(body)), Object(await bare.responses.create(body))]
    expect(hit).toStrictEqual(plain)
    expect(hit.output_text).toBe('In Germany.')
  })
})

it('a call of Anthropic that is traced goes to the SDK, which starts its span', async () => {
  const subject = subjects.find(({ name }) => name === '@anthropic-ai/sdk 1')
  if (subject === undefined) throw new Error('no such SDK')
  const { cache, create } = open(subject)
  await create(asking())
  const registry = Symbol.for('opentelemetry.js.api.1')
  const before: unknown = Reflect.get(globalThis, registry)
  Object.defineProperty(globalThis, registry, { value: { version: '1.9.0', context: {} }, configurable: true })
  try {
    expect(await isAtOnce(cache, () => create(asking()))).toBe(false)
  } finally {
    Reflect.deleteProperty(globalThis, registry)
    if (before !== undefined) Reflect.set(globalThis, registry, before)
  }
  expect(await isAtOnce(cache, () => create(asking()))).toBe(true)
})

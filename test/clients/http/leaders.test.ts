import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { settle } from '../../support/chat.ts'
import { completion, response } from '../../support/openai-answers.ts'
import { sdks as openaiSdks } from '../../support/openai-sdks.ts'
import { failureOf } from '../../support/outcome.ts'
import { gate } from '../../support/provider-server.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { until } from '../../support/until.ts'

interface SdkPromise extends PromiseLike<unknown> {
  asResponse(): Promise<Response>
  withResponse(): Promise<{ readonly data: unknown; readonly response: Response }>
}

interface Subject {
  readonly name: string
  readonly make: (options: { url: string; fetch: typeof fetch }) => object
  readonly path: readonly string[]
  readonly answer: (said: string) => object
}

const subjects: readonly Subject[] = [
  ...openaiSdks.map(({ name, make }) => ({ name, make, path: ['chat', 'completions'], answer: (said: string) => completion(said) })),
  ...anthropicSdks.map(({ name, make }) => ({ name, make, path: ['messages'], answer: (said: string) => message([text(said)]) })),
]

const url = 'https://provider.invalid/v1'
const asking = (content = 'Hi') => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] })

type Respond = (call: number, init: RequestInit | undefined) => Response | Promise<Response>

/** A wrapped client that has had an answer, so that it is known what the SDK makes of one, and what its provider is asked from then on. */
async function opened({ make, path, answer }: Subject, { cache, respond }: { cache?: Cache; respond?: Respond } = {}) {
  const clock = new ManualClock()
  const own = cache ?? createCache({ clock, logger: false, prices: false })
  const headers = { 'x-request-id': 'req_1', 'request-id': 'req_1' }
  const good = (call: number): Response => Response.json(answer(`answer ${call}`), { headers })
  const sent: unknown[] = []
  let isKnown = false
  const fetch: typeof globalThis.fetch = async (_, init) => {
    if (!isKnown) return good(0)
    sent.push(contentOf(init))
    return respond === undefined ? good(sent.length) : respond(sent.length, init)
  }
  const bare = make({ url, fetch })
  const client = withCache(bare, own)
  const call =
    (of: object) =>
    (body: object = asking(), options?: object): SdkPromise => {
      const resource: unknown = path.reduce<unknown>((parent, name) => Reflect.get(Object(parent), name), of)
      return Reflect.get(Object(resource), 'create').call(resource, body, options)
    }
  await call(client)(asking('known'))
  isKnown = true
  // Each request of an SDK has one, and each flight.
  let controllers = 0
  vi.stubGlobal(
    'AbortController',
    class extends AbortController {
      constructor() {
        super()
        controllers++
      }
    },
  )
  return { clock, cache: own, create: call(client), bareCreate: call(bare), sent, good, requests: () => controllers }
}

/** The client of a cache over a store that has the provider's answers to these questions. */
async function stored(subject: Subject, options: { maxMemoryBytes?: number } = {}) {
  const store = new ScriptedStore()
  const inStore = { store, clock: new ManualClock(), logger: false, prices: false } as const
  const other = createCache(inStore)
  const filling = await opened(subject, { cache: other, respond: (_, init) => Response.json(subject.answer(`to ${contentOf(init)}`)) })
  for (const content of ['Hi', 'changed']) await filling.create(asking(content))
  await other.flush()
  vi.unstubAllGlobals()
  return { store, ...(await opened(subject, { cache: createCache({ ...inStore, ...options }) })) }
}

function contentOf(init: RequestInit | undefined): string {
  return JSON.parse(typeof init?.body === 'string' ? init.body : '{}').messages[0].content
}

function hits(cache: Cache): unknown {
  const { hits: counted, misses } = cache.stats()
  return { hits: counted, misses: misses - 1 }
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe.each(subjects)('equal calls of $name at once', (subject) => {
  it('K01: have one request of the SDK, each with a result of its own as the SDK gives it', async () => {
    const { cache, create, bareCreate, sent, requests } = await opened(subject)
    const heard: unknown[] = []
    cache.on('hit', ({ source }) => heard.push(source))
    const promises = Array.from({ length: 20 }, () => create())
    const plain = bareCreate(asking('plain'))
    expect(promises.map((promise) => Object.getPrototypeOf(promise) === Object.getPrototypeOf(plain))).not.toContain(false)
    const results = await Promise.all(promises)
    await plain
    expect(sent.filter((content) => content === 'Hi')).toHaveLength(1)
    expect(requests()).toBeLessThanOrEqual(5)
    expect(new Set(results).size).toBe(20)
    const [first, ...others] = results.map(Object)
    const names = Object.getOwnPropertyNames(first)
    for (const other of others) {
      expect(other).toStrictEqual(first)
      expect(Object.getOwnPropertyNames(other)).toEqual(names)
      expect(other._request_id).toBe('req_1')
      expect(cacheInfo(other)).toMatchObject({ hit: true, source: 'flight', stored: true, stale: false, key: cacheInfo(first)?.key })
      expect(other._cache).toBe(cacheInfo(other))
    }
    expect(new Set(others.map((other) => other._cache)).size).toBe(19)
    expect(cacheInfo(first)).toMatchObject({ hit: false, source: 'origin', stored: true })
    expect(hits(cache)).toEqual({ hits: 19, misses: 1 })
    expect(heard).toEqual(Array.from({ length: 19 }, () => 'flight'))
  })

  it('have the response of the flight', async () => {
    const { create, sent } = await opened(subject)
    const [, whole, raw] = [create(), create().withResponse(), create().asResponse()]
    const { data, response: shown } = await whole
    expect([shown instanceof Response, shown.status, shown.bodyUsed, cacheInfo(shown)?.source]).toEqual([true, 200, true, 'flight'])
    expect([shown.headers.get('age'), shown.headers.get('cache-status')]).toEqual(['0', (await raw).headers.get('cache-status')])
    expect(await (await raw).json()).toEqual(data)
    expect(sent).toHaveLength(1)
  })

  it('join a flight that is under way, unless the answer was invalidated or removed, or is in memory', async () => {
    const ready = gate()
    const { cache, create, sent, good, requests } = await opened(subject, { respond: (call) => ready.then(() => good(call)) })
    const first = create()
    await until(() => sent.length === 1)
    const before = requests()
    const second = create()
    await settle()
    expect([sent.length, requests()]).toEqual([1, before])
    void cache.invalidate({ operation: subject.path.join('.') === 'messages' ? 'messages' : 'chat' })
    const third = create()
    await until(() => sent.length === 2)
    ready.open()
    const texts = (await Promise.all([first, second, third])).map((result) => JSON.stringify(result).match(/answer \d/)?.[0])
    expect(texts).toEqual(['answer 1', 'answer 1', 'answer 2'])
  })

  it('join it over a store as well, as long as what was read of invalidations counts', async () => {
    const ready = gate()
    const inStore = { store: new ScriptedStore(), clock: new ManualClock(), logger: false, prices: false, invalidationDelay: '1s' } as const
    const { store, clock } = inStore
    const [cache, other] = [createCache(inStore), createCache(inStore)]
    const { create, sent, good, requests } = await opened(subject, { cache, respond: (call) => ready.then(() => good(call)) })
    const reads = (): number => store.calls.filter((call) => call.startsWith('get ')).length
    const first = create()
    await until(() => sent.length === 1)
    const before = [sent.length, requests(), reads()]
    const second = create()
    clock.advance(1_000)
    const third = create()
    await settle()
    expect([sent.length, requests(), reads()]).toEqual(before)
    clock.advance(1)
    const fourth = create()
    await settle()
    expect([sent.length, reads() > Number(before[2])]).toEqual([1, true])
    clock.advance(1_001)
    await other.invalidate({ operation: subject.path.join('.') === 'messages' ? 'messages' : 'chat' })
    const fifth = create()
    await until(() => sent.length === 2)
    ready.open()
    const texts = (await Promise.all([first, second, third, fourth, fifth])).map((result) => JSON.stringify(result).match(/answer \d/)?.[0])
    expect(texts).toEqual(['answer 1', 'answer 1', 'answer 1', 'answer 1', 'answer 2'])
  })

  it.each<[string, Respond]>([
    ['a status', () => Response.json({ error: { message: 'no' } }, { status: 401 })],
    ['a broken connection', () => Promise.reject(new TypeError('gone'))],
  ])('K02: fail as the SDK fails, by one request: %s', async (_, respond) => {
    const { cache, create, bareCreate, sent } = await opened(subject, { respond })
    const failures = await Promise.all(Array.from({ length: 5 }, () => Promise.resolve(create()).catch((error: unknown) => error)))
    expect(sent).toHaveLength(1)
    const plain: unknown = await Promise.resolve(bareCreate()).catch((error: unknown) => error)
    for (const failure of failures) expect(failureOf(failure)).toEqual(failureOf(plain))
    expect(new Set(failures).size).toBe(5)
    expect(hits(cache)).toEqual({ hits: 0, misses: 1 })
  })

  it('ask for themselves, together, if the answer breaks off', async () => {
    const { cache, create, sent } = await opened(subject, {
      respond: (call) => {
        if (call > 1) return Response.json(subject.answer(`answer ${call}`))
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode('{"')),
          pull: () => Promise.reject(new TypeError('broken')),
        })
        return new Response(body, { headers: { 'content-type': 'application/json' } })
      },
    })
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => create()))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', ...Array.from({ length: 4 }, () => 'fulfilled')])
    expect(sent).toHaveLength(2)
    expect(hits(cache)).toEqual({ hits: 3, misses: 2 })
  })

  it('read an answer that is too large to be stored as it comes, by one request', async () => {
    const clock = new ManualClock()
    const cache = createCache({ clock, maxEntryBytes: 100, logger: false, prices: false })
    const { create, sent } = await opened(subject, {
      cache,
      respond: () => {
        const bytes = new TextEncoder().encode(JSON.stringify(subject.answer('long '.repeat(200))))
        let begin = 0
        const body = new ReadableStream({
          pull(controller) {
            if (begin >= bytes.length) return controller.close()
            controller.enqueue(bytes.slice(begin, begin + 300))
            begin += 300
          },
        })
        return new Response(body, { headers: { 'content-type': 'application/json' } })
      },
    })
    const results = await Promise.all(Array.from({ length: 5 }, () => create()))
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1)
    expect(results.map((result) => cacheInfo(result)?.reason)).toEqual(Array.from({ length: 5 }, () => 'too large'))
    expect(sent).toHaveLength(1)
    expect(hits(cache)).toEqual({ hits: 4, misses: 1 })
  })

  it.each([
    ['at once', 'application/json'],
    ['once there is no answer for all', 'text/plain'],
  ])('I3: have the answer to what they asked, though the body is changed while they wait: %s', async (_, type) => {
    const { create, sent } = await opened(subject, {
      respond: (call, init) => {
        const said = JSON.stringify(JSON.parse(typeof init?.body === 'string' ? init.body : '{}').messages)
        return new Response(JSON.stringify(subject.answer(said)), { headers: { 'content-type': call === 1 ? type : 'application/json' } })
      },
    })
    const body = asking()
    const [first, second] = [create(body), create(body)]
    const [asked] = body.messages
    if (asked !== undefined) asked.content = 'changed'
    // The first one is sent as the SDK reads it, which is late in some versions.
    await Promise.allSettled([first])
    expect(JSON.stringify(await second)).toContain('Hi')
    expect(sent.slice(1)).not.toContain('changed')
  })

  it('make a request each in a mode that does not read, and none wait for it', async () => {
    const ready = gate()
    const { create, sent, good } = await opened(subject, { respond: (call) => ready.then(() => good(call)) })
    const promises = Array.from({ length: 3 }, () => create(asking(), { cache: { mode: 'reload' } }))
    await until(() => sent.length === 3)
    ready.open()
    const sources = (await Promise.all(promises)).map((result) => cacheInfo(result)?.source)
    expect(sources).toEqual(['origin', 'origin', 'origin'])
  })

  it('a call within the flight that it would wait for does not wait for itself', async () => {
    let nested: Promise<unknown> | undefined
    const { create, sent, good } = await opened(subject, {
      respond: async (call) => {
        if (call === 1) await (nested = Promise.resolve(create()))
        return good(call)
      },
    })
    await Promise.all([create(), create()])
    expect(sent).toHaveLength(2)
    expect(JSON.stringify(await nested)).toContain('answer 2')
  })

  it('are made by the SDK once a tenth of its time limit is over, and share the flight', async () => {
    const ready = gate()
    const { clock, create, sent, good, requests } = await opened(subject, { respond: (call) => ready.then(() => good(call)) })
    const promises = Array.from({ length: 3 }, () => create())
    await until(() => sent.length === 1)
    const before = requests()
    clock.advance(60_000)
    await settle()
    expect([sent.length, requests() - before >= 2]).toEqual([1, true])
    ready.open()
    const results = await Promise.all(promises)
    expect(results.map((result) => cacheInfo(result)?.source)).toEqual(['origin', 'flight', 'flight'])
  })

  it('wait for the first one while the store is asked for it, however long that takes', async () => {
    const store = new ScriptedStore()
    const cache = createCache({ store, clock: new ManualClock(), logger: false, prices: false })
    const { create, sent, requests } = await opened(subject, { cache })
    await cache.flush()
    store.reads = 'held'
    const promises = Array.from({ length: 20 }, () => create())
    await settle()
    expect([sent.length, requests()]).toEqual([0, 0])
    store.reads = 'works'
    store.release()
    const results = await Promise.all(promises)
    expect(results.map((result) => cacheInfo(result)?.source)).toEqual(['origin', ...Array.from({ length: 19 }, () => 'flight')])
    expect([sent.length, requests() <= 5]).toEqual([1, true])
  })

  it('read the store once, and are hits if it has the answer', async () => {
    const store = new ScriptedStore()
    const clock = new ManualClock()
    const cache = createCache({ store, clock, maxMemoryBytes: 0, logger: false, prices: false })
    const { create, sent, requests } = await opened(subject, { cache })
    const results = await Promise.all(Array.from({ length: 5 }, () => create()))
    expect(results.map((result) => cacheInfo(result)?.source)).toEqual(['origin', 'flight', 'flight', 'flight', 'flight'])
    expect([sent.length, requests() <= 3]).toEqual([1, true])
    await cache.flush()
    const again = await Promise.all(Array.from({ length: 5 }, () => create()))
    expect(new Set(again.map((result) => cacheInfo(result)?.source))).toEqual(new Set([store.name]))
    expect(sent).toHaveLength(1)
  })

  describe('that another process has stored', () => {
    it.each([0, 10_000_000])('are hits of one read, without a request of the SDK, with memory of %i bytes', async (maxMemoryBytes) => {
      const { store, cache, create, sent, requests } = await stored(subject, { maxMemoryBytes })
      const heard: unknown[] = []
      cache.on('hit', ({ source }) => heard.push(source))
      const before = store.calls.length
      const promises = Array.from({ length: 20 }, () => create())
      const whole = create().withResponse()
      const results = await Promise.all(promises)
      expect(new Set(results).size).toBe(20)
      for (const result of results) {
        expect(result).toStrictEqual(results[0])
        expect(JSON.stringify(result)).toContain('to Hi')
        expect(cacheInfo(result)).toMatchObject({ hit: true, source: store.name, stale: false })
      }
      const { response: shown } = await whole
      expect([shown instanceof Response, shown.url, cacheInfo(shown)?.source]).toEqual([
        true,
        (await create().asResponse()).url,
        store.name,
      ])
      expect([sent, requests() <= 3]).toEqual([[], true])
      expect(store.calls.slice(before).filter((call) => call.includes(':v1:')).length).toBeLessThanOrEqual(2)
      // One more is the call that the client began with, which is in the store as well.
      expect(cache.stats()).toMatchObject({ hits: 23, misses: 0 })
      expect(heard).toHaveLength(22)
    })

    it('I3: have the answer to what they asked, though the body is changed while they wait', async () => {
      const { create } = await stored(subject)
      const body = asking()
      const [first, second] = [create(body), create(body)]
      const [asked] = body.messages
      if (asked !== undefined) asked.content = 'changed'
      await first
      expect(JSON.stringify(await second)).toContain('to Hi')
    })
  })
})

it.each(openaiSdks)('a response of $name has what its method adds to it, for each of the calls', async ({ make }) => {
  let number = 0
  const client = make({ url, fetch: async () => Response.json(response(`Number ${++number}.`)) })
  const wrapped = withCache(client, { logger: false, prices: false })
  await wrapped.responses.create({ model: 'm', input: 'known' })
  const results = await Promise.all(Array.from({ length: 4 }, () => wrapped.responses.create({ model: 'm', input: 'Hi' })))
  expect(results.map((result) => Object(result).output_text)).toEqual(Array.from({ length: 4 }, () => 'Number 2.'))
  expect(results.map((result) => cacheInfo(result)?.source)).toEqual(['origin', 'flight', 'flight', 'flight'])
})

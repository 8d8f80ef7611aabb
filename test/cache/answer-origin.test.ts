import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Redis } from 'ioredis'
import type { AnswerRules, Cache, OriginCall } from '../../src/cache/cache.ts'
import type { CallOptions } from '../../src/call.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { type AdapterDriver, describeAdapter } from '../contracts/adapter.ts'
import { openCache, settle } from '../support/chat.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

interface Answer {
  readonly text: string
  readonly at: Date
  readonly finish?: string
  readonly usage?: { readonly input: number; readonly output: number }
}
interface Part {
  readonly delta?: string
  readonly end?: Answer
}

const at = new Date(1_750_000_000_000)
const rules: AnswerRules<Answer, Part> = {
  usage: ({ usage }) => usage,
  skipReason: ({ finish }) => (finish === 'length' ? 'length' : undefined),
  parts: {
    assemble: (parts) => parts.find(({ end }) => end !== undefined)?.end,
    disassemble: (answer) => [{ delta: answer.text }, { end: answer }],
    isKept: (part) => !('ping' in part),
  },
}

function call(prompt: string, options: CallOptions): OriginCall<Answer, Part> & { readonly stream?: never } {
  return { provider: 'p', endpoint: 'chat', request: { prompt }, model: 'm', rules, ...options }
}

function drive(cache: Cache): AdapterDriver {
  let asked = 0
  let isFailing = false
  let gate: Promise<unknown> | undefined
  const answerTo = (request: object): Answer => {
    asked++
    if (isFailing) throw new TypeError('the provider is down')
    return { text: `re: ${String(Reflect.get(request, 'prompt'))}`, at, usage: { input: 3, output: 4 } }
  }
  async function* partsTo(request: object): AsyncGenerator<Part> {
    const end = answerTo(request)
    yield { delta: end.text.slice(0, 3) }
    await gate
    yield { delta: end.text.slice(3) }
    yield { end }
  }
  return {
    whole: async (prompt, options = {}) => (await cache.call(call(prompt, options), ({ request }) => answerTo(request))).answer,
    streamed: async (prompt, options = {}) => {
      const { parts } = await cache.call({ ...call(prompt, options), stream: true as const }, ({ request }) => partsTo(request))
      return parts
    },
    textOf: (answer) => String(Reflect.get(Object(answer), 'text')),
    textOfPart: (part) => String(Reflect.get(Object(part), 'delta') ?? ''),
    get asked() {
      return asked
    },
    fail: (is) => void (isFailing = is),
    pause: (until) => void (gate = until),
    close: () => undefined,
  }
}

const folder = mkdtempSync(join(tmpdir(), 'llmemo-call-'))
let files = 0
let server: RedisServer
const clients: Redis[] = []
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => {
  for (const client of clients) client.disconnect()
  await server.stop()
  rmSync(folder, { recursive: true })
})

describeAdapter('cache.call in memory', { open: drive, tokens: 7 })
describeAdapter('cache.call over a store alone', { open: drive, tokens: 7, options: () => ({ store: memoryStore(), maxMemoryBytes: 0 }) })
describeAdapter('cache.call over SQLite', {
  open: drive,
  tokens: 7,
  options: () => ({ store: sqliteStore(join(folder, `${++files}.db`)), maxMemoryBytes: 0, readDeadline: '30s' }),
})
describeAdapter('cache.call over Redis', {
  open: drive,
  tokens: 7,
  options: async () => {
    const client = new Redis({ host: server.host, port: server.port })
    clients.push(client)
    await client.flushall()
    return { store: redisStore(client), maxMemoryBytes: 0, readDeadline: '30s' }
  },
})

const simple = { provider: 'p', operation: 'qa', request: { question: 'why?' } }

describe('cache.call', () => {
  it("gives the origin's own object to the call that fetched it, and copies with dates, bytes and URLs to others", async () => {
    const { cache } = openCache()
    const own = { at, bytes: new Uint8Array([1, 2]), url: new URL('https://example.com/a'), list: [1] }
    const first = await cache.call(simple, () => own)
    expect(first.answer).toBe(own)
    const second = await cache.call(simple, () => own)
    expect(second.answer).toEqual(own)
    expect(second.answer).not.toBe(own)
    second.answer.list.push(2)
    expect((await cache.call(simple, () => own)).answer.list).toEqual([1])
    expect([first.info.hit, second.info.hit, second.info.operation]).toEqual([false, true, 'qa'])
  })

  it('returns what cannot be stored, to each who waits', async () => {
    const { cache } = openCache()
    const own = { work: () => 1 }
    const [first, second] = await Promise.all([cache.call(simple, () => own), cache.call(simple, () => own)])
    expect([first.answer.work(), second.answer.work()]).toEqual([1, 1])
    expect(first.info).toMatchObject({ stored: false, reason: 'not JSON' })
    expect(cache.stats().stored).toBe(0)
  })

  it('is another call for each part of the key, and the same for headers and members in any order', async () => {
    const { cache } = openCache()
    const calls = [
      simple,
      { ...simple, provider: 'q' },
      { ...simple, endpoint: 'other' },
      { ...simple, model: 'm' },
      { ...simple, origin: 'https://example.com' },
      { ...simple, headers: { 'x-version': '1' } },
      { ...simple, credential: 'key' },
      { ...simple, request: { question: 'who?' } },
      { ...simple, request: { question: 'why?', image: new Uint8Array([1]) } },
      { ...simple, request: { question: 'why?', image: new Uint8Array([2]) } },
    ]
    for (const [index, call] of calls.entries()) await cache.call(call, () => index)
    const again = await Promise.all(calls.map(async (call) => (await cache.call(call, () => 'none')).answer))
    expect(again).toEqual(calls.map((_, index) => index))
    const one = { ...simple, request: { a: 1, b: 2 }, headers: { 'user-agent': 'a', traceparent: 'x' } }
    const { info } = await cache.call(one, () => 1)
    expect((await cache.call({ ...one, request: { b: 2, a: 1 }, headers: { 'User-Agent': 'b' } }, () => 2)).info.key).toBe(info.key)
  })

  it('does not store what its rules are against, and takes the model and the usage from the answer', async () => {
    const { cache } = openCache({ prices: [{ model: 'large', input: 1_000_000, output: 0 }] })
    const call = { ...simple, rules: { ...rules, model: () => 'large' } }
    const short = await cache.call(call, (): Answer => ({ text: 'a', at, finish: 'length' }))
    expect(short.info).toMatchObject({ stored: false, reason: 'length' })
    await cache.call(call, (): Answer => ({ text: 'a', at, usage: { input: 2, output: 1 } }))
    const { info } = await cache.call(call, (): Answer => ({ text: 'b', at }))
    expect(info).toMatchObject({ hit: true, savedTokens: 3 })
    expect((await Array.fromAsync(cache.entries())).map(({ model }) => model)).toEqual(['large'])
  })

  it('leaves parts that are not kept out of a recording, and stores no stream that is not complete', async () => {
    const { cache } = openCache()
    const call = { ...simple, rules, stream: true } as const
    const end: Answer = { text: 'a', at }
    const parts = [{ delta: 'a' }, { ping: 1 }, { end }]
    const first = await cache.call(call, () => streamOf(parts.slice(0, 2)))
    expect(await Array.fromAsync(first.parts)).toHaveLength(2)
    expect(first.info).toMatchObject({ stored: false, reason: 'incomplete' })
    const second = await cache.call(call, () => streamOf(parts))
    expect(await Array.fromAsync(second.parts)).toEqual(parts)
    expect(second.info.stored).toBe(true)
    const third = await cache.call(call, () => streamOf([]))
    expect(await Array.fromAsync(third.parts)).toEqual([{ delta: 'a' }, { end }])
  })

  it('stores a stream without rules if it came to its end, as another answer than a whole one', async () => {
    const { cache } = openCache()
    const call = { ...simple, stream: true } as const
    const left = await cache.call(call, () => streamOf([1, 2, 3]))
    await left.parts.return?.()
    const broken = await cache.call(call, async function* () {
      yield 1
      throw new TypeError('broken')
    })
    await expect(Array.fromAsync(broken.parts)).rejects.toThrow('broken')
    expect(cache.stats().stored).toBe(0)
    await Array.fromAsync((await cache.call(call, () => streamOf([1, 2]))).parts)
    const { parts, info } = await cache.call(call, () => streamOf([9]))
    expect([await Array.fromAsync(parts), info.hit]).toEqual([[1, 2], true])
    expect((await cache.call(simple, () => 'whole')).answer).toBe('whole')
  })

  it('aborts the origin when its last caller leaves, and not before', async () => {
    const { cache } = openCache()
    const [one, two] = [new AbortController(), new AbortController()]
    let inner: AbortSignal | undefined
    const origin = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      inner = signal
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const calls = [one, two].map(({ signal }) => cache.call({ ...simple, signal }, origin))
    const ended = Promise.allSettled(calls)
    await settle()
    one.abort(new TypeError('one'))
    await expect(calls[0]).rejects.toThrow('one')
    expect(inner?.aborted).toBe(false)
    two.abort(new TypeError('two'))
    expect(inner?.aborted).toBe(true)
    await ended
  })

  it('serves an old answer while the origin is out of order, and not when the call is wrong', async () => {
    const { cache, clock } = openCache({ ttl: '1m', staleIfError: '1h' })
    await cache.call(simple, () => 'old')
    clock.advance(120_000)
    expect((await cache.call<string>(simple, fail(503))).answer).toBe('old')
    await expect(cache.call({ ...simple, mode: 'reload' }, fail(400))).rejects.toThrow('no')
    clock.advance(60_000)
    await expect(cache.call(simple, fail(400))).rejects.toThrow('no')
    expect((await cache.call<string>(simple, fail())).info).toMatchObject({ hit: true, stale: true })
  })

  it('asks for itself when the call with another credential failed that it had joined', async () => {
    const { cache } = openCache({ scope: 'all' })
    let calls = 0
    const origin = (): string => {
      if (++calls === 1) throw Object.assign(new Error('not valid'), { status: 401 })
      return 'good'
    }
    const first = cache.call({ ...simple, credential: 'bad' }, origin)
    const second = cache.call({ ...simple, credential: 'good' }, origin)
    await expect(first).rejects.toThrow('not valid')
    expect((await second).answer).toBe('good')
  })

  it('takes options from the call, then from cache.with, then from its defaults', async () => {
    const { cache } = openCache()
    const call = { ...simple, defaults: { scope: 'default', operation: 'other', tags: ['all'] } }
    const scopes = await Promise.all([
      cache.call(call, () => 1),
      cache.with({ scope: 'with' }, () => cache.call(call, () => 1)),
      cache.with({ scope: 'with' }, () => cache.call({ ...call, scope: 'own' }, () => 1)),
    ])
    expect(scopes.map(({ info }) => info.scope)).toEqual(['default', 'with', 'own'])
    expect(scopes.map(({ info }) => info.operation)).toEqual(['qa', 'qa', 'qa'])
    await settle()
    await cache.invalidate({ tags: ['all'] })
    expect((await cache.call(call, () => 2)).answer).toBe(2)
  })

  it('asks only for inputs that are not stored', async () => {
    const { cache } = openCache()
    const asked: unknown[] = []
    const origin = ({ request }: { request: object }): { values: number[]; tokens: number } => {
      const values: unknown = Reflect.get(request, 'values')
      asked.push(values)
      const texts = Array.isArray(values) ? values.map(String) : []
      return { values: texts.map((text) => text.length), tokens: texts.length }
    }
    await cache.call(embeddings(['a', 'bb']), origin)
    await settle()
    const second = await cache.call(embeddings(['bb', 'ccc', 'a']), origin)
    expect(second.answer).toEqual({ values: [2, 3, 1], tokens: 3 })
    expect(second.info.inputs).toEqual({ hits: 2, misses: 1 })
    expect((await cache.call(embeddings(['ccc']), origin)).info.hit).toBe(true)
    expect(asked).toEqual([['a', 'bb'], ['ccc']])
  })

  it.each<[string, object]>([
    ['provider', { ...simple, provider: '' }],
    ['operation', { provider: 'p', request: {} }],
    ['endpoint', { ...simple, endpoint: 7 }],
    ['request', { ...simple, request: 'why?' }],
    ['model', { ...simple, model: 7 }],
    ['origin', { ...simple, origin: null }],
    ['credential', { ...simple, credential: 7 }],
    ['headers', { ...simple, headers: 'a' }],
    ['rules', { ...simple, rules: () => 1 }],
    ['cache.ttl', { ...simple, ttl: 'soon' }],
    ['cache.tenant', { ...simple, tenant: 'a' }],
  ])('names %s, if that cannot be', async (name, call) => {
    const { cache } = openCache()
    const refused = await Reflect.apply(Reflect.get(cache, 'call'), cache, [call, () => 1]).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidOptionError)
    expect(String(refused)).toContain(name)
  })
})

interface Lengths {
  readonly values: readonly number[]
  readonly tokens: number
}

const lengths: AnswerRules<Lengths> = {
  inputs: {
    split: (request) => valuesIn(request).map((value) => ({ values: [value] })),
    unite: (_, singles) => ({ values: singles.flatMap(valuesIn) }),
    share: ({ values }, count) => (values.length === count ? values.map((value) => ({ values: [value], tokens: 1 })) : undefined),
    join: (answers) => ({ values: answers.flatMap(({ values }) => values), tokens: answers.length }),
  },
}

function embeddings(values: readonly string[]) {
  return { provider: 'p', operation: 'embeddings', request: { values }, rules: lengths }
}

function valuesIn(request: object): unknown[] {
  const values: unknown = Reflect.get(request, 'values')
  return Array.isArray(values) ? values : []
}

function fail(statusCode?: number): () => never {
  return () => {
    throw Object.assign(new Error('no'), statusCode === undefined ? {} : { statusCode })
  }
}

async function* streamOf<Part>(parts: readonly Part[]): AsyncGenerator<Part> {
  yield* parts
}

import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { CosmosClient } from '@azure/cosmos'
import { Firestore } from '@google-cloud/firestore'
import { Redis as Upstash } from '@upstash/redis'
import { GlideClient } from '@valkey/valkey-glide'
import OpenAI from 'openai'
import { createClientPool } from 'redis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { createCacheFromEnv } from '../../src/env/env.ts'
import { createCache, withCache } from '../../src/index.ts'
import { LlmemoError } from '../../src/errors.ts'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { callerOf, openCache } from '../support/chat.ts'

const secret = 'hunter2S3cr3t'

/** A factory as code without types calls it. */
const untyped = (factory: (...given: never[]) => unknown, ...given: readonly unknown[]): unknown => Reflect.apply(factory, undefined, given)

async function refused(work: () => unknown): Promise<LlmemoError> {
  const error: unknown = await Promise.resolve()
    .then(work)
    .catch((thrown: unknown) => thrown)
  assert(LlmemoError.isInstance(error), `it was accepted, or failed by itself: ${String(error)}`)
  expect(error.code).toBe('INVALID_OPTION')
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
  return error
}

const asStore = (store: object): unknown => untyped(createCache, { store })

function ofCosmos(): unknown {
  const client = new CosmosClient({ endpoint: 'https://127.0.0.1:1', key: Buffer.from(secret).toString('base64') })
  try {
    return asStore(client.database('app').container(secret))
  } finally {
    client.dispose()
  }
}

describe('factories', () => {
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: 'http://127.0.0.1:1' })

  it.each<[string, string, () => unknown]>([
    [
      'withCache(client, promise)',
      'a promise; allowed is what it resolves to: await it first',
      () => untyped(withCache, client, createCacheFromEnv({})),
    ],
    ['createCache(promise)', 'a promise', () => untyped(createCache, Promise.resolve({ ttl: secret }))],
    ['createCache(map)', 'an instance of Map', () => untyped(createCache, new Map([['ttl', secret]]))],
    ['createCache(store)', 'a store; allowed is an object of options: { store }', () => untyped(createCache, memoryStore())],
    ['createCache(cache)', 'a cache', () => untyped(createCache, createCache())],
    ['withCache(client, store)', 'a store', () => untyped(withCache, client, memoryStore())],
    ['sqliteStore with a misspelt option', 'Did you mean "maxBytes"?', () => untyped(sqliteStore, ':memory:', { maxByte: secret })],
    ['sqliteStore with null', '"options" is null', () => untyped(sqliteStore, ':memory:', null)],
    ['sqliteStore with a text', '"options" is a string', () => untyped(sqliteStore, ':memory:', secret)],
    ['sqliteStore of a URL', '"location" is a URL', () => sqliteStore(`redis://user:${secret}@host`)],
    ['sqliteStore of a file URL', '"location" is a URL', () => sqliteStore('file:answers.db?mode=ro')],
    ['memoryStore with a misspelt option', 'Did you mean "maxBytes"?', () => untyped(memoryStore, { maxbytes: secret })],
    ['memoryStore with null', '"options" is null', () => untyped(memoryStore, null)],
    ['createMonitor of nothing', '"cache" is null', () => untyped(createMonitor, null)],
    ['createMonitor of a client', 'allowed is a cache made by createCache()', () => untyped(createMonitor, withCache(client))],
    ['createMonitor of a text', '"cache" is a string', () => untyped(createMonitor, secret)],
    [
      'a pool of node-redis as a store',
      'a client of Redis; allowed is a store made of it: redisStore(client)',
      () => asStore(createClientPool()),
    ],
    ['a client of Upstash as a store', 'a client of Redis', () => asStore(new Upstash({ url: `https://${secret}.test`, token: secret }))],
    ['a client of GLIDE as a store', 'a client of Redis', () => asStore(Object.create(GlideClient.prototype))],
    [
      'a container of Cosmos DB as a store',
      'a container of Cosmos DB; allowed is a store made of it: cosmosStore({ container })',
      ofCosmos,
    ],
    ['a client of Firestore as a store', 'firestoreStore({ client })', () => asStore(new Firestore({ projectId: secret }))],
  ])('G49 G52 %s: says what it is and what to do', async (_, hint, work) => {
    expect((await refused(work)).message).toContain(hint)
  })

  it('G49 a store that is required and is not there is told in one line', () => {
    expect(openCache({ requireStore: true }).told.lines).toEqual([
      'llmemo: option "requireStore" has no effect, as this cache has no store. Give it one: createCache({ store })',
    ])
    expect(openCache({ requireStore: true, store: memoryStore() }).told.lines).toEqual([])
  })
})

const throws = (): never => {
  throw new TypeError(secret)
}

describe('calls by a cache', () => {
  const { cache } = openCache()
  const request = { provider: 'p', operation: 'o', request: {} }
  const text = { operation: 'o', text: 'q' }
  const called = (name: keyof Cache, ...given: readonly unknown[]): unknown => untyped(Reflect.get(cache, name), ...given)

  it.each<[string, string, () => unknown]>([
    ['getOrCreate of nothing', '"request" is null', () => called('getOrCreate', null, () => 1)],
    ['getOrCreate of a text', '"request" is a string', () => called('getOrCreate', secret, () => 1)],
    ['getOrCreate without make', '"make" is undefined; allowed is a function', () => called('getOrCreate', text)],
    ['getOrCreate of a promise', '"make" is a promise', () => called('getOrCreate', text, Promise.resolve(secret))],
    ['wrap without make', '"make" is undefined', () => called('wrap', 'k', '1h')],
    ['wrap of a value', '"make" is a string', () => called('wrap', 'k', '1h', secret)],
    ['wrapSWR of a value', '"make" is a string', () => called('wrapSWR', 'k', '1h', '2h', secret)],
    ['call without an origin', '"origin" is undefined', () => called('call', request)],
    ['call with a text as stream', '"stream" is a string', () => called('call', { ...request, stream: secret }, () => 1)],
    ['call with a text as signal', '"signal" is a string', () => called('call', { ...request, signal: secret }, () => 1)],
    ['with without work', '"work" is undefined', () => called('with', { tags: ['a'] })],
  ])('G49 G52 %s: an error by its name, whatever is stored', async (_, hint, work) => {
    await cache.set('k', 1)
    expect((await refused(work)).message).toContain(hint)
  })
})

describe('a function that stands for an option', () => {
  it.each<[string, object, string]>([
    ['scope that throws', { scope: throws }, 'the function of option "scope" failed (TypeError)'],
    ['scope that promises', { scope: async () => secret }, 'option "scope" is a function that returns a promise'],
    ['scope that promises and fails', { scope: async () => throws() }, 'option "scope" is a function that returns a promise'],
    ['scope that gives a number', { scope: () => 5 }, 'option "scope" is a function that returns number'],
    ['enabled that throws', { enabled: throws }, 'the function of option "enabled" failed (TypeError)'],
    ['enabled that promises', { enabled: async () => true }, 'option "enabled" is a function that returns a promise'],
    ['enabled that gives a text', { enabled: () => 'true' }, 'option "enabled" is a function that returns string'],
    ['mode that promises', { mode: async () => 'default' }, 'option "mode" is a function that returns a promise'],
    ['mode that is misspelt', { mode: () => secret }, 'option "mode" is a function that returns string'],
  ])('G49 %s caches nothing, says so once, and the caller gets its answer', async (_, options, line) => {
    const { cache, told } = openCache(options)
    const caller = callerOf(cache)
    expect([await caller.ask('a'), await caller.ask('a')]).toEqual(['re: a', 're: a'])
    expect(caller.asked).toHaveLength(2)
    expect(told.lines).toEqual([expect.stringContaining(line)])
    expect(told.lines.join()).not.toContain(secret)
    expect(cache.stats().errors).toBe(2)
  })

  it.each<[object]>([[{ scope: () => undefined }], [{ enabled: () => false }], [{ mode: () => 'no-store' }]])(
    'G49 one that says that a call is not to be cached is no fault: %o',
    async (options) => {
      const { cache, told } = openCache(options)
      const caller = callerOf(cache)
      expect([await caller.ask('a'), await caller.ask('a')]).toEqual(['re: a', 're: a'])
      expect([told.lines, cache.stats().errors]).toEqual([[], 0])
    },
  )
})

describe('the environment', () => {
  const key = 'ab'.repeat(32)

  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each<[string, unknown, string]>([
    ['is nothing', null, '"env" is null'],
    ['is a text', secret, '"env" is a string'],
    ['holds a number', { CACHE_TTL: 5 }, 'CACHE_TTL must be a text'],
    ['holds an object', { CACHE_STORE: { url: secret } }, 'CACHE_STORE must be a text'],
    ['holds one id of a key twice', { CACHE_ENCRYPTION_KEYS: `a:${key},a:${'cd'.repeat(32)}` }, 'CACHE_ENCRYPTION_KEYS must be'],
    ['holds a URL of Redis with a path', { CACHE_STORE: `redis://:${secret}@127.0.0.1:1/${secret}` }, 'CACHE_STORE must be'],
    ['holds such a URL under another name', { REDIS_URL: `redis://127.0.0.1:1/0/${secret}` }, 'REDIS_URL must be'],
  ])('G49 G52 that %s is a mistake, by its name', async (_, environment, hint) => {
    expect((await refused(async () => untyped(createCacheFromEnv, environment))).message).toContain(hint)
  })

  it('G49 takes numbers under names that are not its own', async () => {
    await expect(untyped(createCacheFromEnv, { PORT: 8080, CACHE_TTL: '1h' })).resolves.toBeDefined()
  })

  it.each([
    [{ CACHE_TTL: '3600000' }, ["llmemo: CACHE_TTL counts seconds and is probably meant in milliseconds. Write its unit: 'ms' or 's'."]],
    [{ CACHE_TTL_QA: '1800000' }, [expect.stringContaining('CACHE_TTL_QA counts seconds')]],
    [{ CACHE_STALE: '60000' }, [expect.stringContaining('CACHE_STALE counts seconds')]],
    [{ CACHE_TTL_: '1h' }, [expect.stringContaining('Did you mean CACHE_TTL?')]],
    [{ CACHE_TTL: '3600', CACHE_TTL_QA: '60000ms', CACHE_STALE: '86400' }, []],
  ])('G49 %o: is told what it probably means', async (environment, lines) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    await createCacheFromEnv(environment)
    expect(warn.mock.calls.flat()).toEqual(lines)
  })
})

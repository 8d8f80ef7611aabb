import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import type { Store } from '../../src/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openCache, settle } from '../support/chat.ts'
import { createTable, dynamodbStore } from '../../src/stores/dynamodb/store.ts'
import { startDynalite } from '../support/dynamodb-server.ts'
import { startRedis } from '../support/redis-server.ts'

const day = 86_400_000
/** Each answer has 3 tokens of input and 4 of output, and costs 3 × 0.1 + 4 × 0.2 dollars. */
const prices = [{ model: 'm', input: 100_000, output: 200_000 }]
const answer = { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }
const none = { hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const stores: Readonly<Record<string, () => Promise<Store | undefined>>> = {
  'no store': async () => undefined,
  'a store in memory': async () => memoryStore(),
  SQLite: async () => sqliteStore(':memory:'),
  DynamoDB: async () => {
    const server = await startDynalite()
    const client = server.client()
    await createTable(client, { tableName: 'answers' })
    endings.push(async () => server.close())
    return dynamodbStore(client, { tableName: 'answers' })
  },
  Redis: async () => {
    const server = await startRedis()
    const client = new Redis(server.port)
    endings.push(
      async () => client.quit(),
      async () => server.stop(),
    )
    return redisStore(client)
  },
}

/** Asks so often, of which the first time is a miss. */
async function ask(cache: Cache, times: number, request: { scope: string; operation: string; model?: string }): Promise<void> {
  for (let time = 0; time < times; time++) await cache.getOrCreate({ text: 't', model: 'm', ...request }, () => answer)
}

const encryption = { keys: { a: Buffer.alloc(32, 1) }, current: 'a' }
const cases = Object.entries(stores).flatMap(([name, makeStore]) => {
  const plain = { name, makeStore, sealed: {} }
  return name === 'no store' ? [plain] : [plain, { name: `${name}, encrypted`, makeStore, sealed: { encryption } }]
})

describe.each(cases)('the ledger of savings over $name', ({ name, makeStore, sealed }) => {
  it('tells what was saved by day, scope, operation and model', async () => {
    const store = await makeStore()
    const clock = new ManualClock(Date.UTC(2026, 10, 1, 12))
    const { cache } = openCache({ ...sealed, ...(store && { store }), clock, prices, savings: true, ttl: '30d' })
    await ask(cache, 3, { scope: 'a', operation: 'qa' })
    await ask(cache, 2, { scope: 'b', operation: 'chat' })
    clock.advance(day)
    await ask(cache, 1, { scope: 'a', operation: 'qa' })
    await ask(cache, 2, { scope: 'a', operation: 'qa', model: 'unknown' })
    const hit = { ...none, hits: 1, savedUsd: 1.1, savedTokens: 7 }
    const total = { hits: 5, misses: 3, savedUsd: 4.4, unpricedHits: 1, savedTokens: 35, savedMs: 0 }
    const byScope = await cache.savings({ by: 'scope', days: 2 })
    const a = { ...total, hits: 4, misses: 2, savedUsd: 3.3, savedTokens: 28 }
    expect(byScope).toEqual({ from: '2026-11-01', to: '2026-11-02', total, rows: { a, b: { ...hit, misses: 1 } } })
    expect((await cache.savings()).rows).toEqual({
      '2026-11-01': { ...none, hits: 3, misses: 2, savedUsd: 3.3, savedTokens: 21 },
      '2026-11-02': { ...none, hits: 2, misses: 1, savedUsd: 1.1, unpricedHits: 1, savedTokens: 14 },
    })
    expect((await cache.savings({ by: 'operation', days: 1 })).rows).toEqual({
      qa: { ...none, hits: 2, misses: 1, savedUsd: 1.1, unpricedHits: 1, savedTokens: 14 },
    })
    expect(Object.keys((await cache.savings({ by: 'model' })).rows).toSorted()).toEqual(['m', 'unknown'])
    await cache.close()
  })

  it.runIf(name !== 'no store')('is one for all processes', async () => {
    const store = await makeStore()
    const clock = new ManualClock(Date.UTC(2026, 10, 1, 12))
    const options = { ...sealed, ...(store && { store }), clock, prices, savings: true }
    const caches = [1, 2, 3].map(() => openCache(options).cache)
    for (const cache of caches) {
      await ask(cache, 4, { scope: 'fleet', operation: 'qa' })
      await cache.flush()
    }
    const { total } = await openCache(options).cache.savings({ by: 'scope' })
    expect(total).toMatchObject({ hits: 11, misses: 1 })
    expect(total.savedUsd).toBe(12.1)
    await Promise.all(caches.map((cache) => cache.close()))
  })
})

describe('the ledger of savings', () => {
  it('costs no call anything while the store fails, and is an error event', async () => {
    const store: Store = {
      ...memoryStore(),
      add() {
        throw new Error('no')
      },
    }
    const { cache, errors } = openCache({ store, savings: true })
    await ask(cache, 3, { scope: 'a', operation: 'qa' })
    expect(await cache.savings()).toMatchObject({ total: none, rows: {} })
    expect(errors()).toContain('write')
    expect(cache.stats().hits).toBe(2)
  })

  it('I6 holds a bounded number of names, and loses none of their counts', async () => {
    const { cache } = openCache({ savings: true })
    for (let number = 0; number < 3_000; number++) await cache.lookup({ text: 't', operation: `operation ${number}` })
    const { rows, total } = await cache.savings({ by: 'operation' })
    expect(Object.keys(rows).length).toBeLessThanOrEqual(2_001)
    expect(total.misses).toBe(3_000)
    expect(rows['other']?.misses).toBe(1_000)
  })

  it('is added to the store ten seconds after the first count, by itself', async () => {
    const store = memoryStore()
    const { cache, clock } = openCache({ store, savings: true })
    await ask(cache, 3, { scope: 'a', operation: 'qa' })
    const other = openCache({ store, clock, savings: true }).cache
    clock.advance(9_999)
    await settle()
    expect((await other.savings()).total).toEqual(none)
    clock.advance(1)
    await settle()
    expect((await other.savings()).total).toMatchObject({ hits: 2, misses: 1 })
  })

  it('takes any text as a name', async () => {
    const { cache } = openCache({ savings: true, store: sqliteStore(':memory:') })
    for (const operation of ['__proto__', 'a "b" | c\n', 'hits ["x"]']) await cache.lookup({ text: 't', operation })
    const { rows } = await cache.savings({ by: 'operation' })
    expect(Object.keys(rows).toSorted()).toEqual(['__proto__', 'a "b" | c\n', 'hits ["x"]'])
  })

  it('is not kept unless it is asked for, and refuses what cannot be', async () => {
    const { cache } = openCache()
    await expect(cache.savings()).rejects.toThrow(InvalidOptionError)
    const kept = openCache({ savings: true }).cache
    const wrong: object[] = [{ by: 'user' }, { days: 0 }, { days: 401 }, { day: 3 }]
    for (const options of wrong) await expect(kept.savings(options)).rejects.toThrow(InvalidOptionError)
  })
})

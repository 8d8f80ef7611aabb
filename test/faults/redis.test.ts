import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { LlmemoError } from '../../src/errors.ts'
import { type IoredisClient, redisStore } from '../../src/stores/redis/store.ts'
import { callerOf, openCache, settle, withoutReasons } from '../support/chat.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { clusters, counting, type TestClient, type TestClientOptions, type Version, versions } from '../support/redis-clients.ts'
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** Read deadline of a cache and pause of its breaker, as the documentation has them. */
const deadline = 100
const pause = 1_000

/** Bytes of memory that any cache of these tests may have. */
const mostMemory = 1_000_000

const closing: (() => unknown)[] = []
let server: RedisServer
let admin: TestClient

beforeAll(async () => {
  server = await startRedis()
  admin = versions[0][1](server)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await admin.flushall()
})

/** A client whose connection errors are heard, as ioredis writes them to the console if there is no listener. */
function connect(to: { host: string; port: number } = server, options: TestClientOptions = {}, version: Version = versions[0]): TestClient {
  const client = version[1](to, options)
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  return client
}

async function ownServer(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const own = await startRedis(settings)
  closing.push(() => own.stop())
  return own
}

async function proxied(options: TestClientOptions = {}): Promise<{ proxy: FaultProxy; client: TestClient }> {
  const proxy = await startFaultProxy(server.port)
  closing.push(() => proxy.close())
  const client = connect({ host: '127.0.0.1', port: proxy.port }, options)
  await heard(client, 'ready')
  return { proxy, client }
}

/** A cache over the client, and a caller. Without hot memory, so that every question is one to Redis. */
function open(client: IoredisClient, options: CacheOptions = {}) {
  const opened = openCache({ store: redisStore(client), maxMemoryBytes: 0, ...options })
  const caller = callerOf(opened.cache)
  closing.push(() => assertHarmless(opened))
  return { ...opened, caller }
}

/** What no fault may break: all is let go of in the end, every error is one of ours, and none tells what was asked or answered. */
async function assertHarmless({ cache, clock, told }: Omit<ReturnType<typeof openCache>, 'errors'>): Promise<void> {
  // The deadline of a write ends a write without an answer; closing has a deadline of its own.
  await passing(clock, 100_000, cache.close())
  expect(clock.timers).toBe(0)
  expect(cache.memory().bytes).toBeLessThanOrEqual(mostMemory)
  const errors = told.events.filter(({ name }) => name === 'error').map(({ event }): unknown => Reflect.get(Object(event), 'error'))
  expect(errors.every((error) => LlmemoError.isInstance(error))).toBe(true)
  // Errors with all that they hide; of the rest there is much, and it is plain.
  const everything = JSON.stringify(told) + inspect(errors, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
  expect(everything).not.toMatch(/question|sk-test/)
}

/** Lets so much time pass as `work` needs, and no more than `budget` milliseconds. */
async function passing<Value>(clock: ManualClock, budget: number, work: Promise<Value>): Promise<Value> {
  let done = false
  const finished = work.finally(() => (done = true))
  for (let spent = 0; spent < budget; spent += budget / 10) {
    await settle()
    if (done) break
    clock.advance(budget / 10)
  }
  await settle()
  if (!done) throw new Error(`not done in ${budget} ms`)
  return finished
}

/** As many questions, one after the other, none of which may take longer than a read may. */
async function askEach({ caller, clock }: Pick<ReturnType<typeof open>, 'caller' | 'clock'>, count: number, from = 0): Promise<void> {
  for (let index = from; index < from + count; index++) {
    expect(await passing(clock, deadline, caller.ask(`question ${index}`))).toBe(`re: question ${index}`)
  }
}

/** Stores answers, and waits until they are in Redis. */
async function fill({ cache, caller }: { cache: Cache; caller: ReturnType<typeof open>['caller'] }, count = 1): Promise<void> {
  for (let index = 0; index < count; index++) await caller.ask(`question ${index}`)
  await cache.flush()
}

/** As many questions, one after the other, to a Redis that answers: no time passes. */
async function askWorking({ caller }: Pick<ReturnType<typeof open>, 'caller'>, count: number, from = 0): Promise<void> {
  for (let index = from; index < from + count; index++) expect(await caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
}

/** Resolves when the client says so; what errors it meets on the way are its own. */
function heard(
  client: { once(event: 'ready' | 'connect' | 'end', listener: () => void): unknown },
  event: 'ready' | 'connect' | 'end',
): Promise<void> {
  return new Promise((resolve) => {
    client.once(event, resolve)
  })
}

const notAnswering = 'llmemo: the store "redis" is not answering; calls go on without it.'
const notTaking = 'llmemo: the store "redis" is not taking writes; calls go on without it.'

describe('Redis that is away', () => {
  it.each(versions)('R01 R24 %s: at the start: every call goes on, and it is used when it comes', async (...version) => {
    const own = await ownServer()
    await own.kill()
    const opened = open(connect(own, {}, version))
    await askEach(opened, 20)
    expect(opened.caller.asked).toHaveLength(20)
    expect(withoutReasons(opened.told.lines).filter((line) => line === notAnswering)).toHaveLength(1)
    await own.start()
  })

  it('R02 mid-run: hot memory goes on answering, and the rest goes to the origin', async () => {
    const own = await ownServer()
    const opened = open(connect(own), { maxMemoryBytes: mostMemory, invalidationDelay: '1h' })
    await fill(opened, 10)
    own.pause()
    const late = opened.caller.ask('question 10')
    await settle()
    await own.kill()
    expect(await passing(opened.clock, deadline, late)).toBe('re: question 10')
    await askEach(opened, 10)
    expect(opened.caller.asked).toHaveLength(11)
    await askEach(opened, 20, 20)
    expect(opened.caller.asked).toHaveLength(31)
    expect(withoutReasons(opened.told.lines).filter((line) => line === notAnswering)).toHaveLength(1)
  })

  it('R03 R17 that hangs: five time-outs, then it is left out at once; a client that lets commands wait is told of, once', async () => {
    const own = await ownServer()
    const { client, sent } = counting(connect(own))
    const opened = open(client)
    await fill(opened)
    own.pause()
    await askEach(opened, 5, 1)
    expect(withoutReasons(opened.told.lines)).toEqual([notAnswering, expect.stringContaining('commandTimeout')])
    sent.length = 0
    const before = opened.clock.monotonic()
    for (let index = 10; index < 110; index++) expect(await opened.caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
    expect(opened.clock.monotonic()).toBe(before)
    expect(sent.filter((name) => name.endsWith('getBuffer'))).toEqual([])
    expect(opened.told.lines.filter((line) => line.includes('commandTimeout'))).toHaveLength(1)
    own.resume()
  })

  it('R03 that hangs, by the clock of the machine: five time-outs, then it is left out at once', async () => {
    const own = await ownServer()
    const client = connect(own, { commandTimeout: 10_000 })
    await heard(client, 'ready')
    const lines: string[] = []
    const logger = { warn: (line: string) => void lines.push(line), info: () => {} }
    const cache = createCache({ store: redisStore(client), readDeadline: 0.03, firstReadDeadline: 0.03, prices: false, logger })
    const deadlines: unknown[] = []
    cache.on('error', ({ error }) => deadlines.push(error))
    const caller = callerOf(cache)
    own.pause()
    for (let index = 0; index < 20; index++) expect(await caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
    expect(withoutReasons(lines)).toEqual([notAnswering])
    // More than five on a machine that takes longer over the rest than the breaker waits for its probes.
    expect(deadlines.length).toBeGreaterThanOrEqual(5)
    expect(deadlines.length).toBeLessThan(20)
    own.resume()
    await cache.close()
  })

  it('R03 that hangs before anything was read: a read is waited for once only', async () => {
    const own = await ownServer()
    const client = connect(own)
    await heard(client, 'ready')
    const opened = open(client)
    own.pause()
    const begun = opened.clock.monotonic()
    await askEach(opened, 1)
    expect(opened.clock.monotonic() - begun).toBeLessThanOrEqual(deadline)
    own.resume()
  })

  it('R17 a client that gives up by itself is not told of', async () => {
    const own = await ownServer()
    for (const options of [{ commandTimeout: 10_000 }, { enableOfflineQueue: false }]) {
      const client = connect(own, options)
      await heard(client, 'ready')
      const opened = open(client)
      own.pause()
      await askEach(opened, 6)
      expect(withoutReasons(opened.told.lines)).toEqual([notAnswering])
      own.resume()
      await client.ping()
    }
  })

  it('R04 that is slow: a reply just in time is a hit, a late one is a miss and answers no other question', async () => {
    const { proxy, client } = await proxied({ commandTimeout: 10_000 })
    const opened = open(client, { invalidationDelay: '1h' })
    await fill(opened, 3)
    const asked = opened.caller.asked.length

    proxy.holdReplies()
    const inTime = opened.caller.ask('question 0')
    await settle()
    opened.clock.advance(deadline - 1)
    proxy.recover()
    expect(await inTime).toBe('re: question 0')
    expect(opened.caller.asked).toHaveLength(asked)

    proxy.holdReplies()
    const late = opened.caller.ask('question 1')
    await settle()
    opened.clock.advance(deadline)
    expect(await late).toBe('re: question 1')
    expect(opened.caller.asked).toHaveLength(asked + 1)
    const next = opened.caller.ask('question 2')
    await settle()
    proxy.recover()
    expect(await next).toBe('re: question 2')
    expect(opened.caller.asked).toHaveLength(asked + 1)
    expect(opened.errors()).toEqual(['read'])
  })

  it('R05 that comes back: one probe alone, then it is used again', async () => {
    const own = await ownServer()
    const bare = connect(own)
    const { client, sent } = counting(bare)
    const opened = open(client, { maxMemoryBytes: 0 })
    await fill(opened)
    await own.kill()
    await until(() => bare.status === 'reconnecting' || bare.status === 'close')
    await askEach(opened, 10, 1)
    await opened.cache.flush()
    const ready = heard(bare, 'ready')
    await own.start()
    await ready
    opened.clock.advance(20 * pause)
    sent.length = 0
    own.pause()
    const texts = Array.from({ length: 50 }, (_, index) => `question ${index + 100}`)
    const answers = texts.map((text) => opened.caller.ask(text))
    await settle()
    // The probe reads an entry and its marks at once; no other call asks Redis for anything.
    expect(sent.filter((name) => name.endsWith('getBuffer'))).toHaveLength(1)
    own.resume()
    expect(await Promise.all(answers)).toEqual(texts.map((text) => `re: ${text}`))
    await opened.cache.flush()
    await askEach(opened, 1, 500)
    await opened.cache.flush()
    const { length } = opened.caller.asked
    expect(await opened.caller.ask('question 500')).toBe('re: question 500')
    expect(opened.caller.asked).toHaveLength(length)
    expect(opened.told.lines.filter((line) => line.endsWith('is answering again.'))).toHaveLength(1)
  })

  it('R06 for a hundred thousand calls: one line when it is left out, and one when it is used again', async () => {
    const own = await ownServer()
    const bare = connect(own)
    const { client, sent } = counting(bare)
    const opened = open(client, { invalidationDelay: '1h' })
    await fill(opened)
    await own.kill()
    await until(() => bare.status === 'reconnecting' || bare.status === 'close')
    await askEach(opened, 5, 1)
    sent.length = 0
    // Of the calls nine in ten are look-ups alone: a response to each would take a minute, and Redis has no part in it.
    const answers = Array.from({ length: 10_000 }, (_, index) => opened.caller.ask(`question ${index % 7}`))
    expect(new Set(await Promise.all(answers)).size).toBe(7)
    const values = Array.from({ length: 90_000 }, (_, index) => opened.cache.get(`value ${index}`))
    expect(new Set(await Promise.all(values))).toEqual(new Set([undefined]))
    expect(opened.clock.timers).toBe(0)
    expect(sent.filter((name) => name.endsWith('getBuffer'))).toEqual([])
    const ready = heard(bare, 'ready')
    await own.start()
    await ready
    opened.clock.advance(20 * pause)
    await opened.caller.ask('question 0')
    const reading = withoutReasons(opened.told.lines).filter((line) => line.includes('answering'))
    expect(reading).toEqual([notAnswering, 'llmemo: the store "redis" is answering again.'])
  })

  it('R16 and whose client queues: what waits is bounded by us', async () => {
    const own = await ownServer()
    const client = connect(own, { maxRetriesPerRequest: null })
    const opened = open(client)
    await fill(opened)
    await own.kill()
    await until(() => client.status === 'reconnecting' || client.status === 'close')
    await askEach(opened, 1_000, 1)
    await passing(opened.clock, 100_000, opened.cache.flush())
    expect(Reflect.get(Object(Reflect.get(client, 'offlineQueue')), 'length')).toBeLessThan(100)
    expect(opened.cache.stats().droppedWrites).toBeGreaterThan(900)
  })

  it('R18 as its client was closed by its owner: one line for each side, and no call is the worse for it', async () => {
    const client = connect()
    const opened = open(client)
    await fill(opened)
    const ended = heard(client, 'end')
    client.disconnect()
    await ended
    await askEach(opened, 50, 1)
    await opened.cache.flush()
    expect(withoutReasons(opened.told.lines.toSorted())).toEqual([notAnswering, notTaking])
    await opened.cache.close()
  })
})

describe('Redis that refuses', () => {
  it('R07 writes, as its memory is full: what it has is still served', async () => {
    const own = await ownServer({ 'maxmemory-policy': 'noeviction' })
    const opened = open(connect(own))
    await fill(opened, 3)
    const other = connect(own)
    await other.config('SET', 'maxmemory', '1')
    const { length } = opened.caller.asked
    for (let index = 10; index < 20; index++) {
      await opened.caller.ask(`question ${index}`)
      await opened.cache.flush()
    }
    await askWorking(opened, 3)
    expect(opened.caller.asked).toHaveLength(length + 10)
    expect(withoutReasons(opened.told.lines)).toEqual([notTaking])
    expect(opened.cache.stats().errorKinds).toEqual({ write: 5 })
    const causes = opened.told.events.filter(({ name }) => name === 'error').map(({ event }) => String(Reflect.get(Object(event), 'error')))
    expect(new Set(causes)).toEqual(new Set(['StoreError: llmemo: Redis could not be written: OOM.']))
  })

  it('R08 writes, as it is a replica now: reads go on, and writes when it is a master again', async () => {
    const own = await ownServer()
    const opened = open(connect(own))
    await fill(opened, 3)
    const other = connect(own)
    await other.call('REPLICAOF', '127.0.0.1', '1')
    const { length } = opened.caller.asked
    for (let index = 10; index < 20; index++) {
      await opened.caller.ask(`question ${index}`)
      await opened.cache.flush()
    }
    await askWorking(opened, 3)
    expect(opened.caller.asked).toHaveLength(length + 10)
    expect(withoutReasons(opened.told.lines)).toEqual([notTaking])
    await other.call('REPLICAOF', 'NO', 'ONE')
    opened.clock.advance(pause)
    await opened.caller.ask('question 30')
    await opened.cache.flush()
    expect(withoutReasons(opened.told.lines)).toEqual([notTaking, 'llmemo: the store "redis" is taking writes again.'])
  })

  it.each(['LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'BUSY', 'NOSCRIPT', 'ERR'])(
    'R09 for a while with %s: misses, and it is used again',
    async (code) => {
      const { proxy, client } = await proxied()
      const opened = open(client)
      // Every reply that says "nothing there" or "done", of either protocol. What a client asks only of itself is let through.
      proxy.alterReplies((bytes) =>
        Buffer.from(bytes.toString('latin1').replaceAll(/\$-1\r\n|_\r\n|\+OK\r\n/g, `-${code} question about that\r\n`), 'latin1'),
      )
      await askWorking(opened, 1)
      await opened.cache.flush()
      expect(opened.cache.stats().errorKinds['read']).toBeGreaterThanOrEqual(1)
      expect(opened.cache.stats().errorKinds['write']).toBe(1)
      // G47: the first fault of each side, with its reason.
      const reason = (verb: string): string => `(Redis could not be ${verb}: ${code}); calls go on without it.`
      expect(opened.told.lines).toEqual([
        `llmemo: the store "redis" is not answering ${reason('read')}`,
        `llmemo: the store "redis" is not taking writes ${reason('written')}`,
      ])
      proxy.recover()
      // Once more, as Redis did what it said it had not done: that is outdated, and what is fetched meanwhile too.
      for (let time = 0; time < 2; time++) await fill(opened, 3)
      const { length } = opened.caller.asked
      await askWorking(opened, 3)
      expect(opened.caller.asked).toHaveLength(length)
    },
  )

  it.each<[string, Readonly<Record<string, string>>, TestClientOptions]>([
    ['NOAUTH', { requirepass: 'hunter2' }, {}],
    ['WRONGPASS', { requirepass: 'hunter2' }, { password: 'hunter3' }],
    ['NOPERM', {}, { username: 'weak', password: 'hunter2' }],
  ])('R10 the client with %s: one loud line, and no storm of tries', async (code, settings, options) => {
    const own = await ownServer(settings)
    if (code === 'NOPERM') await connect(own).call('ACL', 'SETUSER', 'weak', 'on', '>hunter2', '~*', '+info', '+ping', '+hello', '+client')
    const bare = connect(own, options)
    await heard(bare, 'connect')
    const { client, sent } = counting(bare)
    const opened = open(client)
    for (let index = 0; index < 50; index++) {
      await opened.caller.ask(`question ${index}`)
      // Else as many writes as there are calls are on their way before the first refusal is read.
      await opened.cache.flush()
    }
    expect(opened.told.lines.filter((line) => line.includes('refuses the cache'))).toHaveLength(1)
    expect(opened.told.lines.join('\n')).toContain(code === 'WRONGPASS' ? 'password' : code)
    expect(withoutReasons(opened.told.lines)).toContain(notAnswering)
    // Five reads, and five writes for each of the six labels of a call; then both are left out, as no second passes on this clock.
    expect(sent.length).toBeLessThanOrEqual(35)
  })

  it('R11 our key, which another application uses: it is left alone, and everything else is used as before', async () => {
    const opened = open(connect())
    await fill(opened, 3)
    const [key = ''] = await admin.keys('*:v1:*')
    await admin.del(key)
    await admin.rpush(key, 'theirs')
    const { length } = opened.caller.asked
    for (let round = 0; round < 10; round++) {
      await askWorking(opened, 3)
      await opened.cache.flush()
    }
    expect(opened.caller.asked).toHaveLength(length + 10)
    expect(await admin.lrange(key, 0, -1)).toEqual(['theirs'])
    expect(opened.told.lines).toEqual([expect.stringContaining('left alone')])
    expect(opened.told.events.filter(({ name }) => name === 'state')).toEqual([])
  })
})

describe('a connection to Redis', () => {
  it('R13 that is reset in the middle of a reply: every answer is the right one', async () => {
    const { proxy, client } = await proxied()
    const opened = open(client)
    await fill(opened, 5)
    const { connections } = proxy
    proxy.cutAfter(10)
    const answers = Array.from({ length: 5 }, (_, index) => opened.caller.ask(`question ${index}`))
    await Promise.all(answers.map(async (each, index) => expect(await each).toBe(`re: question ${index}`)))
    await askWorking(opened, 5)
    expect(proxy.connections).toBe(connections + 1)
  })

  it('R14 whose replies are shifted by one: no caller gets the answer to another question', async () => {
    const { proxy, client } = await proxied()
    const opened = open(client, { invalidationDelay: '1h' })
    await fill(opened, 5)
    const [key = ''] = await admin.keys('*:v1:*')
    const entry = (await admin.getBuffer(key)) ?? Buffer.of()
    const strays = [Buffer.concat([Buffer.from(`$${entry.byteLength}\r\n`), entry, Buffer.from('\r\n')])]
    const { length } = opened.caller.asked
    proxy.alterReplies((bytes) => Buffer.concat([...strays.splice(0), bytes]))
    const answers = Array.from({ length: 5 }, (_, index) => opened.caller.ask(`question ${index}`))
    await Promise.all(answers.map(async (each, index) => expect(await each).toBe(`re: question ${index}`)))
    expect(strays).toEqual([])
    // One of the five may be the stray's own question.
    expect(opened.errors().filter((doing) => doing === 'foreign').length).toBeGreaterThanOrEqual(4)
    expect(opened.caller.asked.length).toBeGreaterThanOrEqual(length + 4)
  })

  it('R15 on which a write is late, and comes after an invalidation: it is never served', async () => {
    const own = await ownServer()
    const client = connect(own)
    const opened = open(client)
    // The store has the generations of all labels. What lies there is outdated.
    await askEach(opened, 2)
    await opened.cache.flush()
    await opened.cache.invalidate({ all: true })
    const keys = await client.keys('*:v1:*')
    const outdated = await Promise.all(keys.map(async (key) => client.getBuffer(key)))
    own.pause()
    await askEach(opened, 2)
    await settle()
    opened.clock.advance(10_000)
    await settle()
    await passing(opened.clock, 10_000, opened.cache.invalidate({ all: true }))
    own.resume()
    await client.ping()
    // The writes were done after all.
    const written = await Promise.all(keys.map(async (key) => client.getBuffer(key)))
    expect(written.map((value, index) => value !== null && outdated[index]?.equals(value))).toEqual([false, false])
    opened.clock.advance(20 * pause)
    await askWorking(opened, 1)
    expect(opened.caller.asked).toEqual(['question 0', 'question 1', 'question 0', 'question 1', 'question 0'])
    const another = open(connect(own))
    await askWorking(another, 1, 1)
    expect(another.caller.asked).toEqual(['question 1'])
  })

  it('R15 on which the client sends a write again, after another invalidation: what that one outdated stays so', async () => {
    const { proxy, client } = await proxied()
    const here = open(client)
    const there = open(connect(), { maxMemoryBytes: mostMemory })
    proxy.holdReplies()
    const telling = here.cache.invalidate({ all: true })
    let marks: string[] = []
    while (marks.length === 0) marks = await admin.keys('*mark:*')
    const first = await admin.get(marks[0] ?? '')
    await there.caller.ask('question 0')
    expect(await there.cache.invalidate({ all: true })).toBe(true)
    expect(await admin.get(marks[0] ?? '')).not.toBe(first)
    // The write was done and its reply is lost, so that the client cannot know.
    proxy.reset()
    proxy.recover()
    expect(await telling).toBe(true)
    expect(await admin.get(marks[0] ?? '')).toBe(first)
    there.clock.advance(pause + 1)
    await there.caller.ask('question 0')
    expect(there.caller.asked).toEqual(['question 0', 'question 0'])
  })

  it.each([false, true])(
    'R23 with a value of 20 MB in front, automatic pipelines %s: a small one does not wait for it',
    async (enableAutoPipelining) => {
      const store = redisStore(connect(server, { enableAutoPipelining }))
      const large = new Uint8Array(20 * 2 ** 20).fill(7)
      await store.set('large', large, { ttl: 60_000 })
      await store.set('small', new Uint8Array([1]), { ttl: 60_000 })
      const order: string[] = []
      const first = Promise.resolve(store.get('large')).then((value) => {
        order.push('large')
        return value
      })
      await settle()
      const small = await store.get('small')
      order.push('small')
      expect(small).toEqual(Buffer.of(1))
      expect(await first).toHaveLength(large.length)
      expect(order).toEqual(['small', 'large'])
    },
  )
})

describe('a cluster', () => {
  it.each(clusters)('R12 %s: batches over all slots, and keys that move meanwhile', async (_, connectCluster) => {
    const cluster = await startRedisCluster()
    closing.push(() => cluster.stop())
    const client = connectCluster(cluster)
    client.on('error', () => {})
    closing.push(() => client.disconnect())
    await heard(client, 'ready')
    const store = redisStore(client)
    const keys = Array.from({ length: 60 }, (_each, index) => `key ${index}`)
    await store.setMany?.(keys.map((key) => ({ key, value: valueOf(key), ttl: 60_000 })))
    const nodes: TestClient[] = cluster.nodes.map((node) => connect(node))
    const sizes = await Promise.all(nodes.map((node) => node.dbsize()))
    expect(sizes.reduce((sum, size) => sum + size)).toBe(60)
    expect(Math.min(...sizes)).toBeGreaterThan(0)

    const [moved = ''] = keys
    const slot = Number(await nodes[0]?.call('CLUSTER', 'KEYSLOT', moved))
    const owners = await Promise.all(nodes.map((node) => node.keys('*')))
    const from = owners.findIndex((held) => held.includes(moved))
    const to = (from + 1) % 3
    const [source, target] = [nodes[from], nodes[to]]
    const [sourceId, targetId] = await Promise.all([source?.call('CLUSTER', 'MYID'), target?.call('CLUSTER', 'MYID')])
    await target?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(sourceId))
    await source?.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(targetId))
    await source?.call('MIGRATE', '127.0.0.1', cluster.nodes[to]?.port ?? 0, moved, 0, 5_000)
    // The slot is half moved: ASK.
    expect(await store.get(moved)).toEqual(valueOf(moved))
    expect(await store.getMany?.(keys)).toEqual(keys.map(valueOf))
    for (const node of [target, source]) await node?.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(targetId))
    // The slot is moved: MOVED.
    expect(await store.getMany?.(keys)).toEqual(keys.map(valueOf))
    await store.delete(moved)
    expect(await store.get(moved)).toBeUndefined()
  })
})

describe('R24 every version and protocol', () => {
  it.each(versions)('%s: an answer is stored by one process and found by another', async (...version) => {
    const first = open(connect(server, {}, version))
    const second = open(connect(server, { keyPrefix: '' }, version))
    await fill(first, 20)
    await askWorking(second, 20)
    expect(second.caller.asked).toEqual([])
    await first.cache.invalidate({ all: true })
    second.clock.advance(1_001)
    await askWorking(second, 1)
    expect(second.caller.asked).toEqual(['question 0'])
    expect([...first.told.lines, ...second.told.lines]).toEqual([])
  })
})

function valueOf(key: string): Buffer {
  return Buffer.from(`value of ${key}`)
}

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as source from '../../src/index.ts'
import type { Store } from '../../src/store.ts'
import { createTable, dynamodbStore } from '../../src/stores/dynamodb/store.ts'
import * as redisSource from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, ask, callerOf, question } from '../support/chat.ts'
import { type DynamodbServer, startDynalite } from '../support/dynamodb-server.ts'
import { assertBuilt } from '../support/packed.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { type S3Server, startS3 } from '../support/s3-server.ts'
import { chunkBytes, type Place, texts, valueOf } from '../support/process-stores-tasks.ts'
import { type Passage, startByteGate, startRequestGate } from '../support/process-wire.ts'

const tasks = fileURLToPath(new URL('../support/process-stores-tasks.ts', import.meta.url))
const hour = 3_600_000
/** For the reads of a test that must find what is stored, however long the machine takes. */
const readDeadline = '1h'

const closing: (() => unknown)[] = []
let folder: string
let redis: RedisServer
let client: Redis
let dynamodb: DynamodbServer

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis({ host: redis.host, port: redis.port })
  dynamodb = await startDynalite()
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
  await dynamodb.close()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-process-'))
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  rmSync(folder, { recursive: true, force: true })
  await client.flushall()
})

/** A process that does one task. It is killed when the test ends before it does. */
function start(task: string, place: Place, given: readonly (string | number)[], flags: readonly string[] = []) {
  const child = spawn(process.execPath, [...flags, tasks, task, JSON.stringify(place), ...given.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  closing.push(() => child.kill('SIGKILL'))
  // A test may kill a process before the process has read its input.
  child.stdin.on('error', () => {})
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => signal ?? code)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const said = async (): Promise<string> => {
    const { value } = await lines.next()
    return value ?? ''
  }
  return { child, ended, said }
}

/** Which of the writings is there as a whole: its filling. 0 for none. */
async function wholeIn(store: Store, size: number): Promise<number> {
  const value = await store.get('key')
  if (value === undefined) return 0
  const [filling = 0] = value
  // Compared at once, as equality of values of this size takes long.
  expect(Buffer.compare(value, valueOf(size, filling))).toBe(0)
  return filling
}

interface Written {
  readonly sent: number
  readonly end: unknown
}

/** Lets a process write, through a gate that lets so many bytes through. @returns how many it let through, and how the process ended */
async function written(size: number, bytes: number): Promise<Written> {
  const gate = await startByteGate(redis.port)
  closing.push(() => gate.close())
  const { child, said, ended } = start('write', { kind: 'redis', port: gate.port }, [size, 2])
  expect(await said()).toBe('ready')
  const begun = gate.passed
  gate.limit(bytes, () => child.kill('SIGKILL'))
  child.stdin.write('go\n')
  const end = await ended
  return { sent: gate.passed - begun, end }
}

describe('P01 a process that is killed in the middle of a write to Redis', () => {
  /** What a whole writing of a value of this size comes to. */
  const lengths = new Map<number, Written>()

  /** Kills a process when that share of what it sends has gone through. @returns which value is there then */
  async function killedAt(share: number, size: number): Promise<number> {
    const store = redisSource.redisStore(client, { maxValueBytes: chunkBytes })
    const whole = lengths.get(size) ?? (await written(size, Infinity))
    lengths.set(size, whole)
    expect(whole.end).toBe(0)
    await store.set('key', valueOf(size, 1), { ttl: hour })
    expect((await written(size, Math.floor(whole.sent * share))).end).toBe('SIGKILL')
    return wholeIn(store, size)
  }

  it.each([0, 0.3, 0.7, 0.999])('leaves the old value whole, when %s of a value in chunks was sent', async (share) => {
    expect(await killedAt(share, 4.5 * chunkBytes)).toBe(1)
    // Whatever is left over goes away by itself.
    const keys = await client.keys('*')
    const left = await Promise.all(keys.map((key) => client.pttl(key)))
    expect(left.every((ttl) => ttl > 0 && ttl <= hour)).toBe(true)
  })

  it.each([0.9])('leaves the old value whole, when %s of a small one was sent', async (share) => {
    expect(await killedAt(share, chunkBytes / 2)).toBe(1)
  })
})

describe('P01 a process that is killed in the middle of a write to DynamoDB', () => {
  /** Parts are written by requests for so many, and S3 takes it as one object. */
  const size = 900_000

  interface Killed {
    readonly requests: readonly string[]
    readonly now: number
    /** Whether everything in the table goes away by itself. */
    readonly mortal: boolean
  }

  /** Kills a process that writes over an old value at its request of this number. */
  async function killedAt(number: number, s3?: S3Server): Promise<Killed> {
    const tableName = `answers-${randomUUID()}`
    const table = dynamodb.client()
    await createTable(table, { tableName })
    const overflow = s3 && { overflow: { client: s3.client, bucket: 'answers' } }
    const store = dynamodbStore(table, { tableName, ...overflow })
    await store.set('key', valueOf(size, 1), { ttl: hour })
    const requests: string[] = []
    const reached = Promise.withResolvers<void>()
    const admit = (name: string): Passage => {
      requests.push(name)
      if (requests.length < number) return 'through'
      reached.resolve()
      return 'never'
    }
    const gate = await startRequestGate(Number(new URL(dynamodb.endpoint).port), admit)
    closing.push(() => gate.close())
    const s3Port = s3 === undefined ? undefined : Number((await s3.client.config.endpoint?.())?.port)
    const s3Gate = s3Port === undefined ? undefined : await startRequestGate(s3Port, admit)
    closing.push(() => s3Gate?.close())
    const where = { kind: 'dynamodb', port: gate.port, tableName, ...(s3Gate && { s3Port: s3Gate.port }) } as const
    const { child, said, ended } = start('write', where, [size, 2])
    expect(await said()).toBe('ready')
    child.stdin.write('go\n')
    await reached.promise
    child.kill('SIGKILL')
    await ended
    const now = await wholeIn(store, size)
    const { Items: items = [] } = await table.send(new ScanCommand({ TableName: tableName }))
    return { requests, now, mortal: items.every(({ expires }) => Number(expires) > 0) }
  }

  it.each([
    [1, 1, ['BatchWriteItem']],
    [2, 1, ['BatchWriteItem', 'PutItem']],
    [3, 2, ['BatchWriteItem', 'PutItem', 'BatchWriteItem']],
  ])('leaves a whole value that lies in parts, before its request %s', async (number, now, requests) => {
    expect(await killedAt(number)).toEqual({ requests, now, mortal: true })
  })

  it.each([
    [1, 1, ['PUT']],
    [2, 1, ['PUT', 'PutItem']],
    [3, 2, ['PUT', 'PutItem', 'DELETE']],
  ])('leaves a whole value that lies in S3, before its request %s', async (number, now, requests) => {
    const s3 = await startS3()
    closing.push(() => s3.close())
    expect(await killedAt(number, s3)).toEqual({ requests, now, mortal: true })
  })
})

describe('P01 a process that is killed in the middle of a write to SQLite', () => {
  it.each([
    ['its first entry', 1, 1],
    ['its last entry', 5, 1],
    ['all of it was written', 99, 2],
  ])('has written all or nothing, when that is at %s', async (_, diesAt, filling) => {
    const file = join(folder, 'answers.db')
    const before = sqliteStore(file)
    const keys = Array.from({ length: 5 }, (_each, index) => `key ${index}`)
    await before.setMany?.(keys.map((key) => ({ key, value: valueOf(5_000, 1), ttl: hour })))
    await before.close?.()
    const { ended } = start('batch', { kind: 'sqlite', file }, [5, diesAt])
    expect(await ended).toBe('SIGKILL')
    const store = sqliteStore(file)
    const values = (await store.getMany?.(keys)) ?? []
    expect(values.map((value) => value && Buffer.compare(value, valueOf(5_000, filling)))).toEqual(keys.map(() => 0))
    await store.set('key 0', valueOf(1, 3), { ttl: hour })
    expect(await store.get('key 0')).toEqual(valueOf(1, 3))
    await store.close?.()
  })
})

/** How many of the questions have answers that another process finds in the store. */
async function found(store: Store): Promise<number> {
  const cache = source.createCache({ store, prices: false, logger: false, readDeadline })
  const caller = callerOf(cache)
  for (const text of texts) expect(await caller.ask(text)).toBe(`re: ${text}`)
  await cache.close()
  return texts.length - caller.asked.length
}

/** Ends a process whose store is held up from before its first write. @returns what it said last */
async function ending(place: Place, hurry: number, hold: () => void, release?: () => void): Promise<unknown> {
  const { child, said, ended } = start('terminate', place, [hurry])
  expect(await said()).toBe('ready')
  hold()
  expect(await said()).toBe('asked')
  child.kill('SIGTERM')
  expect(await said()).toBe('closing')
  release?.()
  const last: unknown = JSON.parse(await said())
  expect(await ended).toBe(0)
  return last
}

async function table(admit: () => Passage | Promise<Passage>): Promise<{ place: Place; store: Store }> {
  const tableName = `answers-${randomUUID()}`
  const client = dynamodb.client()
  await createTable(client, { tableName })
  const gate = await startRequestGate(Number(new URL(dynamodb.endpoint).port), admit)
  closing.push(() => gate.close())
  return { place: { kind: 'dynamodb', port: gate.port, tableName }, store: dynamodbStore(client, { tableName }) }
}

describe('P02 a process that is told to end while its writes wait', () => {
  /** How many times as soon the deadlines of a process come: for one that is to wait, and for one that is to give up. */
  const slow = 0.2
  const quick = 20

  /** Calls after it was closed, of which memory answers the one that it knows. */
  const after = { after: [`re: ${texts[0]}`, 're: after it was closed'], asked: 1 }

  it('writes them to Redis, closes once, and its calls go on', async () => {
    const last = await ending(
      { kind: 'redis', port: redis.port },
      slow,
      () => redis.pause(),
      () => redis.resume(),
    )
    expect(last).toEqual({ ...after, dropped: 0 })
    expect(await found(redisSource.redisStore(client))).toBe(texts.length)
  })

  it('gives them up where Redis hangs, at its limit', async () => {
    const own = await startRedis()
    closing.push(() => own.stop())
    expect(await ending({ kind: 'redis', port: own.port }, quick, () => own.pause())).toMatchObject(after)
  })

  it('writes them to DynamoDB, closes once, and its calls go on', async () => {
    const open = Promise.withResolvers<Passage>()
    let gate: Promise<Passage> | Passage = 'through'
    const { place, store } = await table(() => gate)
    const hold = (): void => {
      gate = open.promise
    }
    const last = await ending(place, slow, hold, () => open.resolve('through'))
    expect(last).toEqual({ ...after, dropped: 0 })
    expect(await found(store)).toBe(texts.length)
  })

  it('gives them up where DynamoDB hangs, at its limit', async () => {
    let gate: Passage = 'through'
    const { place } = await table(() => gate)
    const hold = (): void => {
      gate = 'never'
    }
    expect(await ending(place, quick, hold)).toMatchObject(after)
  })

  it('writes them to SQLite that another process had locked', async () => {
    const file = join(folder, 'answers.db')
    const lock = new DatabaseSync(file)
    lock.exec('BEGIN EXCLUSIVE')
    const { child, said, ended } = start('terminate', { kind: 'sqlite', file }, [slow])
    expect(await said()).toBe('ready')
    child.kill('SIGTERM')
    lock.close()
    const lines = [await said(), await said()]
    expect(lines).toEqual(['asked', 'closing'])
    expect(JSON.parse(await said())).toEqual({ ...after, dropped: 0 })
    expect(await ended).toBe(0)
    expect(await found(sqliteStore(file))).toBe(texts.length)
  })
})

describe('P04 over one Redis', () => {
  const answers = texts.map((text) => `re: ${text}`)

  async function isAllInRedis(): Promise<boolean> {
    const cache = source.createCache({ store: redisSource.redisStore(client), prices: false, readDeadline })
    const caller = callerOf(cache)
    for (const [index, text] of texts.entries()) expect(await caller.ask(text)).toBe(answers[index])
    await cache.close()
    return caller.asked.length === 0
  }

  it('G57 worker threads answer every question with its own answer', async () => {
    const place = JSON.stringify({ kind: 'redis', port: redis.port })
    const said = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const worker = new Worker(tasks, { workerData: ['ask', place, name] })
        // The test listens for both at once: the thread may end in the turn in which its message arrives.
        const [messages, ended]: [unknown[], unknown[]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
        expect(ended).toEqual([0])
        return messages[0]
      }),
    )
    expect(said).toEqual(['one', 'two'].map((name) => ({ name, answers, asked: expect.any(Number) })))
    expect(await isAllInRedis()).toBe(true)
  })

  it('workers of a cluster answer every question with its own answer', async () => {
    const { said, ended } = start('cluster', { kind: 'redis', port: redis.port }, [])
    expect(JSON.parse(await said())).toEqual(Array.from({ length: 2 }, () => ({ name: 'worker', answers, asked: expect.any(Number) })))
    expect(await ended).toBe(0)
    expect(await isAllInRedis()).toBe(true)
  })

  const isBuilt = hasBuild()
  describe.skipIf(!isBuilt)('the source and the CommonJS build', () => {
    const require = createRequire(import.meta.url)
    const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
    // What the build exports is what the source exports; test/package.test.ts proves it.
    const copy: typeof source = isBuilt ? require(`${dist}index.cjs`) : source
    const redisCopy: typeof redisSource = isBuilt ? require(`${dist}redis.cjs`) : redisSource

    it('read what the other wrote, and heed what the other declared outdated', async () => {
      expect([copy.createCache === source.createCache, redisCopy.redisStore === redisSource.redisStore]).toEqual([false, false])
      const options = { prices: false, invalidationDelay: 0, readDeadline } as const
      const first = copy.createCache({ store: redisCopy.redisStore(client), ...options })
      const second = source.createCache({ store: redisSource.redisStore(client), ...options })
      await first.store(question('of the copy', { tags: ['a'] }), answer('from the copy'))
      await second.store(question('of the source', { tags: ['a'] }), answer('from the source'))
      await Promise.all([first.flush(), second.flush()])
      const asked = { copy: question('of the copy', { tags: ['a'] }), source: question('of the source', { tags: ['a'] }) }
      expect([await ask(second, asked.copy), await ask(first, asked.source)]).toEqual(['from the copy', 'from the source'])
      expect(await first.invalidate({ tags: ['a'] })).toBe(true)
      expect([await ask(second, asked.copy), await ask(second, asked.source)]).toEqual([undefined, undefined])
      await Promise.all([first.close(), second.close()])
    })
  })
})

describe('P05 a thousand caches over one Redis client', () => {
  it('leave no listener on it, no warning and no memory behind', async () => {
    const { said, ended } = start('caches', { kind: 'redis', port: redis.port }, [1_000], ['--expose-gc'])
    const { grown, warnings, listeners }: { grown: number; warnings: string[]; listeners: number } = JSON.parse(await said())
    expect(await ended).toBe(0)
    expect([warnings, listeners]).toEqual([[], 0])
    // A thousand answers of 10 KB in memory would be 10 MB.
    expect(grown).toBeLessThan(4_000_000)
  })
})

/** Whether there is a build, of the source as it is now. */
function hasBuild(): boolean {
  try {
    assertBuilt()
    return true
  } catch (error) {
    console.warn(`SKIPPED: P04 with two copies over one Redis: ${String(error)}`)
    return false
  }
}

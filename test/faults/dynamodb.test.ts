import { randomBytes, randomUUID } from 'node:crypto'
import { CreateTableCommand, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { DeleteCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { DeadlineError, LlmemoError, StoreError } from '../../src/errors.ts'
import { createTable, dynamodbStore, type DynamodbStoreOptions } from '../../src/stores/dynamodb/store.ts'
import { callerOf, openCache, settle, type Told } from '../support/chat.ts'
import { type DynamodbServer, startDynalite } from '../support/dynamodb-server.ts'
import { refusal, Wire, type WireAnswer, type WireScript } from '../support/dynamodb-wire.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { type S3Server, startS3 } from '../support/s3-server.ts'

const hour = 3_600_000
const secret = 'the SECRET prompt'

let server: DynamodbServer
const opened: { clock: ManualClock; told: Told; close: () => Promise<void> }[] = []

beforeAll(async () => {
  server = await startDynalite()
})
afterAll(() => server.close())
afterEach(async () => {
  const caches = opened.splice(0)
  for (const { close } of caches) await close()
  await settle()
  checkInvariants(caches)
})

function checkInvariants(caches: readonly { readonly clock: ManualClock; readonly told: Told }[]): void {
  for (const { clock, told } of caches) {
    // I5, I8: nothing of ours goes on. I7: nothing of what was asked, answered or signed with is told.
    expect(clock.timers).toBe(0)
    const everything = JSON.stringify(told, (_, value: unknown) => (value instanceof Error ? shown(value) : value))
    expect(everything).not.toMatch(/SECRET|secret-test|re: question/)
  }
}

/** All that a logger could print of an error. */
function shown(error: Error): Record<string, unknown> {
  const own = Object.fromEntries(Object.getOwnPropertyNames(error).map((name): [string, unknown] => [name, Reflect.get(error, name)]))
  return { ...own, cause: error.cause instanceof Error ? shown(error.cause) : error.cause }
}

interface Setting {
  readonly config?: DynamoDBClientConfig
  readonly options?: Partial<DynamodbStoreOptions>
  readonly clock?: ManualClock
  /** @default a new table */
  readonly tableName?: string
}

/** A cache over a table, with the test on the wire between them. */
async function open({ config, options, clock = new ManualClock(), tableName }: Setting = {}) {
  const name = tableName ?? `answers-${randomUUID()}`
  if (tableName === undefined) await createTable(server.client(), { tableName: name })
  const wire = new Wire()
  const client = server.client({ requestHandler: wire.handler, ...config })
  const store = dynamodbStore(client, { tableName: name, clock, ...options })
  const { cache, told } = openCache({ store, clock, prices: false })
  opened.push({ clock, told, close: () => cache.close() })
  return { cache, told, wire, clock, store, tableName: name, caller: callerOf(cache) }
}

type Opened = Awaited<ReturnType<typeof open>>

/** The answer to a call while the store does not answer: the reading is given up when its time is over. */
async function askPastDeadline({ caller, clock, wire }: Opened, text: string): Promise<unknown> {
  const before = wire.count()
  const answer = caller.ask(text)
  await wire.until(() => wire.count() > before)
  clock.advance(100)
  return answer
}

/** Waits for the writes of a store that may not answer, by letting time pass until they are given up. */
async function flushed({ cache, clock }: Opened): Promise<void> {
  const flush = cache.flush().then(() => 'done')
  while ((await Promise.race([flush, settle()])) === undefined) clock.advance(1_000)
}

function errorsIn(told: Told): unknown[] {
  return told.events.filter(({ name }) => name === 'error').map(({ event }) => Reflect.get(Object(event), 'error'))
}

async function stored({ tableName }: Opened): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await server.client().send(new ScanCommand({ TableName: tableName }))
  return Items.filter(({ pk }) => !String(pk).includes(':mark:'))
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const throttled: WireScript = () => refusal('ProvisionedThroughputExceededException', secret)

/** Lets as many through as `taken` says of those in a request, and leaves the rest. */
function partly(operation: 'BatchGetItem' | 'BatchWriteItem', taken: (body: Record<string, unknown>) => number): WireScript {
  return async (request, pass): Promise<WireAnswer> => {
    if (request.operation !== operation) return pass()
    const [first] = Object.entries<unknown>({ ...Object(request.body['RequestItems']) })
    const [table, given] = first ?? ['', undefined]
    const rest: unknown = operation === 'BatchGetItem' ? Reflect.get(Object(given), 'Keys') : given
    const list: unknown[] = Array.isArray(rest) ? rest : []
    const count = taken(request.body)
    const asked = (some: unknown[]): Record<string, unknown> => ({
      [table]: operation === 'BatchGetItem' ? { ...Object(given), Keys: some } : some,
    })
    const left = list.slice(count).length === 0 ? {} : asked(list.slice(count))
    const name = operation === 'BatchGetItem' ? 'UnprocessedKeys' : 'UnprocessedItems'
    if (count === 0) return { status: 200, body: { Responses: {}, [name]: left } }
    const answer = await pass({ ...request.body, RequestItems: asked(list.slice(0, count)) })
    return { ...answer, body: { ...answer.body, [name]: left } }
  }
}

/** Replicas that have seen nothing since `copy` was taken; a strong read is answered by what was written. */
function lagging(tableName: string, copy: readonly Record<string, unknown>[]): WireScript {
  const old = new Set(copy.map(({ pk }) => pk))
  const isOld = (pk: unknown): boolean => old.has(Reflect.get(Object(pk), 'S'))
  return async ({ operation, body }, pass) => {
    const answer = await pass()
    const wanted: unknown = Reflect.get(Object(body['RequestItems']), tableName)
    if (body['ConsistentRead'] === true || Reflect.get(Object(wanted), 'ConsistentRead') === true) return answer
    if (operation === 'GetItem') return isOld(Reflect.get(Object(answer.body['Item']), 'pk')) ? answer : { ...answer, body: {} }
    if (operation !== 'BatchGetItem') return answer
    const items: unknown = Reflect.get(Object(answer.body['Responses']), tableName)
    const seen = (Array.isArray(items) ? items : []).filter((item) => isOld(Reflect.get(Object(item), 'pk')))
    return { ...answer, body: { ...answer.body, Responses: { [tableName]: seen } } }
  }
}

describe('D01 a table that is throttled always', () => {
  it('is a miss within the budget, whatever the client does meanwhile', async () => {
    const cache = await open()
    cache.wire.script = throttled
    expect(await askPastDeadline(cache, secret)).toBe(`re: ${secret}`)
    expect(await cache.caller.ask(secret)).toBe(`re: ${secret}`)
    expect(cache.caller.asked).toHaveLength(1)
    await flushed(cache)
  })

  it.each<DynamoDBClientConfig['retryMode'] & string>(['standard', 'adaptive'])(
    'is asked twice at the most by a client in mode %s',
    async (retryMode) => {
      const { store, wire } = await open({ config: { retryMode, maxAttempts: 10 } })
      wire.script = throttled
      await expect(async () => store.get('key')).rejects.toThrow(/could not be read: ProvisionedThroughputExceededException/)
      expect(wire.count()).toBe(2)
    },
  )

  it('is asked once by a client that tries once', async () => {
    const { store, wire } = await open({ config: { maxAttempts: 1 } })
    wire.script = throttled
    await expect(async () => store.get('key')).rejects.toThrow(StoreError)
    expect(wire.count()).toBe(1)
  })

  it('is a hit when the second attempt succeeds', async () => {
    const { store, wire } = await open()
    await store.set('key', bytes('value'), { ttl: hour })
    const before = wire.count()
    wire.script = (_, pass) => (wire.count() === before + 1 ? refusal('InternalServerError', 'no', 500) : pass())
    expect(await store.get('key')).toEqual(bytes('value'))
    expect(wire.count()).toBe(before + 2)
  })
})

describe('D02 an entry near the limit of 400 KB', () => {
  const names = ['key', 'value', 'expires', 'until', 'elsewhere'] as const
  const long = Object.fromEntries(names.map((name) => [name, name.padEnd(255, '-')]))

  it.each([380_000, 380_001, 399 * 1_024, 400 * 1_024, 401 * 1_024])(
    'is stored and read whole at %i bytes, with long names and keys',
    async (size) => {
      const tableName = `answers-${randomUUID()}`
      await createTable(server.client(), { tableName, attributes: long })
      const { store } = await open({ tableName, options: { attributes: long } })
      const key = 'ü'.repeat(980)
      const value = randomBytes(size)
      await store.set(key, value, { ttl: hour })
      const got = await store.get(key)
      expect(got && Buffer.compare(got, value)).toBe(0)
    },
  )

  it('of any size is a hit for another machine, and no fault', async () => {
    const here = await open()
    // What cannot be compressed.
    const texts = [200_000, 299_000, 301_000, 900_000].map((size) => randomBytes(size).toString('base64'))
    for (const text of texts) await here.caller.ask(text)
    await here.cache.flush()
    const there = await open({ tableName: here.tableName, clock: here.clock })
    for (const text of texts) expect((await there.caller.ask(text)) === `re: ${text}`).toBe(true)
    expect(there.caller.asked).toEqual([])
    expect([...errorsIn(here.told), ...errorsIn(there.told)]).toEqual([])
  })
})

describe('D03 a table', () => {
  it('that is missing: one line says what to do, calls go on, and it is used as soon as it is there', async () => {
    const tableName = `answers-${randomUUID()}`
    const cache = await open({ tableName })
    for (let index = 0; index < 10; index++) {
      expect(await cache.caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
      await cache.cache.flush()
    }
    expect(await cache.caller.ask('question 0')).toBe('re: question 0')
    expect(cache.caller.asked).toHaveLength(10)
    const about = cache.told.lines.filter((line) => line.includes('createTable'))
    expect(about).toEqual([expect.stringContaining(`"${tableName}"`)])
    // Besides it: reading and writing are given up.
    expect(cache.told.lines).toHaveLength(3)
    await createTable(server.client(), { tableName })
    cache.clock.advance(1_000)
    await cache.caller.ask('question 10')
    await cache.cache.flush()
    const there = await open({ tableName, clock: cache.clock })
    expect([await there.caller.ask('question 10'), there.caller.asked]).toEqual(['re: question 10', []])
  })

  it('that has another key: one line says which it must have', async () => {
    const tableName = `answers-${randomUUID()}`
    await server.client().send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    )
    // A table is being created for a moment, even where that takes no time.
    await createTable(server.client(), { tableName, attributes: { key: 'id' } })
    const cache = await open({ tableName })
    expect(await cache.caller.ask('question')).toBe('re: question')
    await cache.cache.flush()
    expect(cache.told.lines).toEqual([expect.stringContaining('partition key must be the text attribute "pk"')])
  })
})

describe('D04 credentials', () => {
  const names = ['ExpiredTokenException', 'UnrecognizedClientException', 'InvalidSignatureException', 'AccessDeniedException']

  it.each(names)('that meet %s are told of once, and tried again later', async (name) => {
    const cache = await open()
    cache.wire.script = () => refusal(name, `the token secret-test is bad, ${secret}`)
    for (let index = 0; index < 8; index++) {
      expect(await cache.caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
      await cache.cache.flush()
    }
    expect(cache.told.lines).toHaveLength(3)
    expect(errorsIn(cache.told).every((error) => LlmemoError.isInstance(error))).toBe(true)
    cache.wire.script = (_, pass) => pass()
    cache.clock.advance(1_000)
    await cache.caller.ask('question 8')
    await cache.cache.flush()
    expect(cache.told.lines.slice(3)).toEqual([
      expect.stringContaining('is answering again'),
      expect.stringContaining('is taking writes again'),
    ])
    expect(await stored(cache)).toHaveLength(1)
  })

  it('that no provider has', async () => {
    const failing = Object.assign(new Error('secret-test'), { name: 'CredentialsProviderError' })
    const cache = await open({ config: { credentials: () => Promise.reject(failing) } })
    expect(await cache.caller.ask('question')).toBe('re: question')
    await cache.cache.flush()
    expect(cache.told.lines).toEqual([expect.stringContaining('CredentialsProviderError')])
  })

  it('that never come', async () => {
    const asked = Promise.withResolvers<void>()
    const credentials = (): Promise<never> => {
      asked.resolve()
      return new Promise(() => {})
    }
    const cache = await open({ config: { credentials } })
    const answer = cache.caller.ask('question')
    await asked.promise
    cache.clock.advance(100)
    expect(await answer).toBe('re: question')
    await flushed(cache)
  })
})

describe('D05 an endpoint that never answers', () => {
  it('is a miss at the deadline, and its socket is let go', async () => {
    const cache = await open()
    cache.wire.script = () => 'never'
    expect(await askPastDeadline(cache, 'question')).toBe('re: question')
    await cache.wire.until(() => cache.wire.aborted === cache.wire.count('BatchGetItem') + cache.wire.count('GetItem'))
    // The writes that follow have the store's own deadline.
    await cache.wire.until(() => cache.wire.count('PutItem') > 0)
    await flushed(cache)
    await cache.wire.until(() => cache.wire.aborted === cache.wire.count())
    expect(errorsIn(cache.told).every((error) => LlmemoError.isInstance(error))).toBe(true)
  })

  it('fails a caller of the store itself at its own timeout', async () => {
    const { store, wire, clock } = await open({ options: { timeout: 300 } })
    wire.script = () => 'never'
    const failure = Promise.resolve(store.get('key')).catch((error: unknown) => error)
    await wire.until(() => wire.count() === 1)
    clock.advance(300)
    expect(await failure).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(DeadlineError) })
    expect(wire.aborted).toBe(1)
  })

  it('is not asked at all by a caller that no longer waits', async () => {
    const { store, wire } = await open()
    await expect(async () => store.get('key', { signal: AbortSignal.abort() })).rejects.toThrow(StoreError)
    expect(wire.count()).toBe(0)
  })
})

describe('D06 an entry past its TTL', () => {
  it('is not returned, though DynamoDB has not removed it', async () => {
    const here = await open()
    await here.caller.ask('question')
    await here.cache.flush()
    here.clock.advance(hour)
    expect(await stored(here)).toHaveLength(1)
    const there = await open({ tableName: here.tableName, clock: here.clock })
    await there.caller.ask('question')
    expect(there.caller.asked).toEqual(['question'])
  })
})

describe('D07 a batch of which part is left', () => {
  const keys = Array.from({ length: 250 }, (_, index) => `key ${index}`)
  const writes = keys.map((key) => ({ key, value: bytes(key), ttl: hour }))
  const values = keys.map((key) => bytes(key))

  it('is read on for as long as something comes', async () => {
    const { store, wire } = await open()
    await store.setMany?.(writes)
    wire.script = partly('BatchGetItem', () => 30)
    expect(await store.getMany?.([...keys, ...keys])).toEqual([...values, ...values])
  })

  it('is a miss where nothing comes any more, and no mark is taken for missing', async () => {
    // By the real clock, as it pauses between its tries.
    const { store, wire } = await open({ options: { clock: systemClock } })
    await store.setMany?.(writes.slice(0, 10))
    let requests = 0
    wire.script = partly('BatchGetItem', () => (requests++ === 0 ? 4 : 0))
    const read = await store.getMany?.(keys.slice(0, 10))
    expect(read).toEqual([...values.slice(0, 4), ...Array.from({ length: 6 }, () => undefined)])
    // Once with some, and then twice with nothing.
    expect(requests).toBe(3)
    await expect(async () => store.getMany?.(['entry', 'mark'], { latest: new Set(['mark']) })).rejects.toThrow('1 of the keys unread')
  })

  it('is written on until it is done', async () => {
    const { store, wire } = await open()
    wire.script = partly('BatchWriteItem', () => 10)
    await store.setMany?.(writes)
    expect(await store.getMany?.(keys)).toEqual(values)
  })

  it('is dropped where nothing is taken any more, and it is said how many', async () => {
    const { store, wire } = await open({ options: { clock: systemClock } })
    let requests = 0
    wire.script = partly('BatchWriteItem', () => (requests++ === 0 ? 20 : 0))
    await expect(async () => store.setMany?.(writes.slice(0, 25))).rejects.toThrow('did not take 5 of 25 entries')
    wire.script = (_, pass) => pass()
    expect(await store.getMany?.(keys.slice(0, 25))).toEqual(values.map((value, index) => (index < 20 ? value : undefined)).slice(0, 25))
  })

  it('loses no other batch when one of them fails', async () => {
    const { store, wire } = await open()
    let requests = 0
    wire.script = (_, pass) => (requests++ === 1 ? refusal('ItemCollectionSizeLimitExceededException') : pass())
    await expect(async () => store.setMany?.(writes)).rejects.toThrow('could not be written: ItemCollectionSizeLimitExceededException')
    wire.script = (_, pass) => pass()
    const read = (await store.getMany?.(keys)) ?? []
    expect(read.filter((value) => value !== undefined)).toHaveLength(225)
  })
})

describe('D08 a hot key', () => {
  it('is read once by a process, however many callers want it', async () => {
    const here = await open()
    await here.caller.ask('question')
    await here.cache.flush()
    const there = await open({ tableName: here.tableName, clock: here.clock })
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => there.caller.ask('question')))
    expect(new Set(answers)).toEqual(new Set(['re: question']))
    for (let index = 0; index < 100; index++) await there.caller.ask('question')
    expect(there.caller.asked).toEqual([])
    // One for the answer, one for the marks that are read with it: they differ in how consistent they are.
    expect(there.wire.count()).toBe(2)
    expect(JSON.stringify(there.wire.requests).split(':v1:')).toHaveLength(2)
  })
})

describe('D09 a read right after a write by another machine', () => {
  it('is a miss at worst', async () => {
    const here = await open()
    const there = await open({ tableName: here.tableName, clock: here.clock })
    there.wire.script = lagging(here.tableName, [])
    await here.caller.ask('question')
    await here.cache.flush()
    expect(await there.caller.ask('question')).toBe('re: question')
    expect(there.caller.asked).toEqual(['question'])
  })

  it('sees an invalidation, though the answer itself comes from a replica', async () => {
    const here = await open()
    await here.caller.ask('question')
    await here.cache.flush()
    const there = await open({ tableName: here.tableName, clock: here.clock })
    // The replica knows the answer and none of the marks.
    there.wire.script = lagging(here.tableName, await stored(here))
    await here.cache.invalidate({ all: true })
    expect(await there.caller.ask('question')).toBe('re: question')
    expect(there.caller.asked).toEqual(['question'])
  })
})

describe('an answer in S3', () => {
  const large = randomBytes(600_000).toString('base64')
  let s3: S3Server

  beforeEach(async () => {
    s3 = await startS3()
  })
  afterEach(() => s3.close())

  async function openWithS3(setting: Setting = {}) {
    return open({ ...setting, options: { overflow: { client: s3.client, bucket: 'answers' } } })
  }

  /** A cache that put the large answer into S3, and one on another machine. */
  async function both() {
    const here = await openWithS3()
    await here.caller.ask(large)
    await here.cache.flush()
    expect(s3.objects.size).toBe(1)
    const there = await openWithS3({ tableName: here.tableName, clock: here.clock })
    return { here, there, name: [...s3.objects.keys()][0] ?? '' }
  }

  /** Whether the answer came from the origin, as it is, and only this once. */
  async function isMissed({ caller }: Opened): Promise<boolean> {
    return (await caller.ask(large)) === `re: ${large}` && caller.asked.length === 1
  }

  it('is a hit for another machine, and its name tells nothing', async () => {
    const { there, name } = await both()
    expect((await there.caller.ask(large)) === `re: ${large}`).toBe(true)
    expect(there.caller.asked).toEqual([])
    expect(name).toMatch(/^answers\/llmemo\/[\da-f-]{36}$/)
  })

  it('D10 is a miss when the object is gone, as a lifecycle rule leaves it', async () => {
    const { there, name } = await both()
    s3.objects.delete(name)
    expect(await isMissed(there)).toBe(true)
    expect(there.told.lines).toEqual([expect.stringContaining('objects in the S3 bucket "answers" cannot be read')])
  })

  it('D10 is a miss when the object is another one', async () => {
    const { there, name } = await both()
    s3.objects.set(name, Buffer.alloc(s3.objects.get(name)?.byteLength ?? 0))
    expect(await isMissed(there)).toBe(true)
  })

  it.each<'slow down' | 'cut' | 'short'>(['slow down', 'cut', 'short'])(
    'D10 is a miss when S3 is to %s, which is asked twice at the most',
    async (manner) => {
      const { there } = await both()
      s3.reads = manner
      await isMissed(there)
      expect(s3.requests.filter((request) => request.startsWith('GET')).length).toBeLessThanOrEqual(2)
      // The table is well, and goes on being used.
      expect(there.told.lines.filter((line) => line.includes('go on without it'))).toEqual([])
    },
  )

  it('D10 is a miss at the deadline when its body never comes', async () => {
    const { there } = await both()
    s3.reads = 'never'
    const asked = s3.requests.length
    const answer = there.caller.ask(large)
    while (s3.requests.length === asked) await settle()
    await settle()
    there.clock.advance(100)
    expect((await answer) === `re: ${large}`).toBe(true)
    await flushed(there)
  })

  it('D10 is a miss when nothing points to it, and for a store without a bucket', async () => {
    const { here } = await both()
    const there = await open({ tableName: here.tableName, clock: here.clock })
    expect(await isMissed(there)).toBe(true)
    await there.cache.flush()
    const head = (await stored(here)).map(({ pk }) => pk).find((pk) => !String(pk).includes('#'))
    await server.client().send(new DeleteCommand({ TableName: here.tableName, Key: { pk: head } }))
    expect(await isMissed(await openWithS3({ tableName: here.tableName, clock: here.clock }))).toBe(true)
  })

  it('D10 is dropped when S3 takes nothing, and so is no pointer', async () => {
    s3.writes = 'slow down'
    const here = await openWithS3()
    expect(await isMissed(here)).toBe(true)
    await here.cache.flush()
    expect(await stored(here)).toEqual([])
    expect(errorsIn(here.told)).toEqual([
      expect.objectContaining({ message: expect.stringContaining('"answers" could not be written: SlowDown') }),
    ])
  })

  it('D11 is there before its pointer: killed in between, there is only an object that no process reads', async () => {
    const here = await openWithS3()
    const order: string[] = []
    here.wire.script = ({ operation, body }, pass) => {
      if (operation !== 'PutItem' || JSON.stringify(body).includes(':mark:')) return pass()
      order.push(...s3.requests, operation)
      return refusal('InternalServerError', 'killed', 500)
    }
    expect(await isMissed(here)).toBe(true)
    await here.cache.flush()
    expect(order.slice(0, 2)).toEqual([expect.stringMatching(/^PUT /), 'PutItem'])
    expect([await stored(here), s3.objects.size]).toEqual([[], 1])
    expect(await isMissed(await openWithS3({ tableName: here.tableName, clock: here.clock }))).toBe(true)
  })

  it('leaves no object behind when it is replaced or deleted', async () => {
    const { store } = await openWithS3()
    await store.set('key', randomBytes(500_000), { ttl: hour })
    const second = randomBytes(500_000)
    await store.set('key', second, { ttl: hour })
    expect([...s3.objects.values()].map((object) => object.equals(second))).toEqual([true])
    await store.delete('key')
    expect(s3.objects.size).toBe(0)
  })
})

describe('D11 an entry in parts', () => {
  it('has its head written last: killed in between, it is a miss, and the former one is still whole', async () => {
    const { store, wire } = await open()
    const first = randomBytes(800_000)
    await store.set('key', first, { ttl: hour })
    wire.script = ({ operation }, pass) => (operation === 'PutItem' ? refusal('InternalServerError', 'killed', 500) : pass())
    await expect(async () => store.set('key', randomBytes(800_000), { ttl: hour })).rejects.toThrow(StoreError)
    await expect(async () => store.set('new', randomBytes(800_000), { ttl: hour })).rejects.toThrow(StoreError)
    const got = await store.get('key')
    expect(got && Buffer.compare(got, first)).toBe(0)
    expect(await store.get('new')).toBeUndefined()
  })

  it('has no head when a part of it was not taken', async () => {
    const { store, wire } = await open()
    wire.script = ({ operation }, pass) => (operation === 'BatchWriteItem' ? refusal('ThrottlingException') : pass())
    await expect(async () => store.set('key', randomBytes(800_000), { ttl: hour })).rejects.toThrow(StoreError)
    expect(wire.count('PutItem')).toBe(0)
  })
})

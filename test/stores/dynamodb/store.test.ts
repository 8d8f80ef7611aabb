import { randomUUID } from 'node:crypto'
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, GetCommand, paginateScan, PutCommand } from '@aws-sdk/lib-dynamodb'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError, StoreError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store.ts'
import { createTable, dynamodbStore, type DynamodbStoreOptions } from '../../../src/stores/dynamodb/store.ts'
import { gcsObjects } from '../../../src/stores/objects/objects.ts'
import { describeStore } from '../../contracts/store.ts'
import { type DynamodbServer, localJar, startDynalite, startDynamodbLocal } from '../../support/dynamodb-server.ts'
import { Wire } from '../../support/dynamodb-wire.ts'
import { startGcs } from '../../support/gcs-server.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const hour = 3_600_000

let server: DynamodbServer
let client: DynamoDBDocumentClient

beforeAll(async () => {
  server = localJar === undefined ? await startDynalite() : await startDynamodbLocal(localJar)
  client = server.client()
})
afterAll(() => server.close())

if (localJar === undefined) {
  console.info('LLMEMO_DYNAMODB_LOCAL names no jar of DynamoDB Local: its suite runs on dynalite only.')
}

async function open(options: Partial<DynamodbStoreOptions> = {}, through = client) {
  const tableName = `answers-${randomUUID()}`
  const clock = new ManualClock()
  await createTable(client, { tableName, ...(options.attributes && { attributes: options.attributes }) })
  return { store: dynamodbStore(through, { tableName, clock, ...options }), tableName, clock }
}

/** All items of a table. */
async function itemsOf(tableName: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = []
  for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName, ConsistentRead: true })) items.push(...Items)
  return items
}

function noise(length: number, seed = 31): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * seed + (index >> 8)) % 251)
}

async function same(store: Store, key: string, value: Uint8Array): Promise<boolean> {
  const got = await store.get(key)
  return got !== undefined && Buffer.compare(got, value) === 0
}

describeStore('dynamodbStore', async () => ({ ...(await open()), cleanup: () => undefined }))

describeStore('D13 dynamodbStore with reserved words for names, on a client that wraps numbers', async () => {
  // All of these are reserved words: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
  const attributes = { key: 'key', value: 'values', expires: 'ttl', until: 'time', elsewhere: 'location' }
  const wrapping = server.client({}, { unmarshallOptions: { wrapNumbers: true }, marshallOptions: { convertEmptyValues: true } })
  return { ...(await open({ attributes }, wrapping)), cleanup: () => undefined }
})

describe('an item', () => {
  it('C03 holds its expiry in seconds, rounded up, and in milliseconds, and its value as bytes', async () => {
    const { store, tableName, clock } = await open()
    clock.advance(1)
    const now = clock.now()
    await store.set('answer', new Uint8Array([1, 2]), { ttl: 1_500 })
    const item = { pk: 'answer', value: new Uint8Array([1, 2]), until: now + 1_500, expires: Math.ceil((now + 1_500) / 1_000) }
    expect(await itemsOf(tableName)).toEqual([item])
    expect(item.expires * 1_000).toBeGreaterThanOrEqual(item.until)
  })

  it('of another application is a miss, and in no list', async () => {
    const { store, tableName, clock } = await open()
    const foreign = [
      { pk: 'a', value: new Uint8Array([1]) },
      { pk: 'b', value: 'text', until: clock.now() + hour },
      { pk: 'c', value: new Uint8Array([1]), until: 'tomorrow' },
      { pk: 'd', until: clock.now() + hour, elsewhere: { generation: 'g', parts: 1e9, size: 5 } },
      { pk: 'e', until: clock.now() + hour, elsewhere: { generation: 'g', parts: 1, size: -5 } },
      { pk: 'f', until: clock.now() + hour, elsewhere: { object: 'o', tag: '', size: 5 } },
    ]
    for (const Item of foreign) await client.send(new PutCommand({ TableName: tableName, Item }))
    expect(await store.getMany?.(foreign.map(({ pk }) => pk))).toEqual(foreign.map(() => undefined))
  })
})

describe('a value that does not fit into an item', () => {
  it('is split and read whole, and its parts are in no list of keys', async () => {
    const { store, tableName } = await open()
    const value = noise(1_200_000)
    await store.set('large', value, { ttl: hour })
    expect(await same(store, 'large', value)).toBe(true)
    expect(await itemsOf(tableName)).toHaveLength(5)
    const keys: string[] = []
    for await (const key of store.keys?.('') ?? []) keys.push(key)
    expect(keys).toEqual(['large'])
  })

  it('is a miss when one of its parts is missing or has another length', async () => {
    const { store, tableName } = await open()
    await store.set('large', noise(800_000), { ttl: hour })
    const parts = (await itemsOf(tableName)).filter(({ pk }) => pk !== 'large')
    expect(parts).toHaveLength(3)
    for (const part of parts) {
      const { pk } = part
      await client.send(new PutCommand({ TableName: tableName, Item: { ...part, value: new Uint8Array(7) } }))
      expect(await store.get('large')).toBeUndefined()
      await client.send(new PutCommand({ TableName: tableName, Item: { pk, expires: 1 } }))
      expect(await store.get('large')).toBeUndefined()
      await client.send(new PutCommand({ TableName: tableName, Item: part }))
      expect(await store.get('large')).toHaveLength(800_000)
    }
  })

  it('leaves no parts behind when it is replaced or deleted', async () => {
    const { store, tableName } = await open()
    const second = noise(900_000, 7)
    await store.set('large', noise(800_000), { ttl: hour })
    await store.set('large', second, { ttl: hour })
    expect(await itemsOf(tableName)).toHaveLength(4)
    expect(await same(store, 'large', second)).toBe(true)
    await store.delete('large')
    expect(await itemsOf(tableName)).toEqual([])
  })

  it('is never a mixture of values that were written at once', async () => {
    const { store } = await open()
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => store.set('large', new Uint8Array(800_000 + index).fill(index), { ttl: hour })),
    )
    const value = await store.get('large')
    expect(value?.length).toBe(800_000 + (value?.[0] ?? -1))
    expect(new Set(value).size).toBe(1)
  })

  it('is written and read together with small values', async () => {
    const { store } = await open()
    const large = noise(500_000)
    await store.setMany?.([
      { key: 'small', value: new Uint8Array([1]), ttl: hour },
      { key: 'large', value: large, ttl: hour },
    ])
    const [first, second] = (await store.getMany?.(['large', 'small'])) ?? []
    expect(first && Buffer.compare(first, large)).toBe(0)
    expect(second).toEqual(new Uint8Array([1]))
  })
})

describe('a value for another place for objects than S3', () => {
  it('goes there, and is removed with its item', async () => {
    const gcs = await startGcs()
    const { store, tableName } = await open({ overflow: { objects: gcsObjects({ bucket: gcs.bucket }), prefix: 'cache/' } })
    const value = noise(500_000)
    await store.set('large', value, { ttl: hour })
    expect(await same(store, 'large', value)).toBe(true)
    expect([(await itemsOf(tableName)).length, [...gcs.objects.keys()]]).toEqual([1, [expect.stringMatching(/^cache\/[\da-f-]{36}$/)]])
    await store.delete('large')
    expect(gcs.objects.size).toBe(0)
    await gcs.close()
  })
})

describe('reads', () => {
  it('of a hundred keys are one request, without repeated keys; only reads of the latest value are strong', async () => {
    const wire = new Wire()
    const { store } = await open({}, server.client({ requestHandler: wire.handler }))
    const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`)
    await store.getMany?.([...keys, ...keys])
    expect(wire.count()).toBe(1)
    await store.getMany?.(['entry', 'mark'], { latest: new Set(['mark']) })
    await store.get('entry', { latest: new Set(['mark']) })
    await store.get('mark', { latest: new Set(['mark']) })
    const strong = wire.requests.slice(1).map(({ body }) => /"ConsistentRead":true/.test(JSON.stringify(body)))
    const asked = wire.requests.slice(1).map(({ body }) => (JSON.stringify(body).includes('mark') ? 'mark' : 'entry'))
    expect(asked.map((name, index) => `${name} ${strong[index]}`).toSorted()).toEqual([
      'entry false',
      'entry false',
      'mark true',
      'mark true',
    ])
  })

  it('are all strong when the option is set', async () => {
    const wire = new Wire()
    const { store } = await open({ consistent: true }, server.client({ requestHandler: wire.handler }))
    await store.getMany?.(['a', 'b'])
    await store.get('a')
    expect(wire.requests.map(({ body }) => /"ConsistentRead":true/.test(JSON.stringify(body)))).toEqual([true, true])
  })
})

describe('keys that DynamoDB cannot keep', () => {
  it.each(['', 'k'.repeat(2_049), 'lone \ud800 surrogate'])('are misses, and the other keys of the batch are kept (%#)', async (key) => {
    const { store } = await open()
    const value = new Uint8Array([1])
    await expect(async () => store.set(key, value, { ttl: hour })).rejects.toThrow(StoreError)
    const writes = [
      { key, value, ttl: hour },
      { key: 'good', value, ttl: hour },
    ]
    await expect(async () => store.setMany?.(writes)).rejects.toThrow('1 of 2 entries')
    expect(await store.get(key)).toBeUndefined()
    expect(await store.getMany?.([key, 'good'])).toEqual([undefined, value])
    await store.delete(key)
  })

  it('do not include the longest possible key, even with a split value', async () => {
    const { store } = await open()
    const key = 'ü'.repeat(990)
    const value = noise(400_000)
    await store.set(key, value, { ttl: hour })
    expect(await same(store, key, value)).toBe(true)
  })
})

describe('options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['tableName', {}],
    ['tableName', { tableName: '' }],
    ['consistent', { tableName: 'answers', consistent: 'yes' }],
    ['timeout', { tableName: 'answers', timeout: 0 }],
    ['clock', { tableName: 'answers', clock: {} }],
    ['tabelName', { tableName: 'answers', tabelName: 'answers' }],
    ['attributes.key', { tableName: 'answers', attributes: { key: '' } }],
    ['attributes.sort', { tableName: 'answers', attributes: { sort: 'sk' } }],
    ['attributes.value', { tableName: 'answers', attributes: { value: 'pk' } }],
    ['overflow.client', { tableName: 'answers', overflow: { bucket: 'b' } }],
    ['overflow.bucket', { tableName: 'answers', overflow: { client: { send: () => undefined } } }],
    ['overflow.objects', { tableName: 'answers', overflow: { objects: {} } }],
    ['bucket', { tableName: 'answers', overflow: { objects: { name: 'a', put() {}, get() {}, delete() {} }, bucket: 'b' } }],
    ['overflow.above', { tableName: 'answers', overflow: { client: { send: () => undefined }, bucket: 'b', above: 400_000 } }],
  ])('refuses %s where it cannot be', (option, options) => {
    const make = (): unknown => Reflect.apply(dynamodbStore, undefined, [client, options])
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(option.startsWith('attributes.value') ? 'attributes.' : option)
  })

  it('refuses an invalid client', () => {
    expect((): unknown => Reflect.apply(dynamodbStore, undefined, [{}, { tableName: 'answers' }])).toThrow(
      'DynamoDBDocumentClient.from(new DynamoDBClient())',
    )
  })

  it('warns of a client whose own rate limiter would delay reads', async () => {
    const lines: string[] = []
    const reported = new Promise<void>((resolve) => {
      const store = dynamodbStore(server.client({ retryMode: 'adaptive' }), { tableName: 'answers' })
      store.onReport?.((line) => resolve(void lines.push(line)))
    })
    await reported
    expect(lines).toEqual([expect.stringContaining('"standard"')])
  })
})

describe('createTable', () => {
  it('creates a table that is billed by request, and accepts one that exists', async () => {
    const tableName = `answers-${randomUUID()}`
    await createTable(client, { tableName, attributes: { key: 'id' } })
    await createTable(client, { tableName, attributes: { key: 'id' } })
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    })
  })

  it('enables TTL once, on the attribute that holds seconds', async () => {
    const wire = new Wire()
    let enabled = false
    wire.script = ({ operation }, pass) => {
      if (operation === 'UpdateTimeToLive') enabled = true
      if (operation === 'UpdateTimeToLive') return { status: 200, body: {} }
      if (operation !== 'DescribeTimeToLive') return pass()
      return { status: 200, body: { TimeToLiveDescription: { TimeToLiveStatus: enabled ? 'ENABLING' : 'DISABLED' } } }
    }
    const tableName = `answers-${randomUUID()}`
    const through = server.client({ requestHandler: wire.handler })
    await createTable(through, { tableName, attributes: { expires: 'ttl' } })
    await createTable(through, { tableName, attributes: { expires: 'ttl' } })
    expect(wire.requests.filter(({ operation }) => operation === 'UpdateTimeToLive').map(({ body }) => body)).toEqual([
      { TableName: tableName, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } },
    ])
  })

  it('throws an error when it fails', async () => {
    const wire = new Wire()
    wire.script = () => ({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } })
    const through = server.client({ requestHandler: wire.handler })
    await expect(createTable(through, { tableName: 'answers' })).rejects.toThrow('could not be created: AccessDeniedException')
  })
})

describe('a random history', () => {
  it('gives the same values as a Map', async () => {
    const { store, clock, tableName } = await open()
    const key = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({
        does: fc.constant('set' as const),
        key,
        size: fc.constantFrom(0, 1, 5_000, 500_000),
        ttl: fc.integer({ min: 1, max: 5_000 }),
      }),
      fc.record({ does: fc.constant('delete' as const), key }),
      fc.record({ does: fc.constant('wait' as const), time: fc.integer({ min: 1, max: 3_000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const model = new Map<string, { size: number; until: number }>()
        for (const name of ['a', 'b', 'c']) await store.delete(name)
        for (const each of steps) {
          if (each.does === 'wait') clock.advance(each.time)
          else if (each.does === 'delete') {
            await store.delete(each.key)
            model.delete(each.key)
          } else {
            await store.set(each.key, noise(each.size), { ttl: each.ttl })
            model.set(each.key, { size: each.size, until: clock.now() + each.ttl })
          }
          const sizes = (await store.getMany?.(['a', 'b', 'c']))?.map((value) => value?.byteLength)
          const expected = ['a', 'b', 'c'].map((name) => {
            const kept = model.get(name)
            return kept !== undefined && clock.now() < kept.until ? kept.size : undefined
          })
          expect(sizes).toEqual(expected)
        }
      }),
      { numRuns: 15 },
    )
    for (const name of ['a', 'b', 'c']) await store.delete(name)
    // Only the parts of a split value that a small one replaced are left; they expire.
    expect((await itemsOf(tableName)).every(({ pk }) => String(pk).includes('#'))).toBe(true)
    const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: { pk: 'a' } }))
    expect(Item).toBeUndefined()
  })
})

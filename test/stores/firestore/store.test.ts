import { randomBytes, randomUUID } from 'node:crypto'
import { Firestore } from '@google-cloud/firestore'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { InvalidOptionError, StoreError } from '../../../src/errors.ts'
import { firestoreStore, type FirestoreStoreOptions } from '../../../src/stores/firestore/store.ts'
import { gcsObjects } from '../../../src/stores/objects/objects.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { describeStore } from '../../contracts/store.ts'
import { answer, question } from '../../support/chat.ts'
import { type FirestoreManner, type FirestoreServer, startFirestore } from '../../support/firestore-server.ts'
import { startGcs } from '../../support/gcs-server.ts'
import { until } from '../../support/until.ts'

const hour = 3_600_000
/** Where an emulator of Firestore listens, when the environment says so. The client itself reads this variable too. */
const emulator = process.env['FIRESTORE_EMULATOR_HOST']
delete process.env['FIRESTORE_EMULATOR_HOST']

let server: FirestoreServer
let clock: ManualClock

beforeEach(async () => {
  clock = new ManualClock()
  server = await startFirestore()
})
afterEach(() => server.close())

function open(options: Partial<FirestoreStoreOptions> = {}) {
  return firestoreStore({ client: server.client(), clock, ...options })
}

async function same(store: { get(key: string): unknown }, key: string, value: Uint8Array): Promise<boolean> {
  const got = await store.get(key)
  return got instanceof Uint8Array && Buffer.compare(got, value) === 0
}

describeStore('firestoreStore', async () => ({ store: open(), clock, cleanup: () => undefined }))

describe.skipIf(emulator === undefined)('over gRPC, on the emulator of FIRESTORE_EMULATOR_HOST', () => {
  const client = new Firestore({ projectId: 'test', host: emulator ?? '127.0.0.1', ssl: false })
  afterAll(() => client.terminate())

  describeStore('firestoreStore', async () => ({
    store: firestoreStore({ client, collection: `answers-${randomUUID()}`, clock, timeout: 60_000 }),
    clock,
    cleanup: () => undefined,
  }))

  it('splits a value that does not fit, and lets two stores add at once', async () => {
    const collection = `answers-${randomUUID()}`
    const [one, two] = [firestoreStore({ client, collection }), firestoreStore({ client, collection })]
    const large = randomBytes(2_500_000)
    await one.set('large', large, { ttl: hour })
    expect(await same(two, 'large', large)).toBe(true)
    await Promise.all([one.add?.('sums', { a: 1 }, { ttl: hour }), two.add?.('sums', { a: 1 }, { ttl: hour })])
    expect(await one.add?.('sums', {}, { ttl: hour })).toEqual({ a: 2 })
  })
})

describe('a document', () => {
  it('C03 holds its end as a time for the TTL policy, and in milliseconds', async () => {
    await open().set('answer', new Uint8Array([1, 2]), { ttl: 1_500 })
    const [[name, document] = []] = server.documents
    const end = clock.now() + 1_500
    expect(name).toMatch(/^llmemo\/[\da-f]{64}$/)
    expect(document?.fields).toEqual({
      key: { stringValue: 'answer' },
      value: { bytesValue: 'AQI=' },
      until: { integerValue: String(end) },
      expires: { timestampValue: new Date(end).toISOString() },
      elsewhere: { nullValue: null },
    })
  })

  it('is not returned after its end, though Firestore removes it days later', async () => {
    const store = open()
    await store.set('answer', new Uint8Array([1]), { ttl: 1_000 })
    clock.advance(1_000)
    expect([await store.get('answer'), server.documents.size]).toEqual([undefined, 1])
  })

  it('of another application is a miss', async () => {
    const store = open()
    await store.set('mine', new Uint8Array([1]), { ttl: hour })
    const [[name = '', document] = []] = server.documents
    for (const damage of [{ key: { stringValue: 'other' } }, { until: { stringValue: 'tomorrow' } }, { value: { stringValue: 'text' } }]) {
      server.documents.set(name, { updateTime: document?.updateTime ?? '', fields: { ...document?.fields, ...damage } })
      expect(await store.get('mine')).toBeUndefined()
    }
  })

  it('lies below a document, where the collection does', async () => {
    await open({ collection: 'tenants/acme/answers' }).set('answer', new Uint8Array([1]), { ttl: hour })
    expect([...server.documents.keys()]).toEqual([expect.stringMatching(/^tenants\/acme\/answers\//)])
  })
})

describe('requests', () => {
  it('hold up to a hundred documents, and at most eight megabytes', async () => {
    const store = open()
    const writes = Array.from({ length: 150 }, (_, index) => ({ key: `key ${index}`, value: new Uint8Array([1]), ttl: hour }))
    await store.setMany?.(writes)
    await store.getMany?.(writes.map(({ key }) => key))
    await store.setMany?.(
      Array.from({ length: 10 }, (_, index) => ({ key: `large ${index}`, value: new Uint8Array(1_000_000), ttl: hour })),
    )
    expect(server.requests.toSorted()).toEqual(
      ['batchGet 100', 'batchGet 50', 'commit 100', 'commit 2', 'commit 50', 'commit 8'].toSorted(),
    )
  })
})

describe('a value that does not fit into a document', () => {
  const large = randomBytes(2_500_000)

  it('is split and read whole; its parts are in no list, and none is left when it is replaced or deleted', async () => {
    const store = open()
    await store.set('large', large, { ttl: hour })
    expect([await same(store, 'large', large), server.documents.size]).toEqual([true, 4])
    const keys: string[] = []
    for await (const key of store.keys?.('') ?? []) keys.push(key)
    expect(keys).toEqual(['large'])
    await store.set('large', large.subarray(1), { ttl: hour })
    expect([await same(store, 'large', large.subarray(1)), server.documents.size]).toEqual([true, 4])
    await store.delete('large')
    expect(server.documents.size).toBe(0)
  })

  it('is a miss when one of its parts is missing', async () => {
    const store = open()
    await store.set('large', large, { ttl: hour })
    server.documents.delete([...server.documents.keys()].find((name) => name.includes('-')) ?? '')
    expect(await store.get('large')).toBeUndefined()
  })

  it('goes to the place for objects, whose object is removed with it', async () => {
    const gcs = await startGcs()
    const store = open({ overflow: { objects: gcsObjects({ bucket: gcs.bucket }), prefix: 'cache/', above: 1_000 } })
    await store.set('large', large, { ttl: hour })
    expect([await same(store, 'large', large), gcs.objects.size, server.documents.size]).toEqual([true, 1, 1])
    expect([...gcs.objects.keys()]).toEqual([expect.stringMatching(/^cache\/[\da-f-]{36}$/)])
    await store.delete('large')
    expect([gcs.objects.size, server.documents.size]).toEqual([0, 0])
    await gcs.close()
  })

  it('is dropped when the place for objects takes nothing, and so is no document', async () => {
    const gcs = await startGcs()
    gcs.refuses = true
    const store = open({ overflow: { objects: gcsObjects({ bucket: gcs.bucket }), above: 1_000 } })
    await expect(async () => store.set('large', large, { ttl: hour })).rejects.toThrow(
      'bucket "answers" of Cloud Storage could not be written',
    )
    expect(server.documents.size).toBe(0)
    await gcs.close()
  })
})

describe('processes that change one document at once', () => {
  it('lose nothing of what they add', async () => {
    const [one, two] = [open(), open({ client: server.client() })]
    const moved = setInterval(() => clock.advance(5), 1)
    const add = async (store: typeof one) => store.add?.('sums', { a: 1 }, { ttl: hour })
    await Promise.all(Array.from({ length: 5 }, () => [add(one), add(two)]).flat())
    clearInterval(moved)
    expect(await one.add?.('sums', {}, { ttl: hour })).toEqual({ a: 10 })
  })
})

function manner(http: number, status: string): FirestoreManner {
  return { http, status }
}

describe('a Firestore that fails', () => {
  it.each<[FirestoreManner, string]>([
    [manner(403, 'PERMISSION_DENIED'), 'roles/datastore.user'],
    [manner(404, 'NOT_FOUND'), 'the database does not exist'],
    [manner(401, 'UNAUTHENTICATED'), 'no valid credentials'],
    [manner(400, 'FAILED_PRECONDITION'), 'Native mode'],
    [manner(400, 'INVALID_ARGUMENT'), 'INVALID_ARGUMENT'],
  ])('by %j is an error of ours, which says so', async (given, reason) => {
    server.manner = given
    const store = open()
    const lines: string[] = []
    store.onReport?.((line) => lines.push(line))
    const failure: unknown = await Promise.resolve(store.get('secret key')).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StoreError)
    expect(String(failure)).toContain(reason)
    expect(String(failure)).not.toContain('secret key')
    await Promise.resolve(store.get('secret key')).catch(() => undefined)
    expect(lines.length).toBe(reason === 'INVALID_ARGUMENT' ? 0 : 1)
  })

  it.each<FirestoreManner>(['never', manner(503, 'UNAVAILABLE'), manner(429, 'RESOURCE_EXHAUSTED')])(
    'by %j ends at the deadline, however often the client tries',
    async (given) => {
      server.manner = given
      const reading = Promise.resolve(open({ timeout: 100 }).get('key')).catch(String)
      await until(() => server.requests.length > 0)
      clock.advance(100)
      expect(await reading).toMatch(/took longer than 100 ms|RESOURCE_EXHAUSTED/)
    },
  )

  it.each<FirestoreManner>([
    'never',
    'cut',
    manner(429, 'RESOURCE_EXHAUSTED'),
    manner(503, 'UNAVAILABLE'),
    manner(403, 'PERMISSION_DENIED'),
  ])('by %j never reaches a caller of the cache', async (given) => {
    const errors: unknown[] = []
    server.manner = given
    const cache = createCache({ store: open({ timeout: 50 }), logger: false, prices: false, readDeadline: 100 })
    cache.on('error', (error) => errors.push(error))
    const moved = setInterval(() => clock.advance(50), 1)
    expect(await cache.wrap('key', '1h', async () => 'value')).toBe('value')
    expect(await cache.lookup(question('hello'))).toBeUndefined()
    await cache.store(question('hello'), answer('there'))
    await cache.flush()
    await cache.close()
    clearInterval(moved)
    expect(errors.length).toBeGreaterThan(0)
  })
})

describe('with encryption', () => {
  it('is a hit for another process, and tells Firestore nothing', async () => {
    const encryption = { keys: { a: new Uint8Array(32).fill(7) }, current: 'a' }
    const make = () => createCache({ store: open(), encryption, logger: false, prices: false, readDeadline: '10s', savings: true })
    const [one, two] = [make(), make()]
    await one.store(question('a private question'), answer('a private answer'))
    await one.flush()
    const found = await two.lookup(question('a private question'))
    expect(JSON.stringify(found)).toContain('a private answer')
    const kept = [...server.documents.values()].map(({ fields }) =>
      Buffer.from(String(fields['value']?.['bytesValue']), 'base64').toString('latin1'),
    )
    expect([...kept, JSON.stringify([...server.documents])].join()).not.toMatch(/private|gpt/)
    await Promise.all([one.close(), two.close()])
  })
})

describe('options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['client', { client: {} }],
    ['collection', { collection: '' }],
    ['collection', { collection: 'tenants/acme' }],
    ['collection', { collection: '__llmemo__' }],
    ['timeout', { timeout: 0 }],
    ['clock', { clock: {} }],
    ['overflow.above', { overflow: { objects: { name: 'a', put() {}, get() {}, delete() {} }, above: 1_100_000 } }],
    ['table', { table: 'answers' }],
  ])('refuse %s where it cannot be (%#)', (option, options) => {
    const make = (): unknown => Reflect.apply(firestoreStore, undefined, [{ client: server.client(), ...options }])
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(option)
  })
})

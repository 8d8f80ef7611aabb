import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { InvalidOptionError, StoreError } from '../../../src/errors.ts'
import { azureBlobObjects } from '../../../src/stores/objects/objects.ts'
import { cosmosStore, type CosmosStoreOptions } from '../../../src/stores/cosmos/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { describeStore } from '../../contracts/store.ts'
import { startAzureBlob } from '../../support/azure-blob-server.ts'
import { answer, question } from '../../support/chat.ts'
import { type CosmosServer, startCosmos } from '../../support/cosmos-server.ts'
import { until } from '../../support/until.ts'

const hour = 3_600_000

let server: CosmosServer
let clock: ManualClock

beforeEach(async () => {
  clock = new ManualClock()
  server = await startCosmos(clock)
})
afterEach(() => server.close())

function open(options: Partial<CosmosStoreOptions> = {}) {
  return cosmosStore({ container: server.container(), clock, ...options })
}

async function same(store: { get(key: string): unknown }, key: string, value: Uint8Array): Promise<boolean> {
  const got = await store.get(key)
  return got instanceof Uint8Array && Buffer.compare(got, value) === 0
}

describeStore('cosmosStore', async () => ({ store: open(), clock, cleanup: () => undefined }))

describe('an item', () => {
  it('C03 holds its TTL in seconds, rounded up, and its end in milliseconds', async () => {
    await open().set('answer', new Uint8Array([1, 2]), { ttl: 1_500 })
    const [[id, item] = []] = server.items
    expect(id).toMatch(/^[\da-f]{64}$/)
    expect(item).toMatchObject({ id, key: 'answer', value: 'AQI=', until: clock.now() + 1_500, ttl: 3 })
  })

  it('is partitioned by the property that the option names', async () => {
    await open({ partitionKey: 'pk' }).set('answer', new Uint8Array([1]), { ttl: hour })
    const [[id, item] = []] = server.items
    expect(item).toMatchObject({ id, pk: id })
  })

  it('is not returned after its end where the container removes nothing', async () => {
    delete server.settings.defaultTtl
    const store = open()
    await store.set('answer', new Uint8Array([1]), { ttl: 1_000 })
    clock.advance(1_000)
    expect([await store.get('answer'), server.items.size]).toEqual([undefined, 1])
  })

  it('of another application is a miss, and in no list', async () => {
    const store = open()
    await store.set('mine', new Uint8Array([1]), { ttl: hour })
    const [[id = '', item] = []] = server.items
    for (const damage of [
      { key: 'other' },
      { until: 'tomorrow' },
      { value: 5 },
      { value: undefined, elsewhere: { generation: 'g', parts: 1e9, size: 5 } },
      { value: undefined, elsewhere: { object: 'o', tag: '', size: 5 } },
    ]) {
      server.items.set(id, { ...item, ...damage })
      expect(await store.get('mine')).toBeUndefined()
    }
  })
})

describe('a value that does not fit into an item', () => {
  const large = randomBytes(4_000_000)

  it('is split and read whole; its parts are in no list, and none is left when it is replaced or deleted', async () => {
    const store = open()
    await store.set('large', large, { ttl: hour })
    expect(await same(store, 'large', large)).toBe(true)
    expect(server.items.size).toBe(4)
    const keys: string[] = []
    for await (const key of store.keys?.('') ?? []) keys.push(key)
    expect(keys).toEqual(['large'])
    await store.set('large', large.subarray(1), { ttl: hour })
    expect([await same(store, 'large', large.subarray(1)), server.items.size]).toEqual([true, 4])
    await store.delete('large')
    expect(server.items.size).toBe(0)
  })

  it('is a miss when one of its parts is missing', async () => {
    const store = open()
    await store.set('large', large, { ttl: hour })
    const part = [...server.items.keys()].find((id) => id.includes('-')) ?? ''
    server.items.delete(part)
    expect(await store.get('large')).toBeUndefined()
  })

  it('goes to the place for objects, and is a miss that is told once when its object is gone', async () => {
    const blobs = await startAzureBlob()
    const store = open({ overflow: { objects: azureBlobObjects({ container: blobs.container }), above: 1_000 } })
    const lines: string[] = []
    store.onReport?.((line) => lines.push(line))
    await store.set('large', large, { ttl: hour })
    await store.set('small', new Uint8Array(1_000), { ttl: hour })
    expect([await same(store, 'large', large), blobs.blobs.size, server.items.size]).toEqual([true, 1, 2])
    await store.set('large', large.subarray(1), { ttl: hour })
    expect([await same(store, 'large', large.subarray(1)), blobs.blobs.size]).toEqual([true, 1])
    blobs.blobs.clear()
    expect([await store.get('large'), await store.get('large')]).toEqual([undefined, undefined])
    expect(lines).toEqual(['objects in the container "answers" of Blob Storage cannot be read; each answer in them counts as a miss.'])
    await blobs.close()
  })
})

describe('processes that change one document at once', () => {
  it('lose nothing of what they add, and hold a lease one at a time', async () => {
    const [one, two] = [open(), open({ container: server.container() })]
    const moved = setInterval(() => clock.advance(5), 1)
    await Promise.all(
      Array.from({ length: 5 }, async () =>
        Promise.all([one.add?.('sums', { a: 1 }, { ttl: hour }), two.add?.('sums', { a: 1 }, { ttl: hour })]),
      ),
    )
    const holders = await Promise.all([one.lease?.('lease', 'one', { ttl: hour }), two.lease?.('lease', 'two', { ttl: hour })])
    clearInterval(moved)
    expect(await one.add?.('sums', {}, { ttl: hour })).toEqual({ a: 10 })
    expect(new Set(holders).size).toBe(1)
  })

  it('are told when others were always faster', async () => {
    const store = open()
    await store.set('key', new Uint8Array([1]), { ttl: 1_000 })
    const [[id = '', item] = []] = server.items
    let versions = 0
    server.beforeWrite = () => server.items.set(id, { ...item, _etag: `"other ${versions++}"` })
    const moved = setInterval(() => clock.advance(50), 1)
    await expect(async () => store.add?.('key', { a: 1 }, { ttl: hour })).rejects.toThrow('by other processes')
    clearInterval(moved)
    expect(versions).toBe(8)
  })
})

describe('a Cosmos DB that fails', () => {
  it.each([
    [429, 'status 429, as its throughput is used up'],
    [503, 'status 503'],
    [500, 'status 500'],
    [403, 'access is denied'],
    [401, 'access is denied'],
    [400, 'must be partitioned by "/id"'],
  ])('by status %i is an error of ours, which says so', async (manner, reason) => {
    server.manner = manner
    const store = open()
    await expect(async () => store.get('secret key')).rejects.toThrow(StoreError)
    const failure: unknown = await Promise.resolve(store.set('secret key', new Uint8Array([1]), { ttl: hour })).catch(
      (error: unknown) => error,
    )
    expect(String(failure)).toContain(reason)
    expect(String(failure)).not.toContain('secret key')
  })

  it('by a missing container says so at a write', async () => {
    server.manner = 404
    await expect(async () => open().set('key', new Uint8Array([1]), { ttl: hour })).rejects.toThrow('does not exist in this account')
  })

  it('by never answering ends at the deadline', async () => {
    server.manner = 'never'
    const reading = Promise.resolve(open({ timeout: 100 }).get('key')).catch(String)
    await until(() => server.requests.length > 0)
    clock.advance(100)
    expect(await reading).toContain('took longer than 100 ms')
  })

  it('writes what it takes of many, and says that it did not take the rest', async () => {
    const store = open()
    let asked = 0
    server.beforeWrite = () => {
      server.manner = ++asked >= 30 ? 503 : 'works'
    }
    const writes = Array.from({ length: 50 }, (_, index) => ({ key: `key ${index}`, value: new Uint8Array([1]), ttl: hour }))
    await expect(async () => store.setMany?.(writes)).rejects.toThrow('status 503')
    expect(server.items.size).toBeGreaterThanOrEqual(20)
  })

  it.each<number | 'cut' | 'never'>([429, 503, 403, 'cut', 'never'])('by %s never reaches a caller of the cache', async (manner) => {
    const errors: unknown[] = []
    server.manner = manner
    const cache = createCache({
      store: open({ timeout: 50 }),
      logger: false,
      prices: false,
      readDeadline: 100,
      encryption: { keys: { a: new Uint8Array(32).fill(7) }, current: 'a' },
    })
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
  it('is a hit for another process, and tells Cosmos DB nothing', async () => {
    const encryption = { keys: { a: new Uint8Array(32).fill(7) }, current: 'a' }
    const make = () => createCache({ store: open(), encryption, logger: false, prices: false, readDeadline: '10s' })
    const [one, two] = [make(), make()]
    await one.store(question('a private question'), answer('a private answer'))
    await one.flush()
    expect(JSON.stringify(await two.lookup(question('a private question')))).toContain('a private answer')
    const kept = [...server.items.values()].map(({ value }) => Buffer.from(String(value), 'base64').toString('latin1'))
    expect([...kept, JSON.stringify([...server.items])].join()).not.toMatch(/private|gpt/)
    await Promise.all([one.close(), two.close()])
  })
})

describe('settings of the container that do not fit', () => {
  it('are reported', async () => {
    delete server.settings.defaultTtl
    server.settings.partitionKey.paths = ['/tenant']
    const lines: string[] = []
    open().onReport?.((line) => lines.push(line))
    await until(() => lines.length === 2)
    expect(lines).toEqual([expect.stringContaining('not partitioned by "/id"'), expect.stringContaining('defaultTtl to -1')])
  })
})

describe('options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['container', { container: undefined }],
    ['container.items', { container: { item: () => undefined, read: () => undefined, items: {} } }],
    ['partitionKey', { partitionKey: '/id' }],
    ['partitionKey', { partitionKey: 'value' }],
    ['timeout', { timeout: 0 }],
    ['clock', { clock: {} }],
    ['overflow.objects', { overflow: { objects: {} } }],
    ['overflow.above', { overflow: { objects: { name: 'a', put() {}, get() {}, delete() {} }, above: 2_000_000 } }],
    ['colection', { colection: 'answers' }],
  ])('refuse %s where it cannot be (%#)', (option, options) => {
    const make = (): unknown => Reflect.apply(cosmosStore, undefined, [{ container: server.container(), ...options }])
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(option)
  })
})

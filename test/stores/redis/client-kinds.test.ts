import type { EventEmitter } from 'node:events'
import { Redis as Upstash } from '@upstash/redis'
import { Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store.ts'
import { type RedisClient, redisStore, type RedisSubscriber } from '../../../src/stores/redis/store.ts'
import { openCache, settle } from '../../support/chat.ts'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { clusterClients, firstOfEachPackage, type OpenClient, serverClients } from '../../support/redis-other-clients.ts'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import { startUpstash, type UpstashServer } from '../../support/upstash-server.ts'

const hour = { ttl: 3_600_000 }
const bytes = Uint8Array.from({ length: 3_000 }, (_, index) => (index * 7) & 0xff)

let server: RedisServer
let cluster: RedisCluster
let admin: Redis
const closing: (() => unknown)[] = []

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
  admin = new Redis({ host: server.host, port: server.port })
})
afterAll(async () => {
  admin.disconnect()
  await Promise.all([server.stop(), cluster.stop()])
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await admin.flushall()
})

const url = ({ host, port }: Pick<RedisServer, 'host' | 'port'>): string => `redis://${host}:${port}`

/** A client of node-redis that the test closes, connected or not. */
function nodeRedis(options: Parameters<typeof createClient>[0] = {}, to: Pick<RedisServer, 'host' | 'port'> = server) {
  const client = createClient({ url: url(to), ...options })
  closing.push(() => client.isOpen && client.destroy())
  return client
}

async function upstash(): Promise<{ service: UpstashServer; store: Store; client: Upstash }> {
  const service = await startUpstash(server)
  closing.push(() => service.stop())
  const client = new Upstash({ url: service.url, token: service.token, enableTelemetry: false })
  return { service, client, store: redisStore(client) }
}

/** Resolves when the client says so; what errors it meets on the way are its own. */
function heard(client: EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => {
    client.once(event, () => resolve())
  })
}

function given(value: unknown): RedisClient {
  // A caller in JavaScript can pass anything.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as RedisClient
}

describe.each(serverClients)('$name', ({ open }) => {
  async function opened(to: RedisServer = server): Promise<OpenClient> {
    const client = await open(to)
    closing.push(() => client.close())
    return client
  }

  it('R21 R24 reads what ioredis wrote, and the other way round, in one key and in chunks', async () => {
    for (const maxValueBytes of [10_000, 1_000]) {
      const ours = redisStore((await opened()).client, { maxValueBytes, keyPrefix: 'a:' })
      const theirs = redisStore(admin, { maxValueBytes, keyPrefix: 'a:' })
      await ours.set('ours', bytes, hour)
      await theirs.set('theirs', bytes, hour)
      const read = [await theirs.get('ours'), await ours.get('theirs'), ...((await ours.getMany?.(['theirs', 'ours'])) ?? [])]
      for (const value of read) expect(Buffer.compare(value ?? Buffer.of(), bytes)).toBe(0)
    }
    expect((await admin.keys('*')).every((key) => key.startsWith('a:'))).toBe(true)
  })

  it('reads a hit by one GET, and a batch by one for each key', async () => {
    const store = redisStore((await opened()).client)
    await store.set('key', bytes, hour)
    await admin.config('RESETSTAT')
    await store.get('key')
    await store.getMany?.(['key', 'other'])
    const stats = await admin.info('commandstats')
    const calls = [...stats.matchAll(/^cmdstat_(get|getrange|exists|eval|mget|strlen):calls=(\d+)/gm)].map(([, name, count]) => [
      name,
      count,
    ])
    expect(calls).toEqual([['get', '3']])
  })

  it('R11 leaves a list of another application alone', async () => {
    const store = redisStore((await opened()).client)
    const reports: string[] = []
    store.onReport?.((message) => void reports.push(message))
    await admin.rpush('key', 'theirs')
    expect(await store.get('key')).toBeUndefined()
    await store.set('key', bytes, hour)
    await store.delete('key')
    expect(await admin.type('key')).toBe('list')
    expect(reports).toEqual([expect.stringContaining('left alone')])
  })

  it('R02 R05 a server that is gone ends no process and no call, and is used again when it is back', async () => {
    const own = await startRedis()
    closing.push(() => own.stop())
    const { client } = await opened(own)
    const store = redisStore(client)
    await store.set('key', bytes, hour)
    await own.kill()
    await until(async () => {
      const reading = Promise.resolve(store.get('key', { signal: AbortSignal.timeout(1_000) }))
      const outcome: unknown = await reading.catch((error: unknown) => error)
      return outcome instanceof StoreError
    })
    await own.start()
    await until(() =>
      Promise.resolve(store.set('again', bytes, hour)).then(
        () => true,
        () => false,
      ),
    )
    expect(await store.get('again')).toHaveLength(bytes.length)
  })

  it('tells no key in an error of the server, and reports once what a person has to mend', async () => {
    const own = await startRedis()
    closing.push(() => own.stop())
    const store = redisStore((await opened(own)).client)
    const reports: string[] = []
    store.onReport?.((message) => void reports.push(message))
    const ownAdmin = new Redis({ host: own.host, port: own.port }).on('error', () => {})
    closing.push(() => ownAdmin.disconnect())
    await ownAdmin.call('ACL', 'SETUSER', 'default', '-getrange')
    for (let time = 0; time < 2; time++) {
      const error: unknown = await Promise.resolve(store.delete('the patient has')).catch((thrown: unknown) => thrown)
      const seen: unknown[] = []
      for (let each: unknown = error; each !== undefined && each !== null; each = Reflect.get(Object(each), 'cause')) seen.push(each)
      const everything = seen.flatMap((each) => Reflect.ownKeys(Object(each)).map((name) => String(Reflect.get(Object(each), name)))).join()
      expect(everything).toContain('Redis could not be read: NOPERM.')
      expect(everything).not.toContain('patient')
    }
    expect(reports).toEqual([expect.stringContaining('NOPERM')])
  })
})

describe.each(serverClients.filter(({ name }) => !name.includes('upstash') && !name.includes('pool')))('$name that listens', ({ open }) => {
  it('an invalidation takes effect in another process at once', async () => {
    const made = async () => {
      const opened = await open(server)
      closing.push(() => opened.close())
      const subscriber = await opened.listener?.()
      const store = redisStore(opened.client, { keyPrefix: 'p:', ...(subscriber && { subscriber }) })
      const heard: string[] = []
      const ready = new Promise<void>((resolve) => {
        const end = store.subscribe?.('test', { heard: (message) => void heard.push(message), missed: resolve })
        closing.push(() => end?.())
      })
      await ready
      return { store, heard }
    }
    const [here, there] = [await made(), await made()]
    await here.store.publish?.('test', 'gone')
    await until(() => there.heard.length > 0)
    expect(there.heard).toEqual(['gone'])
    const caches = [here, there].map(({ store }) => openCache({ store }).cache)
    closing.push(() => Promise.all(caches.map((cache) => cache.close())))
    await caches[0]?.set('value', 1)
    await caches[0]?.flush()
    expect(await caches[1]?.get('value')).toBe(1)
    await until(async () => (await admin.pubsub('NUMSUB', 'p:llmemo/:news'))[1] === 2)
    await caches[0]?.del('value')
    await until(async () => (await caches[1]?.get('value')) === undefined)
  })
})

describe('a client of node-redis', () => {
  it.each([{}, { disableOfflineQueue: true }])('G40 that nothing has connected is connected by the first call: %o', async (options) => {
    await redisStore(admin).set('key', bytes, hour)
    expect(await redisStore(nodeRedis(options)).get('key')).toHaveLength(bytes.length)
    const connecting = nodeRedis(options)
    const connected = connecting.connect()
    expect(await redisStore(connecting).getMany?.(['key', 'none'])).toEqual([Buffer.from(bytes), undefined])
    await connected
  })

  it('G40 whose first connection fails fails at once, and is used when it is there later', async () => {
    const own = await startRedis()
    closing.push(() => own.stop())
    await own.kill()
    const client = nodeRedis({ socket: { reconnectStrategy: 5 } }, own)
    const store = redisStore(client)
    await expect(store.get('key')).rejects.toThrow('Redis could not be read: Connection is lost.')
    const ready = heard(client, 'ready')
    await own.start()
    await ready
    expect(await store.get('key')).toBeUndefined()
  })

  it('R16 sends nothing while the connection is lost, so that nothing waits in its queue', async () => {
    const proxy = await startFaultProxy(server.port)
    closing.push(() => proxy.close())
    const client = nodeRedis({ socket: { reconnectStrategy: 5 } }, { host: '127.0.0.1', port: proxy.port })
    await client.connect()
    const store = redisStore(client)
    await store.set('key', bytes, hour)
    const lost = heard(client, 'reconnecting')
    proxy.refuse()
    await lost
    await expect(store.get('key')).rejects.toThrow('Connection is lost')
    await expect(Promise.resolve(store.delete('key'))).rejects.toThrow('Connection is lost')
    const ready = heard(client, 'ready')
    proxy.recover()
    await ready
    expect(await store.get('key')).toHaveLength(bytes.length)
  })

  it('R18 that its owner closed stays closed', async () => {
    const client = nodeRedis()
    const store = redisStore(client)
    await store.set('key', bytes, hour)
    client.destroy()
    await expect(store.get('key')).rejects.toThrow('Redis could not be read: Connection is closed.')
    expect(client.isOpen).toBe(false)
  })

  it('R17 is told of, once, when nothing ends commands that a hung server does not answer', async () => {
    const own = await startRedis()
    closing.push(() => own.stop())
    for (const [options, expected] of [
      [{}, [expect.stringContaining('socketTimeout')]],
      [{ socket: { socketTimeout: 60_000 } }, []],
    ] as const) {
      const store = redisStore(nodeRedis(options, own))
      const reports: string[] = []
      store.onReport?.((message) => void reports.push(message))
      await store.get('key')
      own.pause()
      const controller = new AbortController()
      const waiting = [Promise.resolve(store.get('key', { signal: controller.signal }))]
      await settle()
      controller.abort()
      for (let time = 0; time < 2; time++) waiting.push(Promise.resolve(store.get('key', { signal: new AbortController().signal })))
      own.resume()
      await Promise.all(waiting)
      expect(reports).toEqual(expected)
    }
  })

  it('adds its own prefix to keys, as ioredis does with its own', async () => {
    const store = redisStore(nodeRedis({ keyPrefix: 'app*:' }))
    await store.set('key', bytes, hour)
    await admin.set('appx:other', 'theirs')
    expect((await admin.keys('*')).toSorted()).toEqual(['app*:key', 'appx:other'])
    expect(await Array.fromAsync(store.keys?.('') ?? [])).toEqual(['key'])
    const there = redisStore(new Redis({ host: server.host, port: server.port, keyPrefix: 'app*:', lazyConnect: true }))
    expect(await there.get('key')).toHaveLength(bytes.length)
  })

  it('listens again after a lost connection, and tells that messages may have been missed', async () => {
    type Options = { url: string; socket: { reconnectStrategy: number } }
    const creates = [(options: Options) => createClient(options), (options: Options) => createClient5(options)]
    for (const create of creates) {
      const proxy = await startFaultProxy(server.port)
      closing.push(() => proxy.close())
      const subscriber = create({ url: `redis://127.0.0.1:${proxy.port}`, socket: { reconnectStrategy: 5 } })
      closing.push(() => subscriber.destroy())
      const store = redisStore(admin, { subscriber })
      const seen: string[] = []
      const end = store.subscribe?.('channel', { heard: (message) => void seen.push(message), missed: () => void seen.push('missed') })
      await until(() => seen.length === 1)
      const lost = heard(subscriber, 'reconnecting')
      proxy.refuse()
      await lost
      proxy.recover()
      await until(() => seen.length === 2)
      await store.publish?.('channel', 'message')
      await until(() => seen.length === 3)
      expect(seen).toEqual(['missed', 'missed', 'message'])
      end?.()
      await until(async () => (await admin.pubsub('CHANNELS')).length === 0)
    }
  })
})

describe('a client of Upstash', () => {
  it('asks once for a hit and once for a batch, by bytes in base64, with the token of its last write', async () => {
    const { service, store } = await upstash()
    await store.set('a/b?c#d %', bytes, hour)
    expect(await store.get('a/b?c#d %')).toEqual(Buffer.from(bytes))
    await store.getMany?.(['a/b?c#d %', 'none'])
    expect(service.requests.map(({ path, commands }) => [path, ...commands])).toEqual([
      ['/PSETEX', 'PSETEX'],
      ['/', 'GET'],
      ['/pipeline', 'GET', 'GET'],
    ])
    expect(service.requests.map(({ headers }) => [headers['upstash-encoding'], headers['upstash-sync-token']])).toEqual([
      ['base64', undefined],
      ['base64', 'token-1'],
      ['base64', 'token-2'],
    ])
  })

  it('R03 ends a request that its caller no longer waits for', async () => {
    const { service, store } = await upstash()
    service.answerBy('hang')
    const controller = new AbortController()
    const reading = store.get('key', { signal: controller.signal })
    await until(() => service.requests.length === 1)
    controller.abort()
    await expect(reading).rejects.toThrow(StoreError)
  })

  it.each([
    [{ status: 502, body: '<html>' }, 'Unexpected HTTP status 502'],
    [{ status: 401, body: '{"error":"Unauthorized secret"}' }, 'Unauthorized'],
    [{ status: 400, body: '{"error":"WRONGPASS secret"}' }, 'WRONGPASS'],
    [{ status: 400, body: '{"error":"ERR max daily request limit exceeded. Limit: 10000"}' }, 'ERR'],
  ])('an answer that is no reply is an error of ours: %o', async (manner, reason) => {
    const { service, store } = await upstash()
    service.answerBy(manner)
    await expect(store.get('key')).rejects.toThrow(`Redis could not be read: ${reason}.`)
    await expect(store.set('key', bytes, hour)).rejects.toThrow(`Redis could not be written: ${reason}.`)
    await expect(Promise.resolve(store.getMany?.(['a', 'b']))).rejects.toThrow(StoreError)
    await expect(Array.fromAsync(store.keys?.('') ?? [])).rejects.toThrow(StoreError)
  })

  it('listens by a client of another package', async () => {
    const { client } = await upstash()
    const subscriber = new Redis({ host: server.host, port: server.port })
    closing.push(() => subscriber.disconnect())
    const store = redisStore(client, { subscriber })
    const heard: string[] = []
    await new Promise<void>((resolve) => store.subscribe?.('channel', { heard: (message) => void heard.push(message), missed: resolve }))
    await store.publish?.('channel', 'message')
    await until(() => heard.length > 0)
    expect(heard).toEqual(['message'])
  })
})

describe('what is no client', () => {
  it.each([
    ['a client of node-redis 4', { isOpen: true, sendCommand() {}, connect() {}, on() {}, off() {} }],
    ['a client of Upstash with a requester of its own', { createScript() {}, pipeline() {}, use() {}, client: { request() {} } }],
    ['a class', createClient],
  ])('%s is refused, with the names of those that are taken', (_, value) => {
    expect(() => redisStore(given(value))).toThrow(/"client" is .*ioredis.*node-redis.*@upstash\/redis.*GLIDE/)
  })

  it.each([
    ['the client itself', () => nodeRedis(), true],
    ['a cluster of node-redis', () => createCluster({ rootNodes: [{ url: url(server) }] }), false],
    ['a client of Upstash', () => new Upstash({ url: 'http://127.0.0.1:1', token: 'none' }), false],
  ])('%s cannot listen', (_, make, isSame) => {
    const made = make()
    // Types forbid it, JavaScript does not.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const subscriber = made as unknown as RedisSubscriber
    expect(() => redisStore(isSame ? given(made) : admin, { subscriber })).toThrow(/"subscriber" is .*a second client/)
  })

  it('a sentinel of node-redis is taken', async () => {
    const client = createSentinel({ name: 'answers', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    client.on('error', () => {})
    await expect(redisStore(client).get('key')).rejects.toThrow(StoreError)
  })
})

describe.each(clusterClients)('$name', ({ open }) => {
  it('R20 lists the keys of all servers', async () => {
    const client = await open(cluster)
    closing.push(() => client.close())
    const store = redisStore(client.client, { keyPrefix: 'all:' })
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`)
    await store.setMany?.(keys.map((key) => ({ key, value: bytes, ttl: 60_000 })))
    expect((await Array.fromAsync(store.keys?.('') ?? [])).toSorted()).toEqual(keys.toSorted())
    for (const key of keys) await store.delete(key)
    expect(await Array.fromAsync(store.keys?.('') ?? [])).toEqual([])
  })
})

it('one client of each package is tried', () => {
  expect(firstOfEachPackage).toHaveLength(3)
})

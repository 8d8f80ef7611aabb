import { type EventEmitter, once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../../src/errors.ts'
import { redisStore, type RedisSubscriber } from '../../../src/stores/redis/store.ts'
import { answer, ask, openCache, question } from '../../support/chat.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { clusters, type TestClient, type TestCluster, versions } from '../../support/redis-clients.ts'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.ts'

let server: RedisServer
let cluster: RedisCluster
beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(() => Promise.all([server.stop(), cluster.stop()]))

const open: { disconnect(): void }[] = []
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  for (const client of open.splice(0)) client.disconnect()
})

function opened<Client extends TestClient | TestCluster>(client: Client): Client {
  const emitter: EventEmitter = client
  emitter.on('error', () => {})
  open.push(client)
  return client
}

/** Waits for the next message to this client. */
async function heard(client: EventEmitter): Promise<void> {
  await once(client, 'message')
}

/** A cache that listens. Its clock stands still, so nothing can take effect by waiting. */
async function listening(client: TestClient | TestCluster, subscriber: TestClient | TestCluster, clock: ManualClock) {
  const store = redisStore(client, { subscriber })
  const missed = new Set<() => void>()
  const catchUp = { next: () => new Promise<void>((resolve) => missed.add(resolve)) }
  const first = catchUp.next()
  const { cache, told } = openCache({
    clock,
    store: {
      ...bound(store),
      subscribe: (channel, listener) =>
        store.subscribe?.(channel, {
          heard: (message) => listener.heard(message),
          missed() {
            listener.missed()
            for (const resolve of missed) resolve()
          },
        }),
    },
  })
  closing.push(() => cache.close())
  await first
  return { cache, told, catchUp }
}

function bound(store: ReturnType<typeof redisStore>): ReturnType<typeof redisStore> {
  return {
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (key, value, options) => store.set(key, value, options),
    delete: (key) => store.delete(key),
    publish: (channel, message) => store.publish?.(channel, message),
  }
}

/** Whether `there` serves an answer that `here` invalidated: before the message arrives, and afterwards. */
async function servedAround(
  here: Awaited<ReturnType<typeof listening>>,
  there: Awaited<ReturnType<typeof listening>>,
  ear: EventEmitter,
): Promise<unknown[]> {
  await here.cache.store(question('lost', { tags: ['a'] }), answer('old'))
  await here.cache.store(question('kept', { tags: ['b'] }), answer('kept'))
  await here.cache.flush()
  const seen = async () => [
    await ask(there.cache, question('lost', { tags: ['a'] })),
    await ask(there.cache, question('kept', { tags: ['b'] })),
  ]
  const before = await seen()
  const hearing = heard(ear)
  const done = await here.cache.invalidate({ tags: ['a'] })
  await hearing
  return [before, done, await seen()]
}

const atOnce = [['old', 'kept'], true, [undefined, 'kept']]

describe.each(versions)('%s', (_, connect) => {
  it('an invalidation takes effect in another process at once', async () => {
    const clock = new ManualClock()
    const ear = opened(connect(server))
    const here = await listening(opened(connect(server)), opened(connect(server)), clock)
    const there = await listening(opened(connect(server)), ear, clock)
    expect(await servedAround(here, there, ear)).toEqual(atOnce)
    expect([...here.told.lines, ...there.told.lines]).toEqual([])
  })

  it('an invalidation during a lost connection takes effect after the reconnection', async () => {
    const clock = new ManualClock()
    const proxy: FaultProxy = await startFaultProxy(server.port)
    closing.push(() => proxy.close())
    const ear = opened(connect({ host: '127.0.0.1', port: proxy.port }, { retryStrategy: () => 5 }))
    const here = await listening(opened(connect(server)), opened(connect(server)), clock)
    const there = await listening(opened(connect(server)), ear, clock)
    // Entries that memory takes from now on are younger than the first connection.
    clock.advance(1)
    await here.cache.set('removed', 1)
    await here.cache.set('value', 1)
    await here.cache.flush()
    expect([await there.cache.get('removed'), await there.cache.get('value')]).toEqual([1, 1])
    const lost = new Promise((resolve) => ear.once('close', () => resolve(undefined)))
    proxy.refuse()
    await lost
    await here.cache.del('removed')
    expect([await there.cache.get('removed'), await there.cache.get('value')]).toEqual([1, 1])
    await here.cache.invalidate({ operation: 'value' })
    expect([await there.cache.get('removed'), await there.cache.get('value')]).toEqual([1, 1])
    const caughtUp = there.catchUp.next()
    proxy.recover()
    await caughtUp
    expect([await there.cache.get('removed'), await there.cache.get('value')]).toEqual([undefined, undefined])
  })

  it('a client with a prefix has its own channels', async () => {
    const clock = new ManualClock()
    const ear = opened(connect(server))
    const here = await listening(opened(connect(server, { keyPrefix: 'p:' })), opened(connect(server)), clock)
    const there = await listening(opened(connect(server, { keyPrefix: 'p:' })), ear, clock)
    const channels: unknown[] = []
    ear.on('message', (channel: unknown) => channels.push(channel))
    expect(await servedAround(here, there, ear)).toEqual(atOnce)
    expect(channels).toEqual(['p:llmemo/:news'])
  })
})

describe.each(clusters)('%s', (_, connect) => {
  it('listens by the client that also sends commands, and invalidations take effect at once', async () => {
    const clock = new ManualClock()
    const clients = [opened(connect(cluster)), opened(connect(cluster))] as const
    const here = await listening(clients[0], clients[0], clock)
    const there = await listening(clients[1], clients[1], clock)
    expect(await servedAround(here, there, clients[1])).toEqual(atOnce)
  })
})

describe('a subscriber', () => {
  const connect = versions[0][1]

  it.each([
    ['is not a client', {}],
    ['is nothing', null],
  ])('that %s is refused', (_, subscriber) => {
    // The types forbid this, but JavaScript allows it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const given = subscriber as unknown as RedisSubscriber
    expect(() => redisStore(opened(connect(server)), { subscriber: given })).toThrow(InvalidOptionError)
  })

  it('that is the client itself is refused, because it could send no more commands', () => {
    const client = opened(connect(server))
    expect(() => redisStore(client, { subscriber: client })).toThrow(/subscriber.*client\.duplicate\(\)/)
  })

  it('has no listener and no channel after the cache is closed, and stays open itself', async () => {
    const ear = opened(connect(server))
    const before = [ear.listenerCount('message'), ear.listenerCount('ready')]
    const { cache } = await listening(opened(connect(server)), ear, new ManualClock())
    await cache.close()
    expect([ear.listenerCount('message'), ear.listenerCount('ready')]).toEqual(before)
    // Sent after the unsubscribe on the same connection.
    expect(await ear.ping()).toBeDefined()
    expect(await opened(connect(server)).pubsub('CHANNELS')).toEqual([])
    expect(ear.status).toBe('ready')
  })

  it('serves several caches, and the remaining one after another has closed', async () => {
    const clock = new ManualClock()
    const ear = opened(connect(server))
    const store = redisStore(opened(connect(server)), { subscriber: ear })
    const [here, there] = [openCache({ store, clock }), openCache({ store, clock })]
    closing.push(() => there.cache.close())
    await here.cache.close()
    const other = await listening(opened(connect(server)), opened(connect(server)), clock)
    await other.cache.set('value', 1)
    await other.cache.flush()
    expect(await there.cache.get('value')).toBe(1)
    const hearing = heard(ear)
    await other.cache.del('value')
    await hearing
    expect(await there.cache.get('value')).toBe(undefined)
  })

  it('that is not allowed to listen is reported once, and calls go on', async () => {
    const admin = opened(connect(server))
    await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels')
    const ear = opened(connect(server, { username: 'deaf', password: 'secret' }))
    const { cache, told } = openCache({ store: redisStore(opened(connect(server)), { subscriber: ear }) })
    closing.push(() => cache.close())
    await once(ear, 'ready')
    await ear.ping().catch(() => {})
    await cache.set('value', 1)
    expect(await cache.get('value')).toBe(1)
    expect(told.lines.filter((line) => line.includes('NOPERM'))).toHaveLength(2)
    expect(told.lines.join('\n')).toMatch(/invalidationDelay/)
    expect(told.lines.join('\n')).not.toMatch(/secret/)
  })
})

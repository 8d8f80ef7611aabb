/**
 * Clients of each version of ioredis that is supported, and a clock that Redis goes by.
 * @module
 */
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5, type RedisOptions } from 'ioredis5'
import type { IoredisClient } from '../../src/stores/redis/store.ts'
import type { Store, WriteOptions } from '../../src/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { RedisCluster, RedisServer } from './redis-server.ts'

/** A client of ioredis, of which the tests use more than the store does. */
export type TestClient = Redis | Redis5
/** A cluster client of ioredis. */
export type TestCluster = Cluster | Cluster5

/** The options that tests give to a client, which mean the same in all versions. */
export type TestClientOptions = Pick<
  RedisOptions,
  | 'keyPrefix'
  | 'username'
  | 'password'
  | 'enableAutoPipelining'
  | 'enableOfflineQueue'
  | 'commandTimeout'
  | 'retryStrategy'
  | 'maxRetriesPerRequest'
>

/** A version of ioredis with a protocol, by name, and how it is connected. */
export type Version = readonly [name: string, connect: (server: Address, options?: TestClientOptions) => TestClient]

/** Each version of ioredis, and each protocol that it speaks. */
export const versions: readonly [Version, ...Version[]] = [
  ['ioredis 6, RESP3', (server, options = {}) => new Redis({ ...place(server), ...options })],
  ['ioredis 6, RESP2', (server, options = {}) => new Redis({ ...place(server), protocol: 2, ...options })],
  ['ioredis 6, RESP3 with its own shapes', (server, options = {}) => new Redis({ ...place(server), replyMapping: 'resp3', ...options })],
  ['ioredis 5', (server, options = {}) => new Redis5({ ...place(server), ...options })],
]

/** Each version's cluster client. */
export const clusters = [
  ['ioredis 6, Cluster', ({ nodes }: RedisCluster, keyPrefix = ''): TestCluster => new Cluster(nodes.map(place), { keyPrefix })],
  ['ioredis 5, Cluster', ({ nodes }: RedisCluster, keyPrefix = ''): TestCluster => new Cluster5(nodes.map(place), { keyPrefix })],
] as const

type Address = Pick<RedisServer, 'host' | 'port'>

function place({ host, port }: Address): Address {
  return { host, port }
}

/** A millisecond of the test is so many of Redis, whose own clock goes on: a test may take its time. */
const slowness = 100_000

const age = `
for _, key in ipairs(redis.call('keys', '*')) do
  local left = redis.call('pttl', key) - tonumber(ARGV[1])
  if left > 0 then redis.call('pexpire', key, left) else redis.call('del', key) end
end`

/** A server, or what sends it a script without keys: each takes effect before whatever is sent next. */
type Server = Pick<IoredisClient, 'pipeline'> | ((script: string, milliseconds: string) => unknown)

/** A clock that, when a test moves it, takes what has passed off all TTLs in Redis. It needs no answer: commands are done in turn. */
export class RedisClock extends ManualClock {
  readonly #servers: readonly Server[]

  /** @param servers on the connections that the store uses, so that what it asks next comes after */
  constructor(servers: readonly Server[]) {
    super()
    this.#servers = servers
  }

  override advance(milliseconds: number): void {
    super.advance(milliseconds)
    // In a pipeline of its own, as one that collects commands by itself would send it late.
    for (const server of this.#servers) {
      // A client may be closed before its server has answered.
      if (typeof server === 'function') Promise.resolve(server(age, String(milliseconds * slowness))).catch(() => {})
      else void server.pipeline([['eval', age, 0, milliseconds * slowness]]).exec()
    }
  }
}

/** The same store, whose TTLs are as long as {@link RedisClock} needs them. */
export function slowed(store: Store): Store {
  const setIfAbsent = store.setIfAbsent?.bind(store)
  return {
    ...(setIfAbsent && {
      setIfAbsent: (key: string, value: Uint8Array, { ttl }: WriteOptions) => setIfAbsent(key, value, { ttl: ttl * slowness }),
    }),
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (key, value, { ttl }) => store.set(key, value, { ttl: ttl * slowness }),
    delete: (key) => store.delete(key),
    getMany: (keys, options) => store.getMany?.(keys, options) ?? [],
    setMany: (writes) => store.setMany?.(writes.map((write) => ({ ...write, ttl: write.ttl * slowness }))),
    keys: (prefix) => store.keys?.(prefix) ?? [],
    publish: (channel, message) => store.publish?.(channel, message),
    subscribe: (channel, listener) => store.subscribe?.(channel, listener),
    lease: (key, token, { ttl }) => store.lease?.(key, token, { ttl: ttl * slowness }) ?? '',
    release: (key, token) => store.release?.(key, token),
  }
}

/** A client that notes what the store sends: `getBuffer`, `set`, `pipeline of getBuffer`. */
export function counting(client: IoredisClient): { client: IoredisClient; sent: string[] } {
  const sent: string[] = []
  const counted = new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...parameters: unknown[]): unknown => {
        const [[[first] = []] = []]: unknown[][][] = name === 'pipeline' && Array.isArray(parameters[0]) ? [parameters[0]] : []
        sent.push(typeof first === 'string' ? `pipeline of ${first}` : String(name))
        return Reflect.apply(member, target, parameters)
      }
    },
  })
  return { client: counted, sent }
}

/**
 * A store in Redis or a compatible server (Valkey, Dragonfly): one server, Sentinel or Cluster, by the client that an application has already.
 * @module
 */
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { assertKnown, wholeNumber } from '../../base/option-checks.ts'
import type { ChannelListener, ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { acquireCommand, holderIn, releaseCommand } from './leases.ts'
import { RedisChannels } from './channels.ts'
import { chunkKeys, isChunkKey, isHeader, keyOf, maxHeaderBytes, mustBeCut, nameOf, readHeader } from './chunks.ts'
import { connectionBy, type RedisClient } from './clients.ts'
import type { RedisConnection } from './connection.ts'
import { LargeValues } from './large-values.ts'
import { prefixed } from './prefixed.ts'
import { type Report, Reports } from './reports.ts'
import { RedisStrings } from './strings.ts'
import { type Ear, earOf, type RedisSubscriber } from './subscribers.ts'
import { addCommand, sumsIn } from './sums.ts'

export type { RedisClient } from './clients.ts'
export type { GlideClient } from './glide.ts'
export type { IoredisClient, RedisNode } from './ioredis.ts'
export type { NodeRedis, NodeRedisClient, NodeRedisCluster, NodeRedisSentinel, NodeRedisServer } from './node-redis.ts'
export type { IoredisSubscriber, NodeRedisSubscriber, RedisSubscriber } from './subscribers.ts'
export type { UpstashClient } from './upstash.ts'

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * Maximum bytes of a value under one key. A larger value is cut into chunks of this size. The key of each chunk begins with the value's
   * own key. @default 524_288 (512 KiB)
   */
  readonly maxValueBytes?: number
  /**
   * Begins the name of each key and channel, behind a prefix of the client's own. For clients that have none, in a Redis that other
   * applications use too. @default ''
   */
  readonly keyPrefix?: string
  /**
   * A client that only listens, `client.duplicate()`. With it, invalidations of other processes take effect at once, and those missed
   * during a lost connection when it is back. A cluster client of ioredis may be given itself. A client of GLIDE does not tell of a lost
   * connection. Upstash's REST client cannot listen: give a client of ioredis or node-redis. The caller closes it.
   * @default none: invalidations of other processes take effect within the cache's `invalidationDelay`
   */
  readonly subscriber?: RedisSubscriber
}

const defaultMaxValueBytes = 512 * 1_024

/**
 * Makes a store in Redis. A read is one round trip, and so is a batch; on a cluster, a batch is one for each server.
 * Values of any bytes are written by `SET … PX`. If another application keeps another type under a key of the cache, a read or a
 * delete finds it. From then on the store leaves that key alone.
 *
 * The client stays the caller's own: the store neither configures nor closes it. Give it a `commandTimeout` and an `error` listener; the
 * cache's own deadlines work without them.
 * @param client of ioredis 5 or 6: `new Redis()`, `new Cluster()`; of node-redis 5 or 6: `createClient()`, `createClientPool()`,
 * `createCluster()`, `createSentinel()`; of `@upstash/redis`: `new Redis()`; of Valkey GLIDE 2: `await GlideClient.createClient()`
 * @throws {InvalidOptionError} when the client or an option is invalid. Methods reject with {@link StoreError}.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  assertKnown('', options, ['keyPrefix', 'maxValueBytes', 'subscriber'])
  const { keyPrefix = '', maxValueBytes = defaultMaxValueBytes, subscriber } = options
  wholeNumber('maxValueBytes', maxValueBytes, { least: 1, most: 512 * 2 ** 20, of: 'bytes' })
  if (typeof keyPrefix !== 'string' || !keyPrefix.isWellFormed()) throw new InvalidOptionError('keyPrefix', keyPrefix, 'a text')
  const connection = prefixed(connectionBy(client), keyPrefix)
  return new RedisStore(connection, maxValueBytes, subscriber === undefined ? undefined : earOf(subscriber, client))
}

class RedisStore implements Store {
  readonly name = 'redis'
  readonly #connection: RedisConnection
  readonly #maxValueBytes: number
  readonly #reports: Reports
  readonly #strings: RedisStrings
  readonly #largeValues: LargeValues
  readonly #channels: RedisChannels | undefined

  constructor(connection: RedisConnection, maxValueBytes: number, ear: Ear | undefined) {
    this.#connection = connection
    this.#maxValueBytes = maxValueBytes
    this.#reports = new Reports(connection)
    this.#strings = new RedisStrings(connection, this.#reports)
    this.#largeValues = new LargeValues(this.#strings, maxValueBytes)
    if (ear !== undefined) this.#channels = new RedisChannels(ear, (error) => this.#reports.cannotListen(Object(error)))
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const name = nameOf(key)
    if (!name.isWellFormed()) return undefined
    const endWatch = this.#reports.watch(options)
    try {
      const value = await this.#strings.readOne(name, options)
      return value !== undefined && isHeader(value) ? await this.#largeValues.read(name, value, options?.signal) : value
    } finally {
      endWatch?.()
    }
  }

  async getMany(given: readonly string[], options: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    const keys = given.map(nameOf)
    // Redis keys are UTF-8, which turns all lone surrogates into the same character: two keys would become one.
    const known = keys.filter((key) => key.isWellFormed())
    const endWatch = this.#reports.watch(options)
    try {
      const read = (await this.#strings.read(known, options)).values()
      const values = keys.map((key) => (key.isWellFormed() ? read.next().value : undefined))
      if (!values.some((value) => value !== undefined && isHeader(value))) return values
      const whole: (Uint8Array | undefined)[] = []
      for (const [index, value] of values.entries()) {
        whole.push(value !== undefined && isHeader(value) ? await this.#largeValues.read(keys[index] ?? '', value, options.signal) : value)
      }
      return whole
    } finally {
      endWatch?.()
    }
  }

  async set(key: string, value: Uint8Array, options: WriteOptions): Promise<void> {
    await this.setMany([{ key, value, ttl: options.ttl }])
  }

  async setMany(writes: readonly StoreWrite[]): Promise<void> {
    for (const { key, ttl } of writes) assertWrite(key, ttl)
    // Copied, because the client may hold values until it has a connection. Of two writes to one key, the last one counts.
    const latest = new Map(writes.map(({ key, value, ttl }) => [key, { key: nameOf(key), value: new Uint8Array(value), ttl }]))
    const ours = [...latest.values()].filter(({ key }) => !this.#strings.isForeign(key))
    const large = ours.filter(({ value }) => mustBeCut(value, this.#maxValueBytes))
    await this.#strings.write(ours.filter((each) => !large.includes(each)))
    for (const write of large) await this.#largeValues.write(write)
  }

  async setIfAbsent(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<Uint8Array> {
    assertWrite(key, ttl)
    const found = await this.#strings.writeIfAbsent({ key: nameOf(key), value: new Uint8Array(value), ttl })
    const whole = found !== undefined && isHeader(found) ? await this.get(key) : found
    if (whole === undefined) throw new StoreError('Redis has another value that could not be read.')
    return new Uint8Array(whole)
  }

  async delete(given: string): Promise<void> {
    const key = nameOf(given)
    if (!key.isWellFormed()) return
    // One byte more than a header has, so that a longer value is not taken for a header.
    const beginning = await this.#strings.readBeginning(key, maxHeaderBytes + 1)
    if (this.#strings.isForeign(key)) return
    const header = beginning === undefined ? undefined : readHeader(beginning)
    await this.#strings.remove(header === undefined ? [key] : [key, ...chunkKeys(key, header)])
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    const seen = new Set<string>()
    for await (const page of this.#connection.scan(prefix)) {
      for (const key of page) {
        if (seen.has(key) || isChunkKey(key)) continue
        seen.add(key)
        yield keyOf(key)
      }
    }
  }

  async publish(channel: string, message: string): Promise<void> {
    this.#reports.assertWritten([await this.#connection.sendOne(['PUBLISH', this.#channelOf(channel), message])])
  }

  subscribe(channel: string, listener: ChannelListener): (() => void) | undefined {
    return this.#channels?.listen(this.#channelOf(channel), listener)
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const reply = await this.#connection.sendOne(acquireCommand(key, token, ttl))
    this.#reports.assertWritten([reply])
    return holderIn(reply)
  }

  async add(key: string, amounts: Readonly<Record<string, number>>, { ttl }: WriteOptions): Promise<Record<string, number>> {
    assertWrite(key, ttl)
    const reply = await this.#connection.sendOne(addCommand(key, amounts, ttl))
    this.#reports.assertWritten([reply])
    return sumsIn(reply)
  }

  async release(key: string, token: string): Promise<void> {
    this.#reports.assertWritten([await this.#connection.sendOne(releaseCommand(key, token))])
  }

  onReport(report: Report): void {
    this.#reports.sendTo(report)
  }

  #channelOf(channel: string): string {
    return this.#connection.channelPrefix + channel
  }
}

/** @throws {StoreError} for a key or a TTL that Redis cannot keep */
function assertWrite(key: string, ttl: number): void {
  if (!key.isWellFormed()) throw new StoreError('a key with a lone surrogate cannot be kept in Redis.')
  if (!(Number.isSafeInteger(ttl) && ttl >= 1)) throw new StoreError(`a TTL of ${ttl} ms cannot be kept in Redis.`)
}

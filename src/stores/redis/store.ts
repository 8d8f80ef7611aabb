/**
 * A store in Redis or a compatible server (Valkey, Dragonfly), by a client of ioredis 5 or 6: one server, Sentinel or Cluster.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { assertKnown, wholeNumber } from '../../base/option-checks.ts'
import type { ChannelListener, ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { acquireCommand, holderIn, releaseCommand } from './leases.ts'
import { knownSubscriber, RedisChannels, type RedisSubscriber } from './channels.ts'
import { chunkKeys, isChunkKey, isHeader, keyOf, maxHeaderBytes, mustBeCut, nameOf, readHeader } from './chunks.ts'
import { knownClient, type RedisClient, scanAll, sendAll } from './client.ts'
import { LargeValues } from './large-values.ts'
import { type Report, Reports } from './reports.ts'
import { RedisStrings } from './strings.ts'
import { addCommand, sumsIn } from './sums.ts'

export type { RedisSubscriber } from './channels.ts'
export type { RedisClient, RedisNode } from './client.ts'

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * Maximum bytes of a value under one key. A larger value is cut into chunks of this size. The key of each chunk begins with the value's
   * own key. @default 524_288 (512 KiB)
   */
  readonly maxValueBytes?: number
  /**
   * A client that only listens, `client.duplicate()`. With it, invalidations of other processes take effect at once, and those missed
   * during a lost connection when it is back. A cluster client may be given itself. The caller closes it.
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
 * @param client `new Redis()` or `new Cluster()` of ioredis 5 or 6
 * @throws {InvalidOptionError} when the client or an option is invalid. Methods reject with {@link StoreError}.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  assertKnown('', options, ['maxValueBytes', 'subscriber'])
  const { maxValueBytes = defaultMaxValueBytes, subscriber } = options
  wholeNumber('maxValueBytes', maxValueBytes, { least: 1, most: 512 * 2 ** 20, of: 'bytes' })
  const known = knownClient(client)
  return new RedisStore(known, maxValueBytes, subscriber === undefined ? undefined : knownSubscriber(subscriber, known))
}

class RedisStore implements Store {
  readonly name = 'redis'
  readonly #client: RedisClient
  readonly #maxValueBytes: number
  readonly #reports: Reports
  readonly #strings: RedisStrings
  readonly #largeValues: LargeValues
  readonly #channels: RedisChannels | undefined

  constructor(client: RedisClient, maxValueBytes: number, subscriber: RedisSubscriber | undefined) {
    this.#client = client
    this.#maxValueBytes = maxValueBytes
    this.#reports = new Reports(client)
    this.#strings = new RedisStrings(client, this.#reports)
    this.#largeValues = new LargeValues(this.#strings, maxValueBytes)
    if (subscriber !== undefined) this.#channels = new RedisChannels(subscriber, (error) => this.#reports.cannotListen(Object(error)))
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const name = nameOf(key)
    if (!name.isWellFormed()) return undefined
    const endWatch = this.#reports.watch(options)
    try {
      const value = await this.#strings.readOne(name, options?.latest)
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
      const read = (await this.#strings.read(known, options.latest)).values()
      const values = keys.map((key) => (key.isWellFormed() ? read.next().value : undefined))
      if (!values.some((value) => value !== undefined && isHeader(value))) return values
      const { signal } = options
      const whole: (Uint8Array | undefined)[] = []
      for (const [index, value] of values.entries()) {
        whole.push(value !== undefined && isHeader(value) ? await this.#largeValues.read(keys[index] ?? '', value, signal) : value)
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
    const latest = new Map(writes.map(({ key, value, ttl }) => [key, { key: nameOf(key), value: Buffer.from(value), ttl }]))
    const ours = [...latest.values()].filter(({ key }) => !this.#strings.isForeign(key))
    const large = ours.filter(({ value }) => mustBeCut(value, this.#maxValueBytes))
    await this.#strings.write(ours.filter((each) => !large.includes(each)))
    for (const write of large) await this.#largeValues.write(write)
  }

  async setIfAbsent(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<Uint8Array> {
    assertWrite(key, ttl)
    const found = await this.#strings.writeIfAbsent({ key: nameOf(key), value: Buffer.from(value), ttl })
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
    for await (const page of scanAll(this.#client, prefix)) {
      for (const key of page) {
        if (seen.has(key) || isChunkKey(key)) continue
        seen.add(key)
        yield keyOf(key)
      }
    }
  }

  async publish(channel: string, message: string): Promise<void> {
    this.#reports.assertWritten(await sendAll(this.#client, [['publish', this.#channelOf(channel), message]]))
  }

  subscribe(channel: string, listener: ChannelListener): (() => void) | undefined {
    return this.#channels?.listen(this.#channelOf(channel), listener)
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const replies = await sendAll(this.#client, [acquireCommand(key, token, ttl)])
    this.#reports.assertWritten(replies)
    return holderIn(replies[0])
  }

  async add(key: string, amounts: Readonly<Record<string, number>>, { ttl }: WriteOptions): Promise<Record<string, number>> {
    assertWrite(key, ttl)
    const replies = await sendAll(this.#client, [addCommand(key, amounts, ttl)])
    this.#reports.assertWritten(replies)
    return sumsIn(replies[0])
  }

  async release(key: string, token: string): Promise<void> {
    this.#reports.assertWritten(await sendAll(this.#client, [releaseCommand(key, token)]))
  }

  onReport(report: Report): void {
    this.#reports.sendTo(report)
  }

  /** The channel with the database and the client's prefix in its name. ioredis adds its prefix to keys only, and channels span databases. */
  #channelOf(channel: string): string {
    const { keyPrefix = '', db = 0 } = this.#client.options
    return `${db === 0 ? '' : `${db}:`}${keyPrefix}${channel}`
  }
}

/** @throws {StoreError} for a key or a TTL that Redis cannot keep */
function assertWrite(key: string, ttl: number): void {
  if (!key.isWellFormed()) throw new StoreError('a key with a lone surrogate cannot be kept in Redis.')
  if (!(Number.isSafeInteger(ttl) && ttl >= 1)) throw new StoreError(`a TTL of ${ttl} ms cannot be kept in Redis.`)
}

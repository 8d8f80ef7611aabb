/**
 * A store in Redis, or what speaks its language (Valkey, Dragonfly), through a client of ioredis 5 or 6: one server, Sentinel or Cluster.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { assertKnown, wholeNumber } from '../../base/option-checks.ts'
import type { ChannelListener, ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { holderIn, returnOf, takingOf } from './leases.ts'
import { knownSubscriber, RedisChannels, type RedisSubscriber } from './channels.ts'
import {
  type ChunkHeader,
  chunkKeys,
  cut,
  headerBytes,
  isChunkKey,
  isHeader,
  longestHeader,
  mostChunks,
  mustBeCut,
  readHeader,
} from './chunks.ts'
import { codeOf, failure, isUnknownCommand, knownClient, type RedisClient, type RedisReply, scanAll, sendAll } from './client.ts'

export type { RedisSubscriber } from './channels.ts'
export type { RedisClient, RedisNode } from './client.ts'

/** How a {@link redisStore} is made. */
export interface RedisStoreOptions {
  /**
   * Bytes of the largest value under one key. A larger one is cut into chunks of this size, each under a key of its own that begins
   * with the value's. @default 524_288 (512 KiB)
   */
  readonly maxValueBytes?: number
  /**
   * A client that does nothing but listen, `client.duplicate()`: by it invalidations of other processes are heeded at once, and what
   * they were while it had no connection is caught up with. A cluster client may itself be given. It stays the caller's, who closes it.
   * @default none: other processes follow within the cache's `invalidationDelay`
   */
  readonly subscriber?: RedisSubscriber
}

const defaultMaxValueBytes = 512 * 1_024
/** Chunks that are asked for at once. Others who use the connection come in between. */
const chunksAtOnce = 4
/** Keys that are remembered as somebody else's, at the most. */
const mostForeign = 10_000

/** What a user must mend, as no waiting does. https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ */
const refusals: ReadonlyMap<string, string> = new Map([
  ['NOAUTH', 'it asks for a password; give one to the client'],
  ['WRONGPASS', 'user name or password of the client are wrong'],
  [
    'NOPERM',
    'the user of the client may not do this; it needs GET, GETRANGE, SET, UNLINK, SCAN and EVAL on our keys, and PUBLISH and SUBSCRIBE on our channels',
  ],
])

/**
 * A store in Redis. A read is one round trip; batches are one as well, on a cluster one for each server.
 * Values of any bytes are kept by `SET … PX`. What another application keeps under a key of ours in another type is left alone
 * as soon as it was seen, by reading or deleting.
 *
 * The client stays the caller's: it is not configured, and not closed. It should have a `commandTimeout`, and an `error` listener;
 * our own deadlines hold without.
 * @param client `new Redis()` or `new Cluster()` of ioredis 5 or 6
 * @throws {InvalidOptionError} when the client or an option cannot be. Methods reject with {@link StoreError}.
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
  /** Where something lies that is no string, and so not ours. */
  readonly #foreign = new Set<string>()
  /** What was reported. */
  readonly #reported = new Set<string>()
  #remove: 'unlink' | 'del' = 'unlink'
  readonly #channels: RedisChannels | undefined
  #report: (message: string, cause?: unknown) => void = () => {}

  constructor(client: RedisClient, maxValueBytes: number, subscriber: RedisSubscriber | undefined) {
    this.#client = client
    this.#maxValueBytes = maxValueBytes
    if (subscriber !== undefined) this.#channels = new RedisChannels(subscriber, (error) => this.#deaf(Object(error)))
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const [value] = await this.getMany([key], options)
    return value
  }

  async getMany(keys: readonly string[], { signal }: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    // Redis keeps UTF-8, in which all lone surrogates are the same character, and two keys would be one.
    const known = keys.filter((key) => key.isWellFormed())
    const endWatch = this.#watch(signal)
    try {
      const read = (await this.#values(known)).values()
      const values = keys.map((key) => (key.isWellFormed() ? read.next().value : undefined))
      if (!values.some((value) => value !== undefined && isHeader(value))) return values
      const whole: (Uint8Array | undefined)[] = []
      for (const [index, value] of values.entries()) {
        whole.push(value !== undefined && isHeader(value) ? await this.#join(keys[index] ?? '', value, signal) : value)
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
    for (const { key, ttl } of writes) {
      if (!key.isWellFormed()) throw new StoreError('a key with a lone surrogate cannot be kept in Redis.')
      if (!(Number.isSafeInteger(ttl) && ttl >= 1)) throw new StoreError(`a TTL of ${ttl} ms cannot be kept in Redis.`)
    }
    // Copied, as the client may hold on to them until it has a connection. Of a key that comes twice the last one counts.
    const latest = new Map(writes.map(({ key, value, ttl }) => [key, { key, value: Buffer.from(value), ttl }]))
    const ours = [...latest.values()].filter(({ key }) => !this.#foreign.has(key))
    const large = ours.filter(({ value }) => mustBeCut(value, this.#maxValueBytes))
    await this.#write(ours.filter((each) => !large.includes(each)))
    for (const { key, value, ttl } of large) await this.#writeChunks(key, value, ttl)
  }

  async delete(key: string): Promise<void> {
    if (!key.isWellFormed()) return
    const [reply] = await sendAll(this.#client, [['getrangeBuffer', key, 0, longestHeader]])
    const beginning = this.#bytesIn(key, reply)
    if (this.#foreign.has(key)) return
    const header = beginning === undefined ? undefined : readHeader(beginning)
    await this.#unlink(header === undefined ? [key] : [key, ...chunkKeys(key, header)])
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    const seen = new Set<string>()
    for await (const page of scanAll(this.#client, prefix)) {
      for (const key of page) {
        if (seen.has(key) || isChunkKey(key)) continue
        seen.add(key)
        yield key
      }
    }
  }

  async publish(channel: string, message: string): Promise<void> {
    this.#assertDone(await sendAll(this.#client, [['publish', this.#channelOf(channel), message]]))
  }

  subscribe(channel: string, listener: ChannelListener): (() => void) | undefined {
    return this.#channels?.listen(this.#channelOf(channel), listener)
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const replies = await sendAll(this.#client, [takingOf(key, token, ttl)])
    this.#assertDone(replies)
    return holderIn(replies[0])
  }

  async release(key: string, token: string): Promise<void> {
    this.#assertDone(await sendAll(this.#client, [returnOf(key, token)]))
  }

  onReport(report: (message: string, cause?: unknown) => void): void {
    this.#report = report
  }

  /** ioredis puts its prefix before keys, and not before channels, on which all databases of a server hear one another. */
  #channelOf(channel: string): string {
    const { keyPrefix = '', db = 0 } = this.#client.options
    return `${db === 0 ? '' : `${db}:`}${keyPrefix}${channel}`
  }

  #deaf(error: object): void {
    const { message } = this.#failed('read', error)
    this.#reportOnce(`Redis lets nobody listen to invalidations: ${message} They are heeded within the invalidationDelay.`)
  }

  async #values(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    // Not MGET, which does not tell a key of another type from a missing one.
    const replies =
      keys.length === 0
        ? []
        : await sendAll(
            this.#client,
            keys.map((key) => ['getBuffer', key] as const),
          )
    return keys.map((key, index) => this.#bytesIn(key, replies[index]))
  }

  /** @throws {StoreError} for any error but that another type lies there */
  #bytesIn(key: string, reply: RedisReply | undefined): Uint8Array | undefined {
    if (reply?.error !== undefined) {
      if (codeOf(reply.error) !== 'WRONGTYPE') throw this.#failed('read', reply.error)
      this.#spare(key)
      return undefined
    }
    this.#foreign.delete(key)
    return reply !== undefined && Buffer.isBuffer(reply.value) ? reply.value : undefined
  }

  /** The value that was cut up, or `undefined` when it is not there as a whole. */
  async #join(key: string, value: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const header = readHeader(value)
    if (header === undefined) return undefined
    const keys = chunkKeys(key, header)
    const chunks: Uint8Array[] = []
    for (let start = 0; start < keys.length; start += chunksAtOnce) {
      if (signal?.aborted === true) return undefined
      const read = await this.#values(keys.slice(start, start + chunksAtOnce))
      const there = read.filter((chunk) => chunk !== undefined)
      chunks.push(...there)
      if (there.length < read.length) break
    }
    const whole = Buffer.concat(chunks)
    if (chunks.length === keys.length && whole.byteLength === header.length) return whole
    this.#tidy(key, header)
    return undefined
  }

  /** Removes chunks of which others are missing. The header stays: another writing may have put a new one in its place by now. */
  #tidy(key: string, header: ChunkHeader): void {
    // What cannot be removed now is removed by its TTL.
    this.#unlink(chunkKeys(key, header)).catch(() => {})
  }

  async #writeChunks(key: string, value: Buffer, ttl: number): Promise<void> {
    const { header, chunks } = cut(value, this.#maxValueBytes)
    if (header.count > mostChunks) {
      throw new StoreError(`a value of ${header.length} bytes would be more than ${mostChunks} chunks in Redis; raise maxValueBytes.`)
    }
    const keys = chunkKeys(key, header)
    const writes = chunks.map((chunk, index) => ({ key: keys[index] ?? key, value: chunk, ttl }))
    try {
      for (let start = 0; start < writes.length; start += chunksAtOnce) await this.#write(writes.slice(start, start + chunksAtOnce))
      await this.#write([{ key, value: headerBytes(header), ttl }])
    } catch (error) {
      this.#tidy(key, header)
      throw error
    }
  }

  async #write(writes: readonly { readonly key: string; readonly value: Buffer; readonly ttl: number }[]): Promise<void> {
    if (writes.length === 0) return
    const replies = await sendAll(
      this.#client,
      writes.map(({ key, value, ttl }) => ['set', key, value, 'PX', ttl] as const),
    )
    this.#assertDone(replies)
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    const removing = this.#remove
    const commands = keys.map((key) => [removing, key] as const)
    const replies = await sendAll(this.#client, commands)
    if (removing === 'unlink' && replies.some(({ error }) => error !== undefined && isUnknownCommand(error))) {
      // Older than Redis 4.
      this.#remove = 'del'
      await this.#unlink(keys)
    } else this.#assertDone(replies)
  }

  /** @throws {StoreError} for the first error among the replies to writes */
  #assertDone(replies: readonly RedisReply[]): void {
    for (const { error } of replies) if (error !== undefined) throw this.#failed('written', error)
  }

  #failed(verb: 'read' | 'written', error: object): StoreError {
    const refusal = refusals.get(codeOf(error))
    if (refusal !== undefined) this.#reportOnce(`Redis refuses the cache (${codeOf(error)}): ${refusal}.`)
    return failure(verb, error)
  }

  #spare(key: string): void {
    if (this.#foreign.size >= mostForeign) this.#foreign.clear()
    this.#foreign.add(key)
    this.#reportOnce('Redis has something of another application under a key of the cache. It is left alone; choose another namespace.')
  }

  /**
   * Reports a read that nobody waits for any longer, when the client is set to let it wait.
   * @returns what ends the watch
   */
  #watch(signal: AbortSignal | undefined): (() => void) | undefined {
    const { enableOfflineQueue, commandTimeout, redisOptions } = this.#client.options
    if (signal === undefined || enableOfflineQueue === false || (commandTimeout ?? redisOptions?.commandTimeout) !== undefined)
      return undefined
    const told =
      'A read of Redis was given up, but the client has no commandTimeout and an offline queue, so its commands wait in memory ' +
      'for as long as Redis is away. Make it with { commandTimeout: 1000, enableOfflineQueue: false }.'
    if (this.#reported.has(told)) return undefined
    const report = (): void => this.#reportOnce(told)
    signal.addEventListener('abort', report, { once: true })
    return () => signal.removeEventListener('abort', report)
  }

  #reportOnce(message: string): void {
    if (this.#reported.has(message)) return
    this.#reported.add(message)
    this.#report(message)
  }
}

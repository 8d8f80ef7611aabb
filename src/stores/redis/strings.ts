/**
 * Strings of Redis under single keys: read, written and removed many at a time, in one round trip.
 * A key under which another application keeps a value of another type is left alone from then on.
 * @module
 */
import { codeOf, isUnknownCommand, type RedisClient, type RedisCommand, type RedisReply, sendAll, sendOne } from './client.ts'
import type { Reports } from './reports.ts'

/** A string to write. */
export interface StringWrite {
  readonly key: string
  readonly value: Buffer
  /** Milliseconds. */
  readonly ttl: number
}

/** Keys of other applications that are remembered. Beyond that, the store forgets all of them and finds them again. */
const maxForeignKeys = 10_000

/** A read that goes to the master, as a script may write. Without `evalBuffer`, it is for texts: the reply is one. */
function readFromMaster(client: RedisClient, key: string): RedisCommand {
  return ['evalBuffer' in client ? 'evalBuffer' : 'eval', "return redis.call('get', KEYS[1])", 1, key, '', 0]
}

/** The strings under the keys of one client. */
export class RedisStrings {
  readonly #client: RedisClient
  readonly #reports: Reports
  /** Keys whose value is no string, and so not ours. */
  readonly #foreign = new Set<string>()
  #removal: 'unlink' | 'del' = 'unlink'

  constructor(client: RedisClient, reports: Reports) {
    this.#client = client
    this.#reports = reports
  }

  /** Whether the client sends commands that only read to replicas, which may be behind. */
  get readsReplicas(): boolean {
    const { scaleReads = 'master' } = this.#client.options
    return this.#client.isCluster && scaleReads !== 'master'
  }

  /** Whether another application was seen to use `key`. */
  isForeign(key: string): boolean {
    return this.#foreign.has(key)
  }

  /**
   * The strings under `keys`, in their order.
   * @param latest those of the keys that must not be read from a replica @default none
   * @throws {StoreError} when a reply is an error
   */
  async read(keys: readonly string[], latest?: ReadonlySet<string>): Promise<(Buffer | undefined)[]> {
    if (keys.length === 0) return []
    // Not MGET: it gives the same reply for a key of another type as for a missing key.
    const replies = await sendAll(
      this.#client,
      keys.map((key) => this.#readCommand(key, latest)),
    )
    return keys.map((key, index) => this.#bytesIn(key, replies[index]))
  }

  /** As `read`, for one key. */
  readOne(key: string, latest?: ReadonlySet<string>): Promise<Buffer | undefined> {
    return sendOne(this.#client, this.#readCommand(key, latest)).then((reply) => this.#bytesIn(key, reply))
  }

  #readCommand(key: string, latest: ReadonlySet<string> | undefined): RedisCommand {
    return this.readsReplicas && latest?.has(key) === true ? readFromMaster(this.#client, key) : ['getBuffer', key]
  }

  /**
   * The first bytes under `key`.
   * @throws {StoreError} when the reply is an error
   */
  async readBeginning(key: string, maxBytes: number): Promise<Buffer | undefined> {
    return this.#bytesIn(key, await sendOne(this.#client, ['getrangeBuffer', key, 0, maxBytes - 1]))
  }

  /** @throws {StoreError} when a string was not written */
  async write(writes: readonly StringWrite[]): Promise<void> {
    if (writes.length === 0) return
    const replies = await sendAll(
      this.#client,
      writes.map(({ key, value, ttl }) => ['set', key, value, 'PX', ttl] as const),
    )
    this.#reports.assertWritten(replies)
  }

  /**
   * Writes a string if there is none. Otherwise reads the one that is there.
   * @throws {StoreError} when the reply is an error
   */
  async writeIfAbsent({ key, value, ttl }: StringWrite): Promise<Buffer | undefined> {
    const [written] = await sendAll(this.#client, [['set', key, value, 'PX', ttl, 'NX']])
    if (written?.error !== undefined) throw this.#reports.failure('written', written.error)
    if (written?.value === 'OK') return value
    const [found] = await this.read([key], new Set([key]))
    return found
  }

  /** @throws {StoreError} when a key was not removed */
  async remove(keys: readonly string[]): Promise<void> {
    const removal = this.#removal
    const replies = await sendAll(
      this.#client,
      keys.map((key) => [removal, key] as const),
    )
    if (removal === 'unlink' && replies.some(({ error }) => error !== undefined && isUnknownCommand(error))) {
      // Redis before version 4 has no UNLINK.
      this.#removal = 'del'
      await this.remove(keys)
    } else this.#reports.assertWritten(replies)
  }

  #bytesIn(key: string, reply: RedisReply | undefined): Buffer | undefined {
    if (reply?.error !== undefined) {
      if (codeOf(reply.error) !== 'WRONGTYPE') throw this.#reports.failure('read', reply.error)
      this.#markForeign(key)
      return undefined
    }
    this.#foreign.delete(key)
    if (typeof reply?.value === 'string') return Buffer.from(reply.value)
    return reply !== undefined && Buffer.isBuffer(reply.value) ? reply.value : undefined
  }

  #markForeign(key: string): void {
    if (this.#foreign.size >= maxForeignKeys) this.#foreign.clear()
    this.#foreign.add(key)
    this.#reports.once('Another application uses a key of the cache in Redis. That key is left alone; choose another namespace.')
  }
}

/**
 * Strings of Redis under single keys: read, written and removed many at a time, in one round trip.
 * A key under which another application keeps a value of another type is left alone from then on.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import type { RedisCommand, RedisConnection, RedisReply } from './connection.ts'
import { codeOf, isUnknownCommand } from './failure.ts'
import type { ReadOptions } from '../../store.ts'
import type { Reports } from './reports.ts'

/** A string to write. */
export interface StringWrite {
  readonly key: string
  readonly value: Uint8Array
  /** Milliseconds. */
  readonly ttl: number
}

/** Keys of other applications that are remembered. Beyond that, the store forgets all of them and finds them again. */
const maxForeignKeys = 10_000

/** The strings under the keys of one connection. */
export class RedisStrings {
  readonly #connection: RedisConnection
  readonly #reports: Reports
  /** Keys whose value is no string, and so not ours. */
  readonly #foreign = new Set<string>()
  #removal: 'UNLINK' | 'DEL' = 'UNLINK'

  constructor(connection: RedisConnection, reports: Reports) {
    this.#connection = connection
    this.#reports = reports
  }

  /** Whether the client may send commands that only read to replicas, which may be behind. */
  get readsReplicas(): boolean {
    return this.#connection.readsReplicas
  }

  /** Whether another application was seen to use `key`. */
  isForeign(key: string): boolean {
    return this.#foreign.has(key)
  }

  /**
   * The strings under `keys`, in their order.
   * @throws {StoreError} when a reply is an error
   */
  async read(keys: readonly string[], options: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return []
    // Not MGET: it gives the same reply for a key of another type as for a missing key.
    const replies = await this.#connection.sendAll(
      keys.map((key) => this.#readCommand(key, options.latest)),
      options,
    )
    return keys.map((key, index) => this.#bytesIn(key, replies[index]))
  }

  /** As `read`, for one key. */
  readOne(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#connection.sendOne(this.#readCommand(key, options?.latest), options).then((reply) => this.#bytesIn(key, reply))
  }

  #readCommand(key: string, latest: ReadonlySet<string> | undefined): RedisCommand {
    return [latest?.has(key) === true && this.readsReplicas ? 'READ_LATEST' : 'GET', key]
  }

  /**
   * The first bytes under `key`.
   * @throws {StoreError} when the reply is an error
   */
  async readBeginning(key: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#bytesIn(key, await this.#connection.sendOne(['GETRANGE', key, 0, maxBytes - 1]))
  }

  /** @throws {StoreError} when a string was not written */
  async write(writes: readonly StringWrite[]): Promise<void> {
    if (writes.length === 0) return
    const replies = await this.#connection.sendAll(writes.map(({ key, value, ttl }) => ['SET', key, value, 'PX', ttl] as const))
    this.#reports.assertWritten(replies)
  }

  /**
   * Writes a string if there is none. Otherwise reads the one that is there.
   * @throws {StoreError} when the reply is an error
   */
  async writeIfAbsent({ key, value, ttl }: StringWrite): Promise<Uint8Array | undefined> {
    const written = await this.#connection.sendOne(['SET', key, value, 'PX', ttl, 'NX'])
    if (written.error !== undefined) throw this.#reports.failure('written', written.error)
    if (written.value === 'OK') return value
    const [found] = await this.read([key], { latest: new Set([key]) })
    return found
  }

  /** @throws {StoreError} when a key was not removed */
  async remove(keys: readonly string[]): Promise<void> {
    const removal = this.#removal
    const replies = await this.#connection.sendAll(keys.map((key) => [removal, key] as const))
    if (removal === 'UNLINK' && replies.some(({ error }) => error !== undefined && isUnknownCommand(error))) {
      // Redis before version 4 has no UNLINK.
      this.#removal = 'DEL'
      await this.remove(keys)
    } else this.#reports.assertWritten(replies)
  }

  #bytesIn(key: string, reply: RedisReply | undefined): Uint8Array | undefined {
    if (reply?.error !== undefined) {
      if (codeOf(reply.error) !== 'WRONGTYPE') throw this.#reports.failure('read', reply.error)
      this.#markForeign(key)
      return undefined
    }
    this.#foreign.delete(key)
    if (typeof reply?.value === 'string') return new TextEncoder().encode(reply.value)
    return isBytes(reply?.value) ? reply.value : undefined
  }

  #markForeign(key: string): void {
    if (this.#foreign.size >= maxForeignKeys) this.#foreign.clear()
    this.#foreign.add(key)
    this.#reports.once('Another application uses a key of the cache in Redis. That key is left alone; choose another namespace.')
  }
}

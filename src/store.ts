/**
 * The contract of a store. A store keeps bytes under keys; it knows nothing of answers, prompts or providers.
 * @module
 */
import { Description, InvalidOptionError } from './errors.ts'

/** Options of a read. */
export interface ReadOptions {
  /** Fires when no caller waits for the value any more. A store that can stop early does so. */
  readonly signal?: AbortSignal
  /**
   * Keys whose latest value is needed, including what another process has just written. A store with replicas must read these keys from the
   * primary. If it cannot read them, it must fail and not answer that there is nothing.
   */
  readonly latest?: ReadonlySet<string>
}

/** Options of a write. */
export interface WriteOptions {
  /** Milliseconds, whole and at least 1. After them the value must not be returned. */
  readonly ttl: number
}

/** One value to write, for {@link Store.setMany}. */
export interface StoreWrite extends WriteOptions {
  readonly key: string
  readonly value: Uint8Array
}

/** A listener on a channel of a store, for {@link Store.subscribe}. */
export interface ChannelListener {
  /** A message arrived. Messages of this process arrive too. */
  heard(message: string): void
  /** The channel is open, for the first time or again. Messages sent before this moment were missed. */
  missed(): void
}

/**
 * A place that keeps entries. Only `name`, `get`, `set` and `delete` are required; the rest makes a store faster or more capable. Every
 * method may be synchronous or return a promise, and may throw: the cache handles its errors.
 */
export interface Store {
  /** The `_cache.source` of an answer from this store: `redis`, `sqlite`. */
  readonly name: string
  /** The value under `key`, or `undefined`. Never a value past its TTL, and never bytes that other code still changes. */
  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** Keeps `value` under `key` and replaces the former value. */
  set(key: string, value: Uint8Array, options: WriteOptions): Promise<void> | void
  /**
   * Keeps `value` under `key` if there is no value, in one step, so that of many processes that do so at once one value stays.
   * Without this method, the cache reads and then writes. An invalidation by another process between the two may then be lost for answers
   * that are on their way.
   * @returns the value that is there now
   */
  setIfAbsent?(key: string, value: Uint8Array, options: WriteOptions): Promise<Uint8Array> | Uint8Array
  /** Removes the value under `key`. A missing value is no error. */
  delete(key: string): Promise<void> | void
  /** The values under `keys`, in their order. Without this method, the cache calls `get` for each key. */
  getMany?(
    keys: readonly string[],
    options?: ReadOptions,
  ): Promise<readonly (Uint8Array | undefined)[]> | readonly (Uint8Array | undefined)[]
  /** Keeps all of `writes`. Without this method, the cache calls `set` for each write. */
  setMany?(writes: readonly StoreWrite[]): Promise<void> | void
  /**
   * The keys that begin with `prefix`, in any order. Keys that are written or removed meanwhile may be in the list or not. Needed for
   * patterns.
   */
  keys?(prefix: string): AsyncIterable<string> | Iterable<string>
  /**
   * Sends a message to all current listeners of `channel`, in every process. Without this method, other processes see an invalidation at
   * their next read.
   */
  publish?(channel: string, message: string): Promise<void> | void
  /**
   * Listens to `channel` while there is a connection, and again after each reconnection. Must not throw.
   * @returns a function that ends it; `undefined` when this store cannot listen
   */
  subscribe?(channel: string, listener: ChannelListener): (() => void) | undefined
  /**
   * Takes the lease of `key` for `token` if it is free, or prolongs it if `token` holds it.
   * @returns the token that holds the lease now
   */
  lease?(key: string, token: string, options: WriteOptions): Promise<string> | string
  /** Releases the lease of `key`, if `token` still holds it. */
  release?(key: string, token: string): Promise<void> | void
  /**
   * Adds whole numbers to the sums under `key`, by their names, in one step, so that many processes can count together. A sum that is not
   * there is 0. The TTL holds for all sums under `key`, from now on; without anything to add, it stays as it is. Needed for savings that
   * processes share.
   * @returns the sums that are there now
   */
  add?(
    key: string,
    amounts: Readonly<Record<string, number>>,
    options: WriteOptions,
  ): Promise<Readonly<Record<string, number>>> | Readonly<Record<string, number>>
  /**
   * Receives the function by which the store reports what its user should know: a damaged file that was set aside, a database of a newer
   * version. Called once, before the first read.
   */
  onReport?(report: (message: string, cause?: unknown) => void): void
  /** Releases what the store itself opened; never a client that the user handed in. */
  close?(): Promise<void> | void
}

const required = ['get', 'set', 'delete'] as const
const optional = [
  'setIfAbsent',
  'getMany',
  'setMany',
  'keys',
  'publish',
  'subscribe',
  'lease',
  'release',
  'add',
  'onReport',
  'close',
] as const

/**
 * Checks that `value` is a store.
 * @throws {InvalidOptionError} that names the first member that is missing or has the wrong type
 */
export function assertStore(option: string, value: unknown): asserts value is Store {
  const shape = `a store: an object with a "name" and the methods ${required.join('(), ')}()`
  const mistake = mistakenStore(value)
  if (mistake !== undefined) throw new InvalidOptionError(option, new Description(mistake.given), `${mistake.instead}; or else ${shape}`)
  if (typeof value !== 'object' || value === null) throw new InvalidOptionError(option, value, shape)
  const name: unknown = Reflect.get(value, 'name')
  if (typeof name !== 'string' || name === '') throw new InvalidOptionError(`${option}.name`, name, 'a text that is not empty')
  for (const method of required) {
    const member: unknown = Reflect.get(value, method)
    if (typeof member !== 'function') throw new InvalidOptionError(`${option}.${method}`, member, `a function, as in ${shape}`)
  }
  for (const method of optional) {
    const member: unknown = Reflect.get(value, method)
    if (member !== undefined && typeof member !== 'function')
      throw new InvalidOptionError(`${option}.${method}`, member, 'a function, or absent')
  }
}

/** A value in place of a store: what it is, and what to give instead. */
interface MistakenStore {
  readonly given: string
  readonly instead: string
}

/** What users give in place of a store: the client, the URL, the path or the function that makes one. */
function mistakenStore(value: unknown): MistakenStore | undefined {
  const has = (...methods: string[]): boolean => methods.every((method) => typeof Reflect.get(Object(value), method) === 'function')
  if (typeof value === 'string') return textForStore(value)
  if (typeof value === 'function')
    return { given: 'a function', instead: 'a store, which such a function returns: redisStore(new Redis(url))' }
  if (has('then')) return { given: 'a promise', instead: 'what it resolves to: await it first' }
  // Pools, clients of GLIDE and those over HTTP cannot be duplicated.
  if ((has('duplicate') && (has('getBuffer') || has('sendCommand'))) || has('scan', 'unlink'))
    return { given: 'a client of Redis', instead: "a store made of it: redisStore(client), by import { redisStore } from 'llmemo/redis'" }
  if (has('send', 'destroy') && 'middlewareStack' in Object(value))
    return {
      given: 'a client of AWS',
      instead: "a store made of it: dynamodbStore(client, { tableName }), by import { dynamodbStore } from 'llmemo/dynamodb'",
    }
  if (has('item', 'read') && 'items' in Object(value))
    return {
      given: 'a container of Cosmos DB',
      instead: "a store made of it: cosmosStore({ container }), by import { cosmosStore } from 'llmemo/cosmos'",
    }
  if (has('collection', 'getAll', 'batch'))
    return {
      given: 'a client of Firestore',
      instead: "a store made of it: firestoreStore({ client }), by import { firestoreStore } from 'llmemo/firestore'",
    }
  if (has('exec', 'prepare'))
    return {
      given: 'an SQLite database',
      instead: "a store made of it: sqliteStore(database), by import { sqliteStore } from 'llmemo/sqlite'",
    }
  return undefined
}

/** A text is a URL or a path. It is not shown, because a URL may hold a password. */
function textForStore(text: string): MistakenStore {
  const given = `a string of ${text.length} characters`
  if (/^rediss?:/i.test(text)) return { given: 'a URL of Redis', instead: 'a store: redisStore(new Redis(url))' }
  return { given, instead: "a store: sqliteStore('answers.db') for the path of a file, redisStore(new Redis(url)) for a URL of Redis" }
}

/**
 * Keeps a value if there is none, in a store with or without a method for that.
 * @returns what the store says that is there now
 */
export async function setIfAbsent(store: Store, { key, value, ttl }: StoreWrite): Promise<unknown> {
  if (store.setIfAbsent !== undefined) return store.setIfAbsent(key, value, { ttl })
  const found = await store.get(key, { latest: new Set([key]) })
  if (found !== undefined && found !== null) return found
  await store.set(key, value, { ttl })
  return value
}

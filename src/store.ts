/**
 * What a store must do. A store keeps bytes under keys; it knows nothing of answers, prompts or providers.
 * @module
 */
import { InvalidOptionError } from './errors.ts'

/** What a read may be told. */
export interface ReadOptions {
  /** Fires when nobody waits for the value any longer. A store that can give up early does so. */
  readonly signal?: AbortSignal
  /**
   * Those of the keys whose latest value is needed: what was written anywhere must be seen. A store that reads from replicas asks the one
   * that takes the writes for these, and fails rather than answer that there is nothing when it could not look.
   */
  readonly latest?: ReadonlySet<string>
}

/** What a write must be told. */
export interface WriteOptions {
  /** Milliseconds, whole and at least 1, after which the value must not be returned any more. */
  readonly ttl: number
}

/** One value to write, for {@link Store.setMany}. */
export interface StoreWrite extends WriteOptions {
  readonly key: string
  readonly value: Uint8Array
}

/** Who listens to a channel of a store, for {@link Store.subscribe}. */
export interface ChannelListener {
  /** A message came. Those of one's own come as well. */
  heard(message: string): void
  /** The channel is open, anew or for the first time: what was said before was missed. */
  missed(): void
}

/**
 * A place where entries lie. Only `name`, `get`, `set` and `delete` are required; the rest makes a store faster or more capable.
 * Every method may be synchronous or return a promise, and may throw: the cache answers for that.
 */
export interface Store {
  /** What `_cache.source` says of an answer from this store: `redis`, `sqlite`. */
  readonly name: string
  /** The value under `key`, or `undefined`. Never a value past its TTL, and never bytes that somebody goes on to change. */
  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** Keeps `value` under `key` in place of what was there. */
  set(key: string, value: Uint8Array, options: WriteOptions): Promise<void> | void
  /** Removes what is under `key`. To remove what is not there is no error. */
  delete(key: string): Promise<void> | void
  /** The values under `keys`, in their order. Without it, `get` is called for each. */
  getMany?(
    keys: readonly string[],
    options?: ReadOptions,
  ): Promise<readonly (Uint8Array | undefined)[]> | readonly (Uint8Array | undefined)[]
  /** Keeps all of `writes`. Without it, `set` is called for each. */
  setMany?(writes: readonly StoreWrite[]): Promise<void> | void
  /** The keys that begin with `prefix`, in any order, those that came or went meanwhile included or not. Needed for patterns. */
  keys?(prefix: string): AsyncIterable<string> | Iterable<string>
  /** Says something to whoever listens to `channel` now, in any process. Without it, others hear of an invalidation when they next ask. */
  publish?(channel: string, message: string): Promise<void> | void
  /**
   * Listens to `channel` for as long as there is a connection, and anew after each that was lost. Must not throw.
   * @returns what ends it; `undefined` when this store has no way to listen
   */
  subscribe?(channel: string, listener: ChannelListener): (() => void) | undefined
  /**
   * Takes the lease of `key` for `token` if nobody holds it, or prolongs it if `token` does.
   * @returns the token of whoever holds it now
   */
  lease?(key: string, token: string, options: WriteOptions): Promise<string> | string
  /** Gives the lease of `key` back, if `token` still holds it. */
  release?(key: string, token: string): Promise<void> | void
  /**
   * Is told how to report what the cache's user should hear of: a damaged file that was set aside, a database of a newer version.
   * Called once, before the first read.
   */
  onReport?(report: (message: string, cause?: unknown) => void): void
  /** Lets go of what the store itself opened; never of a client that the user handed in. */
  close?(): Promise<void> | void
}

const required = ['get', 'set', 'delete'] as const
const optional = ['getMany', 'setMany', 'keys', 'publish', 'subscribe', 'lease', 'release', 'onReport', 'close'] as const

/**
 * `value` as a store.
 * @throws {InvalidOptionError} that names the first member which is missing or of the wrong kind
 */
export function assertStore(option: string, value: unknown): asserts value is Store {
  const shape = `a store: an object with a "name" and the methods ${required.join('(), ')}()`
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

/**
 * All events of a cache.
 * No event holds a prompt, an answer or a secret.
 * @module
 */
import type { Source } from './call.ts'
import { InvalidOptionError } from './errors.ts'

/** The data of each event. */
export interface CacheEvents {
  /** An answer was served without a call to the provider. */
  hit: { readonly key: string; readonly operation: string; readonly source: Source; readonly stale: boolean }
  /** The provider was called. */
  miss: { readonly key: string; readonly operation: string }
  /** A call neither read nor wrote the cache. */
  bypass: { readonly operation: string; readonly reason: string }
  /**
   * A request passed through unseen: it is none of an endpoint that is known, such as one of another provider's protocol. `path` is that of
   * the URL, without its query, which may hold a key; of Bedrock the name of the command.
   */
  pass: { readonly method: string; readonly host: string; readonly path: string }
  /** An answer was stored; `bytes` is the size of its body. */
  store: { readonly key: string; readonly operation: string; readonly bytes: number }
  /** An answer was not stored. */
  skip: { readonly key: string; readonly operation: string; readonly reason: string }
  /** An entry left the hot tier to make room. */
  evict: { readonly key: string }
  /** Everything under a label, such as `tag:doc:42`, was invalidated. */
  invalidate: { readonly label: string }
  /** Something in the cache failed. The call during which it happened did not. */
  error: { readonly doing: Fault; readonly error: unknown }
  /** The cache started or stopped using the store for reads or writes. */
  state: { readonly store: string; readonly side: 'read' | 'write'; readonly usable: boolean }
  /** A write was dropped because too many were waiting. */
  drop: { readonly key: string }
}

/**
 * What the cache was doing when it failed. `entry`: a stored value was damaged. `foreign`: a stored value belongs to another key or scope.
 * `hook`: one of the caller's own functions threw.
 */
export type Fault = 'read' | 'write' | 'delete' | 'entry' | 'foreign' | 'hook'

type Listener<Name extends keyof CacheEvents> = (event: CacheEvents[Name]) => unknown

/** One call of `on()`: a listener that is given twice is called twice, and each registration ends by itself. */
interface Registration<Name extends keyof CacheEvents> {
  readonly listener: Listener<Name>
}

/** Passes events on to listeners. A listener that fails affects neither the cache nor other listeners. */
export class EventEmitter {
  readonly #listeners: { readonly [Name in keyof CacheEvents]: Set<Registration<Name>> } = {
    hit: new Set(),
    miss: new Set(),
    bypass: new Set(),
    pass: new Set(),
    store: new Set(),
    skip: new Set(),
    evict: new Set(),
    invalidate: new Set(),
    error: new Set(),
    state: new Set(),
    drop: new Set(),
  }
  readonly #failed: (error: unknown) => void

  /** @param failed called with each error of a listener, thrown or rejected */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /**
   * Calls `listener` at each event of this name.
   * @returns a function that removes the listener
   * @throws {InvalidOptionError} for an unknown event name, and for a listener that is not a function
   */
  on<Name extends keyof CacheEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(this.#listeners, name)) throw new InvalidOptionError('event', name, Object.keys(this.#listeners))
    if (typeof listener !== 'function') throw new InvalidOptionError('listener', listener, 'a function')
    const registrations: Set<Registration<Name>> = this.#listeners[name]
    const registration = { listener }
    registrations.add(registration)
    return () => void registrations.delete(registration)
  }

  /** Whether there is a listener of `name`. */
  isHeard(name: keyof CacheEvents): boolean {
    return this.#listeners[name].size > 0
  }

  /** Calls every current listener of `name`, in the order of registration. */
  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    const registrations: Set<Registration<Name>> = this.#listeners[name]
    if (registrations.size === 0) return
    // Loop over a copy: a listener that registers further listeners would otherwise make the loop endless.
    for (const { listener } of Array.from(registrations)) {
      try {
        const result = listener(event)
        if (isThenable(result)) Promise.resolve(result).catch(this.#failed)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}

/** Not by `instanceof`: the promise may come from another realm or from a library. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

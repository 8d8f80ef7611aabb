/**
 * Everything that can happen in a cache, for those who want to hear of it.
 * No event holds a prompt, an answer or a secret.
 * @module
 */
import type { Source } from './call.ts'
import { InvalidOptionError } from './errors.ts'

/** What each event tells. */
export interface CacheEvents {
  /** An answer was served without asking the provider. */
  hit: { readonly key: string; readonly operation: string; readonly source: Source; readonly stale: boolean }
  /** The provider was asked. */
  miss: { readonly key: string; readonly operation: string }
  /** A call neither read nor wrote the cache. */
  bypass: { readonly operation: string; readonly reason: string }
  /** An answer was stored; `bytes` is its body's size. */
  store: { readonly key: string; readonly operation: string; readonly bytes: number }
  /** An answer was not stored. */
  skip: { readonly key: string; readonly operation: string; readonly reason: string }
  /** An entry left the hot tier to make room. */
  evict: { readonly key: string }
  /** Everything under a label, `tag:doc:42`, was declared outdated. */
  invalidate: { readonly label: string }
  /** Something of the cache failed; the call it happened in did not. */
  error: { readonly doing: Fault; readonly error: unknown }
  /** The store began or ceased to be used for reads or writes. */
  state: { readonly store: string; readonly side: 'read' | 'write'; readonly usable: boolean }
  /** A write was given up because too many were waiting. */
  drop: { readonly key: string }
}

/**
 * What the cache was doing when it failed. `entry`: a stored value was damaged. `foreign`: a stored value belongs to another key or scope.
 * `hook`: a function of the caller's own threw.
 */
export type Fault = 'read' | 'write' | 'delete' | 'entry' | 'foreign' | 'hook'

type Listener<Name extends keyof CacheEvents> = (event: CacheEvents[Name]) => unknown

/** A listener by itself, so that one which was given twice is called twice and ended one at a time. */
interface Registration<Name extends keyof CacheEvents> {
  readonly listener: Listener<Name>
}

/** Hears of events and passes them on. A listener that fails disturbs neither the cache nor the other listeners. */
export class EventEmitter {
  readonly #listeners: { readonly [Name in keyof CacheEvents]: Set<Registration<Name>> } = {
    hit: new Set(),
    miss: new Set(),
    bypass: new Set(),
    store: new Set(),
    skip: new Set(),
    evict: new Set(),
    invalidate: new Set(),
    error: new Set(),
    state: new Set(),
    drop: new Set(),
  }
  readonly #failed: (error: unknown) => void

  /** @param failed told of each error of a listener, thrown or rejected */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /**
   * Calls `listener` at each event of that name.
   * @returns a function that ends it
   * @throws {InvalidOptionError} for a name that is no event's, and a listener that is no function
   */
  on<Name extends keyof CacheEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(this.#listeners, name)) throw new InvalidOptionError('event', name, Object.keys(this.#listeners).join(', '))
    if (typeof listener !== 'function') throw new InvalidOptionError('listener', listener, 'a function')
    const registrations: Set<Registration<Name>> = this.#listeners[name]
    const registration = { listener }
    registrations.add(registration)
    return () => void registrations.delete(registration)
  }

  /** Tells every listener of `name` that there is now, in the order in which they came. */
  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    const registrations: Set<Registration<Name>> = this.#listeners[name]
    if (registrations.size === 0) return
    // A copy, as a listener may add others: itself anew, say, without an end.
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

/** Not by `instanceof`: a promise may be of another realm, or of a library. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

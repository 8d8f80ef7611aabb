/**
 * Collects what a case makes the source issue: errors, events, log lines, facts.
 * @module
 */
import { createCache, type Cache } from '../../../src/cache/cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { EventEmitter, type CacheEvents } from '../../../src/events.ts'

/** Something that came out. */
export interface Issued {
  /** `thrown`, `event hit`, `log line`… */
  readonly what: string
  readonly value: unknown
}

/** A case: what is to be provoked in one file of the source. */
export interface SecretCase {
  readonly name: string
  readonly run: (issuer: Issuer) => unknown
}

/** The cases of each file. */
export type Cases = Readonly<Record<string, readonly SecretCase[]>>

/** Every event that there is. A new one is a mistake of type here. */
const names: Readonly<Record<keyof CacheEvents, true>> = {
  hit: true,
  hits: true,
  miss: true,
  bypass: true,
  pass: true,
  store: true,
  skip: true,
  spent: true,
  shadow: true,
  key: true,
  flight: true,
  landing: true,
  read: true,
  write: true,
  encode: true,
  evict: true,
  invalidate: true,
  error: true,
  state: true,
  drop: true,
}

function isEventName(name: string): name is keyof CacheEvents {
  return Object.hasOwn(names, name)
}

/** What one case makes come out. */
export class Issuer {
  readonly issued: Issued[] = []
  readonly #caches: Cache[] = []
  /** A logger that keeps each line. */
  readonly logger = {
    warn: (line: string): void => this.keep('log line', line),
    info: (line: string): void => this.keep('log line', line),
  }

  /** Keeps each line that `work` writes to the console. */
  async console(work: () => unknown): Promise<void> {
    const { warn, info, error } = console
    const keep = (...line: unknown[]): void => this.keep('line of the console', line)
    Object.assign(console, { warn: keep, info: keep, error: keep })
    try {
      await work()
    } finally {
      Object.assign(console, { warn, info, error })
    }
  }

  keep(what: string, value: unknown): void {
    this.issued.push({ what, value })
  }

  /** A cache of which every event and line is kept. */
  cache(options: CacheOptions = {}): Cache {
    return this.watched(createCache({ prices: false, logger: this.logger, ...options }))
  }

  /** A cache that was made elsewhere, of which every event is kept. */
  watched(cache: Cache): Cache {
    for (const name of Object.keys(names).filter(isEventName)) cache.on(name, (event) => this.keep(`event ${name}`, event))
    this.#caches.push(cache)
    return cache
  }

  /** An emitter of which every event is kept. */
  events(): EventEmitter {
    const events = new EventEmitter((error) => this.keep('failed listener', error))
    for (const name of Object.keys(names).filter(isEventName)) events.on(name, (event) => this.keep(`event ${name}`, event))
    return events
  }

  /** Keeps what `action` throws. A case whose action does not is a mistake. */
  async refused(action: () => unknown): Promise<unknown> {
    let returned: unknown
    try {
      returned = await action()
    } catch (error) {
      this.keep('thrown', error)
      return error
    }
    throw new TypeError(`nothing was thrown, but returned ${typeof returned}`)
  }

  /** Keeps what `action` throws, or returns. */
  async outcome(action: () => unknown): Promise<unknown> {
    try {
      const value = await action()
      this.keep('returned', value)
      return value
    } catch (error) {
      this.keep('thrown', error)
      return error
    }
  }

  /** Keeps what is left to see: the counters, and the caches when they are printed. */
  end(): void {
    for (const cache of this.#caches) {
      this.keep('stats()', cache.stats())
      this.keep('the cache itself', cache)
    }
  }
}

/**
 * The cache as its user sees it.
 * @module
 */
import { everything, selected, type Invalidation } from '../engine/invalidation/labels.ts'
export type { Invalidation } from '../engine/invalidation/labels.ts'
import type { CacheInfo, CallOptions } from '../call.ts'
import type { Duration } from '../duration.ts'
import { callable } from '../base/option-checks.ts'
import { InvalidOptionError } from '../errors.ts'
import type { CacheEvents } from '../events.ts'
import { scopeOfClient } from '../providers/client-credential.ts'
import type { KeyDifference, KeyExplanation } from '../key/explain.ts'
import { ValueCache } from './value-cache.ts'
import type { ValueKey } from './value-key.ts'
import type { CacheStats } from '../engine/stats/cache-stats.ts'
export type { CacheStats, StatsRow } from '../engine/stats/cache-stats.ts'
import { type CacheRequest, explainer, type LookedUp, looker, store } from './described-requests.ts'
import { type CacheEntry, entries, type EntryFilter, ttlOf } from './entries.ts'
import { forget } from './forget.ts'
import { getOrMake } from './made-answers.ts'
import { originCaller } from './answer-origin.ts'
import type { CalledAnswer, CalledParts, OriginCall, OriginContext } from './origin-calls.ts'
import { type LookedUpText, textCall, type TextRequest } from './text-requests.ts'
import { savings, type SavingsOptions } from './savings.ts'
import type { Savings } from '../engine/ledger.ts'
import { Engine } from '../engine/engine.ts'
import { assertCallOptions } from '../engine/settings/call-options.ts'
import { type CacheOptions, readOptions } from '../engine/settings/options.ts'

export type { CacheEntry, EntryFilter } from './entries.ts'
export type { CacheRequest, LookedUp } from './described-requests.ts'
export type { SavingsOptions } from './savings.ts'
export type { AnswerRules, CalledAnswer, CalledParts, InputRules, OriginCall, OriginContext, PartRules } from './origin-calls.ts'
export type { LookedUpText, TextRequest } from './text-requests.ts'

/** The key of `Symbol.asyncDispose`, if the compiler's own library or Node's types have it. Else the declarations would not compile. */
type AsyncDispose = SymbolConstructor extends { readonly asyncDispose: infer Key extends symbol } ? Key : never

/** A cache of answers. Made by {@link createCache}. At the end of an `await using` block it is flushed and closed. */
export interface Cache extends Readonly<Record<AsyncDispose, () => Promise<void>>> {
  /** What the cache did and saved since it was made. */
  stats(): CacheStats
  /**
   * Calls `listener` at each event of that name.
   * @returns a function that ends it
   * @throws {InvalidOptionError} for a name that is no event's
   */
  on<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => unknown): () => void
  /**
   * Declares answers outdated, in every process that shares the store. Answers that are on their way reach their callers but are not stored.
   * @returns whether every tier knows of it now; `false` after a fault of the store, to which it is written later
   * @throws {InvalidOptionError} when there is not exactly one selector
   */
  invalidate(what: Invalidation): Promise<boolean>
  /**
   * Calls `work` and gives all calls that it makes these options, also those of frameworks that take none: whose answers they are, and by which
   * tags. They hold for what `work` awaits, and not for values under keys of your own. A call's own options come first, and its tags are added.
   * @returns what `work` returns
   * @throws {InvalidOptionError} for an option that cannot be, and in a runtime without `AsyncLocalStorage`
   */
  with<Result>(options: CallOptions, work: () => Result): Result
  /**
   * Removes one answer that turned out to be bad, in every process that shares the store: the next equal call asks the provider.
   * @param answer what a client returned, a `Response`, what `lookup` found, or the `_cache` of any of them
   * @returns whether every tier did so
   * @throws {InvalidOptionError} for something without cache facts
   */
  forget(answer: object): Promise<boolean>
  /**
   * The parts that a request's key is made of, or the first difference between two requests: why did this miss?
   * @throws {NotKeyableError} when no key can be made of a request
   */
  explain(request: CacheRequest | TextRequest): KeyExplanation
  explain(first: CacheRequest | TextRequest, second: CacheRequest | TextRequest): KeyDifference
  /**
   * The stored answer to a request, or `undefined`. Its mode means and counts the same as for a client: `reload` reads nothing and is a miss;
   * `only-if-cached` that finds nothing is a bypass. An answer within `staleWhileRevalidate` is served, and not refreshed.
   */
  lookup(request: CacheRequest): Promise<LookedUp | undefined>
  /** The same for an answer that no client makes, by its text, prompt or messages. */
  lookup(request: TextRequest): Promise<LookedUpText | undefined>
  /**
   * Stores an answer that came from elsewhere, under the rules for answers of our own.
   * @param answer the whole answer, or the text of its server-sent events
   * @returns its facts: `stored`, and the `reason` if it was not
   */
  store(request: CacheRequest, answer: object | string): Promise<CacheInfo>
  /** The same for an answer that no client makes: any JSON, or a text. One that JSON cannot hold is not stored. */
  store(request: TextRequest, answer: unknown): Promise<CacheInfo>
  /**
   * The stored answer to a request by its text, or the one that `make` makes, once for all who ask at the same time. Modes, TTLs, stale answers
   * and counts are as for a client. Each caller gets a copy. What JSON cannot hold is returned as it is, and not stored.
   * @throws {InvalidOptionError} for a request that cannot be
   */
  getOrCreate<Value>(request: TextRequest, make: () => Value | Promise<Value>): Promise<Value>
  /**
   * The stored answer to a call of any operation, or the one that `origin` fetches, once for all who ask at the same time. It is what the
   * adapters for frameworks are made of. Modes, TTLs, stale answers, counts and prices are as for a client. An answer may hold what JSON can,
   * dates, bytes and URLs; one that holds anything else is returned as it is, and not stored.
   * @param origin fetches the answer, of which a copy is stored
   * @returns the answer and its facts. Rejects as `origin` does.
   * @throws {InvalidOptionError} for a call that cannot be
   */
  call<Answer, Part = unknown>(
    call: OriginCall<Answer, Part> & { readonly stream?: false },
    origin: (context: OriginContext) => Answer | PromiseLike<Answer>,
  ): Promise<CalledAnswer<Answer>>
  /** The same for an answer in parts. A later caller gets them from the first one on, while they still come. */
  call<Part, Answer = unknown>(
    call: OriginCall<Answer, Part> & { readonly stream: true },
    origin: (context: OriginContext) => AsyncIterable<Part> | PromiseLike<AsyncIterable<Part>>,
  ): Promise<CalledParts<Part>>
  /**
   * The scope of the calls of a client, for `lookup`, `store` and `explain` to meet them: the cache's scope, else a digest of the client's
   * static credential. The headers of a single call are not in it.
   * @throws {InvalidOptionError} for an unknown client, or if a function gives the scope of each call
   */
  scopeOf(client: object): string
  /** The value under a key of your own, or `undefined`. Each caller gets its own copy. */
  get<Value = unknown>(key: ValueKey<Value>): Promise<Value | undefined>
  /**
   * Keeps a value that JSON can hold under a key of your own.
   * @param ttl @default the TTL of the operation `value`, else the default one
   * @returns whether it is kept. One of more than `maxEntryBytes` is not, and what was under the key is removed
   * @throws {NotKeyableError} when JSON cannot hold the value
   */
  set<Value>(key: ValueKey<Value>, value: Value, ttl?: Duration): Promise<boolean>
  /** Whether there is a fresh value under a key of your own. */
  has(key: string): Promise<boolean>
  /**
   * Removes the value under a key of your own. What another process holds in its memory stays there for `maxMemoryTtl` at the most.
   * @returns whether every tier did so
   */
  del(key: string): Promise<boolean>
  /** Declares everything in the namespace outdated: answers and values. */
  clear(): Promise<void>
  /** Removes the values whose keys match a pattern such as `'user:*'`. @returns how many there were */
  delByPattern(pattern: string): Promise<number>
  /** The value under a key of your own, else what `make` makes, once for all calls at the same time. `ttl` is as for `set`.
   * What JSON cannot hold is returned as it is, and not kept. */
  wrap<Value>(key: ValueKey<Value>, ttl: Duration | undefined, make: () => Value | Promise<Value>): Promise<Value>
  /** Like `wrap`, but from `staleTtl` to `maxTtl` the old value is served at once while a new one is made. */
  wrapSWR<Value>(key: ValueKey<Value>, staleTtl: Duration, maxTtl: Duration, make: () => Value | Promise<Value>): Promise<Value>
  /**
   * Seconds for which what is under a key is still fresh: a key of your own, or that of an answer. 0 if it is only good enough to be served
   * stale, `undefined` if there is nothing.
   */
  ttl(key: string): Promise<number | undefined>
  /**
   * What is in memory and in the store, one by one and without the bodies. Entries that are written or removed meanwhile may be told or not,
   * and one may be told twice. A store is read page by page, so that its size does not matter.
   * @throws {InvalidOptionError} for an unknown filter
   * @throws {StoreError} while it is read, if the store cannot list its keys, or fails to
   */
  entries(filter?: EntryFilter): AsyncIterableIterator<CacheEntry>
  /**
   * What hits saved by day, scope, operation or model, in all processes over one store; `savings: true` of the cache keeps it. Days are those of
   * UTC. What another process counted in the last seconds may be missing.
   * @throws {InvalidOptionError} if the cache does not keep savings, or an option cannot be
   */
  savings(options?: SavingsOptions): Promise<Savings>
  /** Bytes and entries in the hot memory now, and how many bytes it may hold. Walks all entries. */
  memory(): { readonly bytes: number; readonly entries: number; readonly maxBytes: number }
  /**
   * Resolves when every write was passed to the store: on serverless, before the handler returns.
   * @returns whether the store took all answers and values that were written since the last flush; always `true` without a store
   */
  flush(): Promise<boolean>
  /** Writes what waits and closes the store. Later calls are answered from memory and by the provider. */
  close(): Promise<void>
}

const engines = Symbol.for('llmemo.engine@1')

/**
 * A cache. Without options: 64 MiB of memory, answers fresh for an hour.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function createCache(options: CacheOptions = {}): Cache {
  const engine = new Engine(readOptions(options))
  const values = new ValueCache(engine)
  const cache: Cache = {
    stats() {
      engine.told.together.flush()
      return engine.stats.snapshot()
    },
    on: (name, listener) => engine.events.on(name, listener),
    invalidate: (what) => invalidate(engine, values, what),
    with(options, work) {
      assertCallOptions(options, '')
      callable('work', work)
      return engine.settings.ambient.run(options, work)
    },
    forget: (answer) => forget(engine, answer),
    explain: explainer(engine),
    lookup: looker(engine),
    store: (request: CacheRequest | TextRequest, answer: unknown) => store(engine, request, answer),
    getOrCreate: async (request, make) => getOrMake(engine, textCall(request), callable('make', make)),
    call: originCaller(engine),
    scopeOf: (client) => scopeOf(engine, client),
    get: (key) => values.get(key),
    set: (key, value, ttl) => values.set(key, value, ttl),
    has: (key) => values.has(key),
    del: (key) => values.del(key),
    clear: async () => void (await engine.invalidate([everything])),
    delByPattern: async (pattern) => (await values.delByPattern(pattern)).count,
    wrap: async (key, ttl, make) => values.wrap(key, ttl, callable('make', make)),
    wrapSWR: async (key, staleTtl, maxTtl, make) => values.wrapSWR(key, staleTtl, maxTtl, callable('make', make)),
    ttl: (key) => ttlOf(engine, key),
    entries: (filter = {}) => entries(engine, filter),
    memory: () => engine.tiers.memory(),
    savings: async (given = {}) => savings(engine, given),
    flush: () => flush(engine),
    close: () => close(engine),
    [Symbol.asyncDispose]: () => close(engine),
  }
  return Object.defineProperty(cache, engines, { value: engine })
}

async function flush({ ledger, lost, tiers }: Engine): Promise<boolean> {
  const [tookAll] = await Promise.all([lost.noneBy(tiers.flush()), ledger?.flush()])
  return tookAll
}

async function close(engine: Engine): Promise<void> {
  await engine.ledger?.flush()
  await engine.tiers.close()
}

/** The engine of a cache that any copy of llmemo made; `undefined` for anything else. */
export function engineOf(cache: unknown): Engine | undefined {
  const engine: unknown = typeof cache === 'object' && cache !== null ? Reflect.get(cache, engines) : undefined
  // The symbol is ours, so what lies under it is an engine, if perhaps of another copy of this package.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof engine === 'object' && engine !== null ? (engine as Engine) : undefined
}

function scopeOf({ settings }: Engine, client: unknown): string {
  if (settings.scopeOfCall !== undefined) {
    throw new InvalidOptionError(
      'scope',
      settings.scopeOfCall,
      'no function here, as that gives each described request its scope by itself',
    )
  }
  const scope = typeof client === 'object' && client !== null ? scopeOfClient(client) : undefined
  if (scope === undefined) throw new InvalidOptionError('client', client, 'a client of OpenAI, Anthropic or Bedrock')
  return settings.scope ?? scope
}

async function invalidate(engine: Engine, values: ValueCache, what: Invalidation): Promise<boolean> {
  const found = selected(what)
  if ('labels' in found) return engine.invalidate(found.labels)
  if ('key' in found) return engine.forget([found.key])
  return (await values.delByPattern(found.pattern)).isDone
}

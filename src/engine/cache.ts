/**
 * The cache as its user holds it.
 * @module
 */
import type { CacheInfo, CallOptions } from '../call.ts'
import { assertCallOptions } from '../call.ts'
import type { Duration } from '../duration.ts'
import type { CacheEvents } from '../events.ts'
import { InvalidOptionError } from '../errors.ts'
import { differ, explainKey, type KeyDifference, type KeyExplanation } from '../key/explain.ts'
import type { KeyParts } from '../key/key.ts'
import { type Endpoint, isJsonObject, type JsonObject } from '../providers/endpoint.ts'
import { openaiEndpoints } from '../providers/openai.ts'
import { parseEvents } from '../stream/server-sent-events.ts'
import { Aside, type ValueKey } from './aside.ts'
import { Engine } from './engine.ts'
import type { Fate } from './facts.ts'
import { everything } from './generations.ts'
import { type CacheOptions, readOptions } from './options.ts'
import { type Call, keyParts, type Plan, planCall } from './plan.ts'
import type { CacheStats } from './stats.ts'

/** A request as `lookup`, `store` and `explain` take it: what a wrapped client would send, and what the call would ask of the cache. */
export interface CacheRequest extends CallOptions {
  /** @default 'openai' */
  readonly provider?: string
  /** `chat.completions`, `responses`, `embeddings`… */
  readonly endpoint: string
  /** The request's body. */
  readonly body: object
  /** The base URL that would be asked. @default 'https://api.openai.com/v1' */
  readonly origin?: string
  /** Request headers that can change the answer. @default none */
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that was looked up, and its cache facts. */
export interface LookedUp {
  /** The whole answer, as the provider's JSON. */
  readonly answer: Record<string, unknown>
  readonly info: CacheInfo
}

/** What to declare outdated; exactly one of these. */
export interface Invalidation {
  /** Every answer that has any of these tags. */
  readonly tags?: readonly string[]
  /** Every answer of calls with this operation. */
  readonly operation?: string
  /** Every answer of calls that asked for this model. */
  readonly model?: string
  /** Every answer of this scope. */
  readonly scope?: string
  /** Every value of the caller's own whose key matches: `'user:*'`. */
  readonly pattern?: string
  /** Everything in the namespace. */
  readonly all?: true
}

/** A cache of answers. Made by {@link createCache}. */
export interface Cache {
  /** What the cache did and saved since it was made. */
  stats(): CacheStats
  /**
   * Calls `listener` at each event of that name.
   * @returns a function that ends it
   * @throws {InvalidOptionError} for a name that is no event's
   */
  on<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => unknown): () => void
  /**
   * Declares answers outdated, in every process that shares the store. Answers that are on their way are handed out but not stored.
   * @returns whether every tier knows of it now; `false` after a fault of the store
   * @throws {InvalidOptionError} when there is not exactly one selector
   */
  invalidate(what: Invalidation): Promise<boolean>
  /**
   * The parts that a request's key is made of, or the first difference between two requests: why did this miss?
   * @throws {NotKeyableError} when no key can be made of a request
   */
  explain(request: CacheRequest): KeyExplanation
  explain(first: CacheRequest, second: CacheRequest): KeyDifference
  /** The stored answer to a request, or `undefined`. Counts as a hit or a miss. */
  lookup(request: CacheRequest): Promise<LookedUp | undefined>
  /**
   * Stores an answer that came from elsewhere, under the rules for answers of our own.
   * @param answer the whole answer, or the text of its server-sent events
   * @returns its facts: `stored`, and the `reason` if it was not
   */
  store(request: CacheRequest, answer: object | string): CacheInfo
  /** The value under a key of your own, or `undefined`. Each caller gets his own copy. */
  get<Value = unknown>(key: ValueKey<Value>): Promise<Value | undefined>
  /**
   * Keeps a value that JSON can hold under a key of your own.
   * @param ttl @default the TTL of the operation `value`, else the default one
   * @throws {NotKeyableError} when JSON cannot hold the value
   */
  set<Value>(key: ValueKey<Value>, value: Value, ttl?: Duration): Promise<void>
  /** Whether there is a fresh value under a key of your own. */
  has(key: string): Promise<boolean>
  /** Removes the value under a key of your own. @returns whether every tier did so */
  del(key: string): Promise<boolean>
  /** Declares everything in the namespace outdated: answers and values. */
  clear(): Promise<void>
  /** Removes the values whose keys match a pattern such as `'user:*'`. @returns how many there were */
  delByPattern(pattern: string): Promise<number>
  /** The value under a key of your own, else what `make` makes, once for all who ask at the same time. `ttl` is as for `set`. */
  wrap<Value>(key: ValueKey<Value>, ttl: Duration | undefined, make: () => Value | Promise<Value>): Promise<Value>
  /** Like `wrap`, but from `staleTtl` to `maxTtl` the old value is served at once while a new one is made. */
  wrapSWR<Value>(key: ValueKey<Value>, staleTtl: Duration, maxTtl: Duration, make: () => Value | Promise<Value>): Promise<Value>
  /** Bytes and entries in the hot memory now. Walks all entries. */
  memory(): { readonly bytes: number; readonly entries: number }
  /** Resolves when every write was handed to the store: on serverless, before the handler returns. */
  flush(): Promise<void>
  /** Writes what waits and lets go of the store. Calls made later are answered by memory and the origin. */
  close(): Promise<void>
  /** Flushes and closes at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>
}

const engines = Symbol.for('llmemo.engine')

/**
 * A cache. Without options: 64 MiB of memory, answers fresh for an hour.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function createCache(options: CacheOptions = {}): Cache {
  const engine = new Engine(readOptions(options))
  const aside = new Aside(engine)
  const cache: Cache = {
    stats: () => engine.stats.snapshot(),
    on: (name, listener) => engine.events.on(name, listener),
    invalidate: (what) => invalidate(engine, aside, what),
    explain: explainer(engine),
    lookup: (request) => lookup(engine, request),
    store: (request, answer) => store(engine, request, answer),
    get: (key) => aside.get(key),
    set: async (key, value, ttl) => aside.set(key, value, ttl),
    has: (key) => aside.has(key),
    del: (key) => aside.del(key),
    clear: async () => void (await engine.invalidate([everything])),
    delByPattern: (pattern) => aside.delByPattern(pattern),
    wrap: (key, ttl, make) => aside.wrap(key, ttl, make),
    wrapSWR: (key, staleTtl, maxTtl, make) => aside.wrapSWR(key, staleTtl, maxTtl, make),
    memory: () => engine.memory(),
    flush: () => engine.flush(),
    close: () => engine.close(),
    [Symbol.asyncDispose]: () => engine.close(),
  }
  return Object.defineProperty(cache, engines, { value: engine })
}

/** The engine of a cache that any copy of llmemo made; `undefined` for anything else. */
export function engineOf(cache: unknown): Engine | undefined {
  const engine: unknown = typeof cache === 'object' && cache !== null ? Reflect.get(cache, engines) : undefined
  // The symbol is ours, so what lies under it is an engine, if perhaps of another copy of this package.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof engine === 'object' && engine !== null ? (engine as Engine) : undefined
}

const selectors = ['tags', 'operation', 'model', 'scope', 'pattern', 'all'] as const

async function invalidate(engine: Engine, aside: Aside, what: Invalidation): Promise<boolean> {
  const allowed = `an object with exactly one of ${selectors.join(', ')}`
  if (!isJsonObject(what)) throw new InvalidOptionError('invalidate', what, allowed)
  const names = Object.keys(what)
  const [name] = names
  const selector = selectors.find((each) => each === name)
  if (names.length !== 1 || selector === undefined) throw new InvalidOptionError('invalidate', names.join(', '), allowed)
  const { tags, all, pattern } = what
  if (selector === 'pattern') {
    if (typeof pattern !== 'string') throw new InvalidOptionError('invalidate.pattern', pattern, "a pattern such as 'user:*'")
    return (await aside.delByPattern(pattern)) >= 0
  }
  if (selector === 'all') {
    if (all !== true) throw new InvalidOptionError('invalidate.all', all, 'true')
    return engine.invalidate([everything])
  }
  if (selector === 'tags') {
    if (!Array.isArray(tags) || tags.length === 0 || !tags.every((tag) => typeof tag === 'string')) {
      throw new InvalidOptionError('invalidate.tags', tags, 'an array of at least one text')
    }
    return engine.invalidate(tags.map((tag: string) => `tag:${tag}`))
  }
  const value = what[selector]
  if (typeof value !== 'string') throw new InvalidOptionError(`invalidate.${selector}`, value, 'a text')
  return engine.invalidate([`${selector}:${value}`])
}

function explainer(engine: Engine): Cache['explain'] {
  const { canonical } = engine.settings
  const parts = (request: CacheRequest): KeyParts => keyParts(callOf(request), engine.settings)
  function explain(first: CacheRequest): KeyExplanation
  function explain(first: CacheRequest, second: CacheRequest): KeyDifference
  function explain(first: CacheRequest, second?: CacheRequest): KeyExplanation | KeyDifference {
    return second === undefined ? explainKey(parts(first), canonical) : differ(parts(first), parts(second), canonical)
  }
  return explain
}

async function lookup(engine: Engine, request: CacheRequest): Promise<LookedUp | undefined> {
  const plan = planCall(callOf(request), engine.settings)
  if ('reason' in plan) {
    engine.bypass(plan)
    return undefined
  }
  const found = await engine.find(plan)
  const text = found?.entry.body
  const { streaming } = plan.endpoint
  if (found === undefined || typeof text !== 'string' || (found.remaining <= 0 && plan.mode !== 'force-cache')) {
    engine.miss(plan)
    return undefined
  }
  const answer: unknown = found.entry.head.kind === 'sse' ? streaming?.assemble(parseEvents(text)) : JSON.parse(text)
  return isJsonObject(answer) ? { answer, info: engine.hit(plan, found) } : undefined
}

function store(engine: Engine, request: CacheRequest, answer: object | string): CacheInfo {
  const plan = planCall(callOf(request), engine.settings)
  if ('reason' in plan) return engine.bypass(plan)
  const { endpoint } = plan
  const whole = typeof answer === 'string' ? endpoint.streaming?.assemble(parseEvents(answer)) : answer
  const fate: Fate = { stored: false, reason: undefined, usage: undefined, model: plan.model, latency: 0 }
  if (isJsonObject(whole)) engine.store(plan, engine.begin(plan), draftOf(plan, endpoint, whole, answer), fate)
  else engine.skip(plan, 'incomplete', fate)
  return engine.info(plan, { hit: false, source: 'origin', age: 0, ttl: plan.ttl, stale: false }, fate)
}

function draftOf(plan: Plan, endpoint: Endpoint, whole: JsonObject, answer: object | string) {
  const { model } = whole
  const streamed = typeof answer === 'string'
  return {
    kind: streamed ? ('sse' as const) : ('json' as const),
    body: streamed ? answer : JSON.stringify(answer),
    status: 200,
    headers: { 'content-type': streamed ? 'text/event-stream; charset=utf-8' : 'application/json' },
    model: typeof model === 'string' ? model : plan.model,
    usage: endpoint.usage(whole),
    reason: endpoint.judge(whole),
    latency: 0,
  }
}

/** A request by its description. @throws {InvalidOptionError} when it names no endpoint that is known */
function callOf(request: CacheRequest): Call {
  if (!isJsonObject(request)) throw new InvalidOptionError('request', request, 'an object with endpoint and body')
  const { provider = 'openai', endpoint: name, body, origin = 'https://api.openai.com/v1', headers = {}, ...options } = request
  const endpoint = openaiEndpoints.find((each) => each.provider === provider && each.name === name)
  if (endpoint === undefined) throw new InvalidOptionError('endpoint', name, openaiEndpoints.map((each) => each.name).join(', '))
  if (!isJsonObject(body)) throw new InvalidOptionError('body', body, "the request's body as an object")
  assertCallOptions(options)
  return { endpoint, origin, headers, request: body, credential: '', options }
}

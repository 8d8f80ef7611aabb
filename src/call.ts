/**
 * One call as its caller sees it: what he may ask of the cache, and what the cache tells him.
 * @module
 */
import { type Duration, milliseconds } from './duration.ts'
import { InvalidOptionError } from './errors.ts'
import { assertKnown, wholeNumber } from './base/option-checks.ts'

/**
 * How a call uses the cache, in the words of fetch's own cache modes.
 * `default`: a fresh answer is served, a missing one is fetched and stored. `no-store`: neither read nor written.
 * `reload`: not read, but stored. `only-if-cached`: read, never fetched. `force-cache`: as `default`, but stale is good enough.
 * Source: https://fetch.spec.whatwg.org/#concept-request-cache-mode
 */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'only-if-cached' | 'force-cache'

/** What a single call may ask of the cache. */
export interface CallOptions {
  /** How this call uses the cache. @default 'default' */
  readonly mode?: CacheMode
  /** How long the answer is fresh, in place of the operation's TTL. Seconds, or `'10m'`. */
  readonly ttl?: Duration
  /** What the call is for, and so which TTL applies. @default the endpoint's own: `chat`, `responses`, `embeddings`… */
  readonly operation?: string
  /** Whatever else the answer depends on; any JSON. Part of the key. */
  readonly context?: unknown
  /** Names by which the answer can be invalidated. */
  readonly tags?: readonly string[]
  /** Whose answer this is: two scopes never share an entry. @default the cache's scope, else a digest of the client's static credential */
  readonly scope?: string
  /** Which of several answers to the same question. @default 0 */
  readonly variant?: number
}

/** Where an answer came from. A store of your own is named by its `name`. */
export type Source = 'memory' | 'sqlite' | 'redis' | 'dynamodb' | 'flight' | 'origin' | (string & {})

/** The cache facts of one result. */
export interface CacheInfo {
  /** Whether the provider was spared a call. */
  readonly hit: boolean
  readonly source: Source
  /** Seconds since the answer was made; 0 when it is new. */
  readonly age: number
  /** Seconds that the answer is still fresh; 0 when it is stale or was not stored. */
  readonly ttl: number
  /** The key in full, 64 hex digits; empty when the call bypassed the cache before a key was made. */
  readonly key: string
  readonly operation: string
  readonly scope: string
  /** Whether the answer was served past its TTL. */
  readonly stale: boolean
  /** Whether the answer now lies in the cache. A stream's is known at its end. */
  readonly stored: boolean
  /** Why the call bypassed the cache, or why its answer was not stored; absent otherwise. */
  readonly reason?: string | undefined
  /** US dollars that this hit saved; 0 on a miss, `null` when the model's price or the answer's usage is unknown. */
  readonly savedUsd: number | null
  /** Tokens, input and output, that this hit saved; 0 on a miss, `null` when the answer's usage is unknown. */
  readonly savedTokens: number | null
  /** Milliseconds that the provider took when it made the answer, saved by this hit; 0 on a miss. */
  readonly savedMs: number
}

/** Per-call options as they are given in the SDK's request options. */
export interface CacheRequestOptions {
  /** Neither read nor write the cache in this call; the same as `cache: { mode: 'no-store' }`. @default false */
  bypassCache?: boolean
  /** How this call uses the cache. */
  cache?: CallOptions
}

const modes: readonly CacheMode[] = ['default', 'no-store', 'reload', 'only-if-cached', 'force-cache']
const known = ['mode', 'ttl', 'operation', 'context', 'tags', 'scope', 'variant']

/**
 * `value` as call options; a slip is an error at the call, by name.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function assertCallOptions(value: unknown): asserts value is CallOptions {
  assertKnown('cache.', value, known)
  // Read as whoever uses them will read them, inherited ones too.
  const options: Record<string, unknown> = Object.fromEntries(known.map((name): [string, unknown] => [name, Reflect.get(value, name)]))
  const { mode, ttl, operation, tags, scope, variant } = options
  if (mode !== undefined && !isCacheMode(mode)) throw new InvalidOptionError('cache.mode', mode, `one of ${modes.join(', ')}`)
  if (ttl !== undefined) milliseconds('cache.ttl', ttl)
  if (operation !== undefined && (typeof operation !== 'string' || operation === '')) {
    throw new InvalidOptionError('cache.operation', operation, 'a text that is not empty')
  }
  if (scope !== undefined && typeof scope !== 'string') throw new InvalidOptionError('cache.scope', scope, 'a text')
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== ''))) {
    throw new InvalidOptionError('cache.tags', tags, 'an array of texts that are not empty')
  }
  if (variant !== undefined) wholeNumber('cache.variant', variant, { least: 0 })
}

/** Whether `value` is one of fetch's cache modes that the cache has a meaning for. */
export function isCacheMode(value: unknown): value is CacheMode {
  return modes.some((mode) => mode === value)
}

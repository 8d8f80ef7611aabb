/**
 * One call as its caller sees it: what he may ask of the cache, and what the cache tells him.
 * @module
 */
import type { Duration } from './duration.ts'

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

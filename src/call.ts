/**
 * One call from its caller's side: its options for the cache, and what the cache says about the result.
 * @module
 */
import type { Duration } from './duration.ts'

/**
 * How a call uses the cache, named after the cache modes of fetch.
 * - `default`: serve a fresh answer; fetch and store a missing one.
 * - `no-store`: neither read nor write.
 * - `reload`: do not read, but store.
 * - `only-if-cached`: read, and never call the provider.
 * - `force-cache`: as `default`, but serve a stale answer too.
 * Source: https://fetch.spec.whatwg.org/#concept-request-cache-mode
 */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'only-if-cached' | 'force-cache'

/** Cache options of a single call. */
export interface CallOptions {
  /** How this call uses the cache. @default 'default' */
  readonly mode?: CacheMode
  /** How long the answer is fresh, instead of the operation's TTL. Seconds, or `'10m'`. */
  readonly ttl?: Duration
  /** What the call is for. It selects the TTL. @default the endpoint's own: `chat`, `responses`, `embeddings`… */
  readonly operation?: string
  /** Anything else that the answer depends on; any JSON. Part of the key. */
  readonly context?: unknown
  /** Names by which the answer can be invalidated. */
  readonly tags?: readonly string[]
  /** Owner of the answer: two scopes never share an entry. It must not be `undefined` if it is given. @default the cache's scope, else a digest of the client's static credential */
  readonly scope?: string
  /** Number of this answer, when the cache keeps several answers to the same question. @default 0 */
  readonly variant?: number
}

/** Where an answer came from. Your own store appears under its `name`. */
export type Source = 'memory' | 'sqlite' | 'redis' | 'dynamodb' | 'flight' | 'origin' | (string & {})

/** How many inputs of one call were stored, and how many the provider answered. */
export interface InputCounts {
  readonly hits: number
  readonly misses: number
}

/** What the cache says about one result. */
export interface CacheInfo {
  /** Whether the answer came without a call to the provider. */
  readonly hit: boolean
  readonly source: Source
  /** Seconds since the answer was made; 0 for a new one. */
  readonly age: number
  /** Seconds for which the answer is still fresh; 0 when it is stale or was not stored. */
  readonly ttl: number
  /** The full key, 64 hex digits; empty when the call bypassed the cache before a key was made. */
  readonly key: string
  readonly operation: string
  readonly scope: string
  /** Whether the answer was served past its TTL. */
  readonly stale: boolean
  /** Whether the answer is now in the cache; of one to several inputs, whether each part is. For a stream this is known at its end. */
  readonly stored: boolean
  /** Why the call bypassed the cache, or why its answer was not stored; absent otherwise. */
  readonly reason?: string | undefined
  /**
   * Of a call for many inputs, each of which is cached by itself: how many inputs were stored, and how many the provider answered. Absent for
   * other calls. If some were stored, `hit` is false, and what the stored ones saved is in `savedUsd` and `savedTokens`.
   */
  readonly inputs?: InputCounts | undefined
  /** US dollars that this hit saved; 0 on a miss, `null` when the model's price or the answer's usage is unknown. */
  readonly savedUsd: number | null
  /** Tokens, input and output, that this hit saved; 0 on a miss, `null` when the answer's usage is unknown. */
  readonly savedTokens: number | null
  /** Milliseconds that the provider took when it made the answer, saved by this hit; 0 on a miss. */
  readonly savedMs: number
}

/** Cache options of one call, as part of the SDK's request options. */
export interface CacheRequestOptions {
  /** Neither read nor write the cache for this call; the same as `cache: { mode: 'no-store' }`. @default false */
  bypassCache?: boolean
  /** How this call uses the cache. */
  cache?: CallOptions
}

/**
 * What a cache tells of itself: how often it answered, and what that saved.
 * @module
 */

/** What one model, one operation or one source has to show. */
export interface StatsRow {
  /** Calls that the cache answered. */
  readonly hits: number
  /** Calls that the provider had to answer. */
  readonly misses: number
  /** US dollars that the hits saved, as far as it is known. */
  readonly savedUsd: number
  /** Hits of which it is not known how many dollars they saved; they are no part of `savedUsd`. */
  readonly unpricedHits: number
  /** Tokens, input and output, that the hits saved. */
  readonly savedTokens: number
  /** Milliseconds that the provider took when it made these answers. */
  readonly savedMs: number
}

/** What a cache in mode `shadow` could have answered. Every one of these calls went to the provider, and is a miss as well. */
export interface ShadowStats {
  /** Calls that the cache could have answered. */
  readonly hits: number
  /** Those of them for which the provider's new answer said the same as the stored one. */
  readonly same: number
  /** Those of them for which it did not. A call that failed, or whose answer was not complete, is neither. */
  readonly different: number
  /** US dollars that hits would have saved, as far as it is known. */
  readonly savedUsd: number
  /** Such hits of which it is not known how many dollars they would have saved. */
  readonly unpricedHits: number
  /** Tokens, input and output, that hits would have saved. */
  readonly savedTokens: number
  /** Milliseconds that the provider took when it made the stored answers. */
  readonly savedMs: number
}

/** The counts of one cache in one process. A copy: it does not change any more, and changing it changes nothing. */
export interface CacheStats {
  /** When the counting began, in milliseconds since the epoch: when the cache was made, or at the last `reset()`. */
  readonly since: number
  /**
   * Calls that the cache answered, from a store or by joining a call that was already on its way. A call for many inputs, each of which is
   * cached by itself, counts once for each input; so it does in `misses`.
   */
  readonly hits: number
  /** Calls that the cache could have answered but had no answer to. */
  readonly misses: number
  /** Calls that went past the cache. They count neither as hits nor as misses. */
  readonly bypasses: number
  /** Requests that passed through unseen, as they are none of an endpoint that is known. They count neither as hits nor as bypasses. */
  readonly pass: number
  /** Why calls went past the cache: reason to number of calls. */
  readonly bypassReasons: Readonly<Record<string, number>>
  /** Faults of the cache itself: of a store, a damaged entry. None of them reached a caller. */
  readonly errors: number
  /** Which faults: kind to number. */
  readonly errorKinds: Readonly<Record<string, number>>
  /** Answers that were stored. */
  readonly stored: number
  /** Answers that were not stored, and why: reason to number of answers. */
  readonly skipped: Readonly<Record<string, number>>
  /** Hits that were served past their TTL; they are part of `hits`. */
  readonly stale: number
  /** Entries that the memory let go to keep within its size. */
  readonly evictions: number
  /** Writes to a store that were given up, because too many waited or the store was out of order. */
  readonly droppedWrites: number
  /** Calls of `invalidate`. */
  readonly invalidations: number
  /** `hits / (hits + misses)`, from 0 to 1; 0 when there was neither. */
  readonly hitRate: number
  /** US dollars that the hits saved, as far as it is known. What the provider's own prompt cache saved is not ours and not in it. */
  readonly savedUsd: number
  /** Hits of which it is not known how many dollars they saved: the answer says no usage, or the model has no price. Not in `savedUsd`. */
  readonly unpricedHits: number
  /** Tokens, input and output, that the hits saved. */
  readonly savedTokens: number
  /** Input tokens that the hits saved. */
  readonly savedInputTokens: number
  /** Output tokens that the hits saved. */
  readonly savedOutputTokens: number
  /** Milliseconds that the provider took when it made the answers that were hit. */
  readonly savedMs: number
  /** Tokens, input and output, that calls to the provider really used. A hit adds nothing to it. */
  readonly spentTokens: number
  /** US dollars that calls to the provider cost, as far as it is known. */
  readonly spentUsd: number
  /** Calls to the provider of which the cost is not known; they are no part of `spentUsd`. */
  readonly unpricedMisses: number
  /** By model. After a thousand names, further ones are counted under `other`; so it is in every table here. */
  readonly byModel: Readonly<Record<string, StatsRow>>
  /** By operation. */
  readonly byOperation: Readonly<Record<string, StatsRow>>
  /** By where the answer came from. Misses are counted under `origin`. */
  readonly bySource: Readonly<Record<string, StatsRow>>
  /** By scope. Without a scope of the cache or the call, that is the digest of the client's static credential. */
  readonly byScope: Readonly<Record<string, StatsRow>>
  /** What a cache in mode `shadow` could have answered. */
  readonly shadow: ShadowStats
  /** Sets the counters of the cache to zero, and counts from now on. These counts stay as they are. */
  reset(): void
}

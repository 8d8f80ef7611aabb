/**
 * llmemo: one line of code caches the answers of an LLM SDK.
 * Stores that need other packages or modules have entry points of their own: `llmemo/sqlite`.
 * @module
 */

export { cacheInfo } from './clients/cache-info.ts'
export { cacheOf } from './clients/cache-of.ts'
export { cachingFetch, storedAnswers, withCache } from './clients/with-cache.ts'
export { createCacheKey } from './cache/value-key.ts'
export { createCache } from './cache/cache.ts'
export { globMatcher } from './cache/glob.ts'
export { isNotCached, type NotCached, type NotCachedReason } from './not-cached.ts'
export { memoryStore } from './stores/memory-store.ts'
export { systemClock } from './clock.ts'

export { DeadlineError, EntryError, InvalidOptionError, LlmemoError, NotKeyableError, StoreError, UnknownClientError } from './errors.ts'

export type { CacheInfo, CacheMode, CacheRequestOptions, CallOptions, InputCounts, Source } from './call.ts'
export type { Fetch } from './clients/http/caching-fetch.ts'
export type { CachingFetchOptions, HeaderUse } from './clients/http/fetch-options.ts'
export type { RequestHead, StoredAnswer, StoredAnswers } from './clients/http/stored-answers.ts'
export type { CachedAnthropic } from './clients/anthropic/types.ts'
export type { CachedBedrock } from './clients/bedrock/types.ts'
export type { FunctionOptions } from './clients/cached-function.ts'
export type { Cached, MaybeCached } from './clients/cached.ts'
export type { CachedCompatible } from './clients/openai/compatible-types.ts'
export type { CachingFetch } from './clients/with-cache.ts'
export type { CachedOpenAi } from './clients/openai/types.ts'
export type { Clock } from './clock.ts'
export type { EncryptionOptions } from './codec/encryption.ts'
export type { Duration } from './duration.ts'
export type { ValueKey } from './cache/value-key.ts'
export type {
  AnswerRules,
  Cache,
  CacheEntry,
  CacheRequest,
  CalledAnswer,
  CalledParts,
  EntryFilter,
  InputRules,
  Invalidation,
  LookedUp,
  LookedUpText,
  OriginCall,
  OriginContext,
  PartRules,
  SavingsOptions,
  TextRequest,
} from './cache/cache.ts'
export type { Savings, SavingsBy } from './engine/ledger.ts'
export type { FreshnessOptions } from './engine/settings/freshness.ts'
export type { KeyOptions, TextFolding } from './engine/settings/key-options.ts'
export type { CacheOptions, Logger, ReplayOptions, ScopedCall, ScopeOfCall } from './engine/settings/options.ts'
export type { SizeOptions } from './engine/settings/sizes.ts'
export type { RecordingMode } from './key/recordings.ts'
export type { CacheWideMode, ShownUsage, SwitchOptions } from './engine/settings/switches.ts'
export type { AnswerFacts, StorePolicy } from './engine/settings/policy.ts'
export type { PriceRule } from './engine/pricing/price-book.ts'
export type { CacheStats, ShadowStats, StatsRow } from './engine/stats/counters.ts'
export type { Usage } from './entry.ts'
export type { ErrorCode } from './errors.ts'
export type {
  AnswerEvent,
  BypassEvent,
  CacheEvents,
  CallEvent,
  EncodeEvent,
  Fault,
  FlightEvent,
  HitEvent,
  HitsEvent,
  KeyEvent,
  LandingEvent,
  MissEvent,
  PassEvent,
  ReadEvent,
  ShadowEvent,
  SkipEvent,
  StoreEvent,
  WriteEvent,
} from './events.ts'
export type { KeyDifference, KeyExplanation } from './key/explain.ts'
export type { KeyParts } from './key/key.ts'
export type { MemoryStoreOptions } from './stores/memory-store.ts'
export type { ChannelListener, ReadOptions, Store, StoreWrite, WriteOptions } from './store.ts'
export { defineEndpoint, type DefinedEndpoint, type EndpointDefinition, type StreamDefinition } from './providers/define-endpoint.ts'
export type { PerInput } from './providers/endpoint.ts'

/**
 * The type of a wrapped client.
 * @module
 */
import type { AnyAnthropic, CachedAnthropic } from './anthropic/types.ts'
import type { AnyBedrock, CachedBedrock } from './bedrock/types.ts'
import type { AnyGemini, CachedGemini } from './gemini/types.ts'
import type { AnyCompatible, CachedCompatible } from './openai/compatible-types.ts'
import type { AnyOpenAi, CachedOpenAi, MaybeCachedOpenAi } from './openai/types.ts'
import type { MaybeFacts } from './sdk-types.ts'

/** A client as `withCache` returns it. If the types of its SDK are known, its methods take the cache's options and return its facts. */
export type Cached<Client> = Client extends AnyOpenAi
  ? CachedOpenAi<Client>
  : Client extends AnyAnthropic
    ? CachedAnthropic<Client>
    : Client extends AnyBedrock
      ? CachedBedrock<Client>
      : Client extends AnyGemini
        ? CachedGemini<Client>
        : Client extends AnyCompatible
          ? CachedCompatible<Client>
          : Client extends (...given: infer Given) => infer Value
            ? (...given: Given) => Promise<Awaited<Value>>
            : Client

/**
 * A client that may be wrapped or not, for functions that take both: its methods take the cache's options, which a bare client ignores, and
 * their results may have `_cache`.
 */
export type MaybeCached<Client> = Client extends AnyOpenAi
  ? MaybeCachedOpenAi<Client>
  : Client extends AnyAnthropic
    ? CachedAnthropic<Client, MaybeFacts>
    : Client extends AnyBedrock
      ? CachedBedrock<Client, MaybeFacts>
      : Client extends AnyGemini
        ? CachedGemini<Client, MaybeFacts>
        : Client extends AnyCompatible
          ? CachedCompatible<Client, MaybeFacts>
          : Client

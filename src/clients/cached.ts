/**
 * The type of a wrapped client.
 * @module
 */
import type { AnyAnthropic, CachedAnthropic } from './anthropic/types.ts'
import type { AnyBedrock, CachedBedrock } from './bedrock/types.ts'
import type { AnyOpenAi, CachedOpenAi } from './openai/types.ts'

/** A client as `withCache` returns it. If the types of its SDK are known, its methods take the cache's options and return its facts. */
export type Cached<Client> = Client extends AnyOpenAi
  ? CachedOpenAi<Client>
  : Client extends AnyAnthropic
    ? CachedAnthropic<Client>
    : Client extends AnyBedrock
      ? CachedBedrock<Client>
      : Client

/**
 * What a client becomes by being wrapped.
 * @module
 */
import type { AnyAnthropic, CachedAnthropic } from './anthropic/types.ts'
import type { AnyBedrock, CachedBedrock } from './bedrock/types.ts'
import type { AnyOpenAi, CachedOpenAi } from './openai/types.ts'

/** A client as `withCache` gives it: more capable where the types of its SDK are known. */
export type Cached<Client> = Client extends AnyOpenAi
  ? CachedOpenAi<Client>
  : Client extends AnyAnthropic
    ? CachedAnthropic<Client>
    : Client extends AnyBedrock
      ? CachedBedrock<Client>
      : Client

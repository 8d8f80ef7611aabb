/**
 * The cache facts of one result, as the caller reads them in `_cache`.
 * @module
 */
import type { CacheInfo, Source } from '../call.ts'
import type { Usage } from '../entry.ts'
import { roundDollars } from './pricing/dollars.ts'
import type { PriceBook } from './pricing/price-book.ts'

/** What became of an answer on its way into the cache. It fills in as a stream goes on. */
export interface Fate {
  stored: boolean
  reason: string | undefined
  /** What the answer cost, once it is known. */
  usage: Usage | undefined
  /** The model that answered, once it is known. */
  model: string
  /** Milliseconds that the provider took, once it is known. */
  latency: number
}

/** What is known of a result when it is handed out. Times are milliseconds. */
export interface Facts {
  readonly hit: boolean
  readonly source: Source
  readonly age: number
  readonly ttl: number
  readonly key: string
  readonly operation: string
  readonly scope: string
  readonly stale: boolean
  readonly provider: string
  readonly origin: string
  readonly fate: Fate
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** The facts as the caller reads them. What is not known yet is told by its getter as soon as it is. */
export function cacheInfoOf(facts: Facts, prices: PriceBook | undefined): CacheInfo {
  const { hit, fate } = facts
  const info: CacheInfo = {
    hit,
    source: facts.source,
    age: Math.floor(facts.age / 1_000),
    get ttl() {
      return fate.stored ? Math.max(0, Math.ceil(facts.ttl / 1_000)) : 0
    },
    key: facts.key,
    operation: facts.operation,
    scope: facts.scope,
    stale: facts.stale,
    get stored() {
      return fate.stored
    },
    get reason() {
      return fate.reason
    },
    get savedUsd() {
      if (!hit) return 0
      if (fate.usage === undefined || prices === undefined) return null
      const price = prices.price(fate.usage, { provider: facts.provider, model: fate.model, origin: facts.origin })
      return price === null ? null : roundDollars(price)
    },
    get savedTokens() {
      if (!hit) return 0
      return fate.usage === undefined ? null : fate.usage.input + fate.usage.output
    },
    get savedMs() {
      return hit ? Math.round(fate.latency) : 0
    },
  }
  // Without this Node prints `[Getter]` for each fact that may still change.
  return Object.defineProperty(info, inspect, { value: () => ({ ...info }) })
}

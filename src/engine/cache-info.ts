/**
 * The cache facts of one result, as the caller reads them in `_cache`.
 * @module
 */
import type { CacheInfo, InputCounts, Source } from '../call.ts'
import { addUsage, type Entry, type Usage } from '../entry.ts'
import { roundDollars } from './pricing/dollars.ts'
import type { PriceBook, PriceFacts } from './pricing/price-book.ts'

/** What a call cost its caller. It fills in while a stream goes on. */
export interface Metering {
  /** Tokens, once they are known. */
  usage: Usage | undefined
  /** The model that answered, once it is known. */
  model: string
  /** Milliseconds that the provider took, once they are known. */
  latency: number
}

/** Whether an answer was stored, and what it cost. It fills in while a stream goes on. */
export interface StoreOutcome {
  stored: boolean
  /** Why the answer was not stored. */
  reason: string | undefined
  readonly metering: Metering
  /** Milliseconds for which the answer is fresh, if that is less than the call's own TTL. */
  ttl?: number
  /** The part of the answer that was stored, of a call whose inputs are cached one by one. */
  reused?: Reused
  /** What becomes of the other parts of such a call. */
  parts?: StoreOutcome[]
}

/** Whether the answer is in the cache. One in parts is, if each of them is. */
export function isStored({ stored, parts = [] }: StoreOutcome): boolean {
  return stored && parts.every(isStored)
}

/** Why the answer, or one of its parts, is not in the cache. */
function reasonOf({ reason, parts = [] }: StoreOutcome): string | undefined {
  return reason ?? parts.find((part) => part.reason !== undefined)?.reason
}

/** Milliseconds for which the answer and each of its parts is fresh, at the most. */
function freshFor({ ttl = Infinity, parts = [] }: StoreOutcome): number {
  return parts.reduce((least, part) => Math.min(least, freshFor(part)), ttl)
}

/** Stored inputs of a call that the provider had to answer for the rest. */
export interface Reused {
  /** What their answers had used. */
  readonly usage: Usage | undefined
}

/** The outcome of a call that a stored answer serves. */
export function outcomeOf({ head: { usage, model, latency } }: Pick<Entry, 'head'>): StoreOutcome {
  return { stored: true, reason: undefined, metering: { usage, model, latency } }
}

/** Notes what a complete answer cost. */
export function noteCost({ metering }: StoreOutcome, { usage, latency, model }: Metering): void {
  metering.usage = usage
  metering.latency = latency
  if (model !== '') metering.model = model
}

/** What the whole answer used: the part that the provider gave now, and the part that was stored. */
export function wholeUsage({ metering: { usage }, reused }: StoreOutcome): Usage | undefined {
  if (reused === undefined || usage === undefined) return usage
  return reused.usage === undefined ? undefined : addUsage(usage, reused.usage)
}

/** What is known of a result when the caller gets it. Times are milliseconds. */
export interface Facts {
  readonly hit: boolean
  readonly source: Source
  readonly age: number
  readonly ttl: number
  readonly key: string
  readonly operation: string
  readonly scope: string
  readonly stale: boolean
  readonly inputs?: InputCounts | undefined
  /** The keys under which the answer is stored, if that is done in parts. */
  readonly inputKeys?: readonly string[] | undefined
  readonly provider: string
  readonly origin: string
  readonly outcome: StoreOutcome
}

const storedKeys = Symbol.for('llmemo.storedKeys')

/** The keys under which the answer with these facts is stored; none if it bypassed the cache. */
export function storedKeysOf(info: CacheInfo): readonly string[] {
  const keys: unknown = Reflect.get(info, storedKeys)
  return Array.isArray(keys) ? keys.filter((key): key is string => typeof key === 'string') : info.key === '' ? [] : [info.key]
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** The facts as the caller reads them. A getter gives what is not known yet as soon as it is known. */
export function cacheInfoOf(facts: Facts, prices: PriceBook | undefined): CacheInfo {
  const { hit, outcome, inputs } = facts
  const isSaved = (): boolean => hit || outcome.reused !== undefined
  const savedUsage = (): Usage | undefined => (hit ? wholeUsage(outcome) : outcome.reused?.usage)
  const info: CacheInfo = {
    hit,
    source: facts.source,
    age: Math.floor(facts.age / 1_000),
    get ttl() {
      return isStored(outcome) ? Math.max(0, Math.ceil(Math.min(facts.ttl, freshFor(outcome)) / 1_000)) : 0
    },
    key: facts.key,
    operation: facts.operation,
    scope: facts.scope,
    stale: facts.stale,
    get stored() {
      return isStored(outcome)
    },
    get reason() {
      return reasonOf(outcome)
    },
    ...(inputs && { inputs }),
    get savedUsd() {
      if (!isSaved()) return 0
      const usage = savedUsage()
      return dollarsOf(prices, usage, { provider: facts.provider, model: outcome.metering.model, origin: facts.origin })
    },
    get savedTokens() {
      if (!isSaved()) return 0
      const usage = savedUsage()
      return usage === undefined ? null : usage.input + usage.output
    },
    get savedMs() {
      return hit ? Math.round(outcome.metering.latency) : 0
    },
  }
  if (facts.inputKeys !== undefined) Object.defineProperty(info, storedKeys, { value: facts.inputKeys, configurable: true })
  // Without this Node prints `[Getter]` for each fact that may still change.
  return Object.defineProperty(info, inspect, { value: () => ({ ...info }) })
}

/** What an answer with this usage costs, as it is shown; `null` if that is not known. */
export function dollarsOf(prices: PriceBook | undefined, usage: Usage | undefined, facts: PriceFacts): number | null {
  const price = usage === undefined ? undefined : prices?.price(usage, facts)
  return price === undefined || price === null ? null : roundDollars(price)
}

/** The facts of a result, made when they are first read: most callers never do, and they are made of a dozen functions. */
export class LaterInfo {
  readonly #facts: Facts
  readonly #prices: PriceBook | undefined
  #info: CacheInfo | undefined

  constructor(facts: Facts, prices: PriceBook | undefined) {
    this.#facts = facts
    this.#prices = prices
  }

  get source(): Source {
    return this.#info?.source ?? this.#facts.source
  }

  /** The facts, the same each time. */
  get info(): CacheInfo {
    return (this.#info ??= cacheInfoOf(this.#facts, this.#prices))
  }
}

/** Gives `info`, which the caller has already, the facts of `other`. */
export function replaceFacts(info: CacheInfo, other: CacheInfo): void {
  const { [inspect]: _, ...facts }: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(other)
  Object.defineProperties(info, facts)
}

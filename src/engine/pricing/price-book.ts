/**
 * What an answer costs in US dollars: by the user's own rules first, then by what the provider itself says, then by the table of
 * `@pydantic/genai-prices`.
 * That table is large, so it is loaded only when a price is asked for. An unknown price is `null`, never 0.
 * @module
 */
import { builtinModule } from '../../base/runtime.ts'
import type { Provider, calcPrice, findProvider } from '@pydantic/genai-prices'
import type { Usage } from '../../entry.ts'
import { providerNamed } from '../../providers/catalogue.ts'
import type { PriceRule } from './price-rules.ts'
import { corrections, findRule, isConsistent, priceByRule, priceRules, withoutDate } from './price-rules.ts'

export type { PriceRule } from './price-rules.ts'

/** What a price depends on besides the usage. */
export interface PriceFacts {
  /** `openai`, `azure`, `anthropic`, `aws-bedrock`, or another name that `@pydantic/genai-prices` knows. */
  readonly provider: string
  /** The model that answered. */
  readonly model: string
  /** The base URL of the provider. It tells apart the servers that speak OpenAI's protocol: Groq, Together, OpenRouter, Azure. */
  readonly origin?: string
  /** The time whose prices count, in milliseconds since the epoch. @default now */
  readonly at?: number
}

/** Tells what answers cost. */
export interface PriceBook {
  /**
   * Begins to load the price table in the background; a second call does nothing more.
   * @returns a promise that is fulfilled when the table is there or has turned out to be missing; it is never rejected.
   */
  load(): Promise<void>
  /**
   * What an answer with this usage costs, in US dollars; `null` when that is not known. It never throws.
   * The first price that needs the table loads it at once, some 40 ms, unless {@link PriceBook.load} was faster.
   */
  price(usage: Usage, facts: PriceFacts): number | null
}

/** The part of `@pydantic/genai-prices` that is used. */
export interface PriceTable {
  readonly calcPrice: typeof calcPrice
  readonly findProvider: typeof findProvider
}

/** Where the price table comes from. What it yields is checked. */
export interface PriceTableSource {
  /** Loads the module without blocking. */
  load(): Promise<unknown>
  /** Loads the module before it returns. */
  loadNow(): unknown
}

const installed: PriceTableSource = {
  // The names are literal so that bundlers see them.
  load: () => import('@pydantic/genai-prices'),
  loadNow() {
    // A bundle in CommonJS may have no import.meta.url; the working directory is the best guess that is left.
    const url: string | undefined = import.meta.url
    return builtinModule((load) => load('node:module'))?.createRequire?.(url ?? `${globalThis.process.cwd()}/`)('@pydantic/genai-prices')
  },
}

/** Prices change by the quarter of an hour at most (off-peak discounts), so for a minute the same question has the same answer. */
const minute = 60_000

/** How many models, how many prices of each, and how many prices of all are remembered. */
const remembered = 1_000
const rememberedInAll = 10_000

/**
 * Characters of a model's name, or of a base URL, that has a price: the longest that a provider takes. Rules and the table are not searched
 * for a longer one, which may be a megabyte.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, the length of `modelId`
 */
export const maxPricedName = 2_048

/**
 * A price book.
 * @param rules the user's own prices, which come before all others
 * @param source where the price table comes from; @default the installed `@pydantic/genai-prices`
 * @throws {InvalidOptionError} that names the first field of a rule which cannot be: `prices[2].input`
 */
export function createPriceBook(rules?: readonly PriceRule[], source: PriceTableSource = installed): PriceBook {
  const ruled = priceRules('prices', rules)
  let tablePrice: PriceBook['price'] | undefined
  let table: PriceTable | undefined
  let loading: Promise<void> | undefined
  let triedNow = false

  async function load(): Promise<void> {
    try {
      const loaded = await source.load()
      if (isPriceTable(loaded)) table ??= loaded
    } catch {
      // Without the package prices are unknown, which is what `null` says.
    }
  }

  function tableNow(): PriceTable | undefined {
    if (table !== undefined || triedNow) return table
    triedNow = true
    try {
      const loaded = source.loadNow()
      if (isPriceTable(loaded)) table = loaded
    } catch {
      // A bundle may hold the package where only load() finds it; until that has, prices are unknown.
    }
    return table
  }

  return {
    load() {
      loading ??= table === undefined ? load() : Promise.resolve()
      return loading
    },
    price(usage, facts) {
      if (!isConsistent(usage)) return null
      if ([facts.model, facts.origin ?? ''].some((name) => name.length > maxPricedName)) return usage.cost ?? null
      const own = findRule(ruled, facts.provider, facts.model)
      if (own === undefined && usage.cost !== undefined) return usage.cost
      const rule = own ?? findRule(corrections, facts.provider, facts.model)
      if (rule !== undefined) return priceByRule(rule, usage)
      tablePrice ??= pricesOf(tableNow())
      return tablePrice?.(usage, facts) ?? null
    },
  }
}

function isPriceTable(value: unknown): value is PriceTable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'calcPrice') === 'function' &&
    typeof Reflect.get(value, 'findProvider') === 'function'
  )
}

/** A model in the table: the provider with this one model, so that the table need not search again, and the id that it was found by. */
interface Listed {
  readonly provider: Provider
  readonly model: string
  /** Prices by usage. */
  readonly prices: Map<string, number | null>
}

/**
 * Prices by the table. Searching it and dividing the usage up take some 20 µs, so what was asked is remembered, though for a minute only:
 * prices change with the time of day, and a program may update the table while it runs.
 */
function pricesOf(table: PriceTable | undefined): PriceBook['price'] | undefined {
  if (table === undefined) return undefined
  const listed = new Map<string, Listed | null>()
  let time = Number.NaN
  let prices = 0

  return (usage, facts) => {
    const at = facts.at ?? Date.now()
    if (Math.floor(at / minute) !== time || listed.size >= remembered || prices >= rememberedInAll) {
      time = Math.floor(at / minute)
      prices = 0
      listed.clear()
    }
    const name = JSON.stringify([facts.provider, facts.origin, facts.model])
    let found = listed.get(name)
    if (found === undefined) {
      found = search(table, facts)
      listed.set(name, found)
    }
    if (found === null) return null
    const { input, output, cacheRead, cacheWrite, cacheWriteHour, audioInput, audioOutput } = usage
    const question = `${input} ${output} ${cacheRead} ${cacheWrite} ${cacheWriteHour} ${audioInput} ${audioOutput}`
    let price = found.prices.get(question)
    if (price === undefined) {
      price = calculate(table, found, { usage, at })
      if (found.prices.size >= remembered) found.prices.clear()
      found.prices.set(question, price)
      prices++
    }
    return price
  }
}

function search(table: PriceTable, facts: PriceFacts): Listed | null {
  try {
    const providerId = providerIdOf(table, facts)
    for (const model of new Set([facts.model, withoutDate(facts.model)])) {
      const result = table.calcPrice({}, model, { providerId })
      if (result !== null) return { provider: { ...result.provider, models: [result.model] }, model, prices: new Map() }
    }
    return null
  } catch {
    return null
  }
}

function calculate(
  table: PriceTable,
  { provider, model }: Listed,
  { usage, at }: { readonly usage: Usage; readonly at: number },
): number | null {
  try {
    const result = table.calcPrice(tableUsage(usage), model, { provider, timestamp: new Date(at) })
    if (result === null) return null
    // Some models are priced by the hour or the page, and the table then makes nothing of their tokens: that is unknown, not free.
    const { input_mtok: inputPrice, output_mtok: outputPrice } = result.model_price
    if (inputPrice === undefined && outputPrice === undefined) return null
    if ((usage.input > 0 && inputPrice === undefined) || (usage.output > 0 && outputPrice === undefined)) return null
    return Number.isFinite(result.total_price) ? result.total_price : null
  } catch {
    // The table throws on usage that it cannot divide up, such as cached audio where cached audio has a price of its own.
    return null
  }
}

/**
 * The provider that is paid, by the table's name. A host that the table does not know (a proxy, a gateway, a stand-in) counts as the
 * provider itself: models of other makers are then unknown, as the provider has none of that name.
 */
function providerIdOf(table: PriceTable, { provider: name, origin }: PriceFacts): string {
  const provider = providerNamed(name)
  const own = provider?.priceTableName ?? name
  if (provider?.hasOtherHosts !== true || origin === undefined) return own
  return table.findProvider({ providerApiUrl: origin })?.id ?? own
}

/**
 * Usage in the table's words, in which `cache_write_tokens` is the whole of what was written.
 * Source: https://github.com/pydantic/genai-prices/tree/main/packages/js
 */
function tableUsage({ input, output, cacheRead = 0, cacheWrite = 0, cacheWriteHour = 0, audioInput = 0, audioOutput = 0 }: Usage) {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite + cacheWriteHour,
    cache_write_1h_tokens: cacheWriteHour,
    input_audio_tokens: audioInput,
    output_audio_tokens: audioOutput,
  }
}

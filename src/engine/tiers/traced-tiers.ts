/**
 * The tiers, whose look-ups are told on the tracing channel `llmemo:lookup` while anything subscribes to it.
 * @module
 */
import type { Source } from '../../call.ts'
import { Tracing } from '../../base/tracing.ts'
import type { LookupResult } from '../../lookup-result.ts'
import type { Address } from './entry-reader.ts'
import { Tiers, type TiersOptions } from './tiers.ts'

/** What is told of a look-up; of one for many answers, `keys` of the first. No prompt and no answer. */
export interface TracedLookup {
  /** The full key of what is looked up. */
  readonly key: string
  readonly scope: string
  /** `openai`, `anthropic`…; empty for a value of your own. */
  readonly provider: string
  /** `chat.completions`, `messages`…; empty for a value of your own. */
  readonly endpoint: string
  /** How many answers are looked up. */
  readonly keys: number
  /** How many of them were found, once that is known. Whether one may be served is decided by the call. */
  found?: number
  /** Where the first one was found: `memory`, or the name of the store. */
  source?: Source | undefined
}

/** Tiers that can be followed. */
export class TracedTiers extends Tiers {
  readonly #tracing: Tracing<TracedLookup>
  /** Whether a look-up of many begins, which may look them up one by one at once. */
  #isOfMany = false

  constructor(options: TiersOptions) {
    super(options)
    this.#tracing = new Tracing('llmemo:lookup')
  }

  /** Whether anything subscribes to the look-ups. */
  get isFollowed(): boolean {
    return this.#tracing.isHeard
  }

  override getFromMemory(address: Address): LookupResult | undefined {
    if (!this.#tracing.isHeard) return super.getFromMemory(address)
    return this.#tracing.run(told([address]), () => super.getFromMemory(address), noteOne)
  }

  override get(address: Address, patience = 0): LookupResult | undefined | Promise<LookupResult | undefined> {
    if (!this.#tracing.isHeard || this.#isOfMany) return super.get(address, patience)
    return this.#tracing.run(told([address]), () => super.get(address, patience), noteOne)
  }

  override async getMany(addresses: readonly Address[], patience = 0): Promise<(LookupResult | undefined)[]> {
    if (!this.#tracing.isHeard) return super.getMany(addresses, patience)
    const begin = (): Promise<(LookupResult | undefined)[]> => {
      this.#isOfMany = true
      try {
        return super.getMany(addresses, patience)
      } finally {
        this.#isOfMany = false
      }
    }
    return this.#tracing.run(told(addresses), begin, noteMany)
  }
}

function told(addresses: readonly Address[]): TracedLookup {
  const [first] = addresses
  const { key = '', scope = '', endpoint } = first ?? {}
  return { key, scope, provider: endpoint?.provider ?? '', endpoint: endpoint?.name ?? '', keys: addresses.length }
}

function noteOne(context: TracedLookup, found: LookupResult | undefined): void {
  noteMany(context, [found])
}

function noteMany(context: TracedLookup, results: readonly (LookupResult | undefined)[]): void {
  const found = results.filter((each) => each !== undefined)
  context.found = found.length
  context.source = found[0]?.source
}

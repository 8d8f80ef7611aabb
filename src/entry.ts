/**
 * One stored answer: its head, which describes it, and its body.
 * @module
 */

/** The tokens of an answer, as counted by the provider. A count that the provider did not give is absent. */
export interface Usage {
  /** All input tokens, including those read from or written to the provider's own prompt cache. */
  readonly input: number
  /** All output tokens, including reasoning. */
  readonly output: number
  /** Input tokens that the provider read from its own prompt cache. */
  readonly cacheRead?: number
  /**
   * Input tokens that the provider wrote to its own prompt cache. When it reports each cache lifetime separately: only those kept for five
   * minutes.
   */
  readonly cacheWrite?: number
  /** Input tokens that the provider wrote to its own prompt cache for one hour. */
  readonly cacheWriteHour?: number
  /** Audio tokens of the input. */
  readonly audioInput?: number
  /** Audio tokens of the output. */
  readonly audioOutput?: number
  /** US dollars that the answer cost, if the provider itself says so. */
  readonly cost?: number
}

/** The part that a recorded stream lacks if its events cannot be put together to a whole answer. It serves streams only. */
export const wholePart = 'whole'

/** The part that only some requests for a stream ask for. */
export const usagePart = 'usage'

/**
 * What stands in place of {@link usagePart} among the parts that a stream lacks, if the provider sent the usage though the request did not ask
 * for it. Such a stream also serves a call that asks for a whole answer. It does not serve a stream that asks for the usage, which may then
 * stand in another chunk.
 */
export const unaskedUsage = 'unasked usage'

/** The sum of two usages. A count that one of them lacks is that of the other; the cost is known only if both say it. */
export function addUsage(first: Usage, second: Usage): Usage {
  const total: { -readonly [Name in keyof Usage]: Usage[Name] } = {
    ...first,
    input: first.input + second.input,
    output: first.output + second.output,
  }
  for (const name of optionalCounts) {
    const added = second[name]
    if (added !== undefined) total[name] = (total[name] ?? 0) + added
  }
  delete total.cost
  if (first.cost !== undefined && second.cost !== undefined) total.cost = first.cost + second.cost
  return total
}

const optionalCounts = ['cacheRead', 'cacheWrite', 'cacheWriteHour', 'audioInput', 'audioOutput'] as const

/**
 * A usage that code of the user's gives, or an SDK: `undefined` unless all that it counts are numbers from 0. A count that is no number is not
 * known, and neither sums nor a store could hold it.
 */
export function countedUsage(given: Usage | undefined): Usage | undefined {
  if (typeof given !== 'object' || given === null || !isCount(given.input) || !isCount(given.output)) return undefined
  const usage: { -readonly [Name in keyof Usage]: Usage[Name] } = { input: given.input, output: given.output }
  for (const name of [...optionalCounts, 'cost'] as const) {
    const count: unknown = given[name]
    if (count === undefined || count === null) continue
    if (!isCount(count)) return undefined
    usage[name] = count
  }
  return usage
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * The format of a body.
 * `json`: the answer's JSON text. `sse`: the provider's server-sent events, as sent. `bytes`: binary.
 */
export type BodyKind = 'json' | 'sse' | 'bytes'

/** The description of an entry. All of it can be stored as JSON. */
export interface EntryHead {
  /** The full key, compared on every read. */
  readonly key: string
  /** The scope of the key, compared on every read. */
  readonly scope: string
  /** The namespace of the cache, compared on every read. Absent in older entries. */
  readonly namespace?: string
  readonly provider: string
  readonly endpoint: string
  readonly operation: string
  /** The model that answered; by the provider's answer if it names one. */
  readonly model: string
  readonly kind: BodyKind
  /** When the answer was complete, in milliseconds since the epoch. */
  readonly storedAt: number
  /** How long the answer is fresh, in milliseconds from `storedAt`. */
  readonly ttl: number
  /** How long the answer may be served stale after that, in milliseconds. */
  readonly stale: number
  readonly tags: readonly string[]
  /** The labels by which the entry can be invalidated. Each has its generation at the start of the call, or `''` if it had none. */
  readonly generations: Readonly<Record<string, string>>
  /** The status of the provider's answer. */
  readonly status: number
  /** Headers of the provider's answer that are still true when it is replayed; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Parts that the caller did not ask for and that the body therefore lacks, such as the usage of a stream. */
  readonly omits: readonly string[]
  readonly usage?: Usage
  /** How long the provider took for the whole answer, in milliseconds. */
  readonly latency: number
}

/** One stored answer. Callers share entries, so an entry must never be changed. */
export interface Entry {
  readonly head: EntryHead
  /** Text for the kinds `json` and `sse`, bytes for `bytes`. */
  readonly body: string | Uint8Array
}

/**
 * One stored answer: its head, which says what it is, and its body.
 * @module
 */

/** The tokens that an answer cost, as the provider counted them. A count that the provider did not give is absent. */
export interface Usage {
  /** All input tokens, those read from or written to the provider's own prompt cache included. */
  readonly input: number
  /** All output tokens, reasoning included. */
  readonly output: number
  /** Input tokens that the provider read from its own prompt cache. */
  readonly cacheRead?: number
  /** Input tokens that the provider wrote to its own prompt cache (for five minutes, where it tells durations apart). */
  readonly cacheWrite?: number
  /** Input tokens that the provider wrote to its own prompt cache for one hour. */
  readonly cacheWriteHour?: number
  /** Of the input, the audio tokens. */
  readonly audioInput?: number
  /** Of the output, the audio tokens. */
  readonly audioOutput?: number
}

/**
 * How a body is written.
 * `json`: the answer's JSON text. `sse`: the provider's server-sent events, as sent. `bytes`: binary.
 */
export type BodyKind = 'json' | 'sse' | 'bytes'

/** What an entry says of itself. Everything in it can be stored as JSON. */
export interface EntryHead {
  /** The whole key, compared on every read. */
  readonly key: string
  /** The scope that the key was made with, compared on every read. */
  readonly scope: string
  readonly provider: string
  readonly endpoint: string
  readonly operation: string
  /** The model that answered, by the provider's word where it gave one. */
  readonly model: string
  readonly kind: BodyKind
  /** When the answer was complete, in milliseconds since the epoch. */
  readonly storedAt: number
  /** How long the answer is fresh, in milliseconds from `storedAt`. */
  readonly ttl: number
  /** How long it may be served stale after that, in milliseconds. */
  readonly stale: number
  readonly tags: readonly string[]
  /** The labels by which the entry can be invalidated, each with its generation when the fill began; `''` where it had none. */
  readonly generations: Readonly<Record<string, string>>
  /** The status of the provider's answer. */
  readonly status: number
  /** Those headers of the provider's answer that still mean something on a replay, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Parts that the caller had not asked for and the body therefore lacks: a stream without its usage. */
  readonly omits: readonly string[]
  readonly usage?: Usage
  /** How long the provider took to answer in full, in milliseconds. */
  readonly latency: number
}

/** One stored answer. Entries are shared between callers and never changed. */
export interface Entry {
  readonly head: EntryHead
  /** Text for the kinds `json` and `sse`, bytes for `bytes`. */
  readonly body: string | Uint8Array
}

/**
 * What must be known of one endpoint of one provider. Pure: no SDK, no I/O.
 * @module
 */
import type { Usage } from '../entry.ts'
import type { JsonObject } from '../json/object.ts'
import type { ServerEvent } from '../base/server-sent-events.ts'

/** How the streamed form of an answer relates to the whole one. */
export interface Streaming {
  /**
   * The whole answer that the events of a complete stream amount to, losing nothing.
   * `undefined` when the protocol's own end mark is missing, or an error event stands among them: such a stream is not complete.
   */
  assemble(events: readonly ServerEvent[]): JsonObject | undefined
  /** The events in which the provider would have streamed this whole answer to this request. `assemble` gives the answer back. */
  disassemble(answer: JsonObject, request: JsonObject): ServerEvent[]
  /** The recorded events as this request would have got them: without the usage that it did not ask for. */
  adapt?(events: readonly ServerEvent[], request: JsonObject): ServerEvent[]
}

/** How a request for many inputs at once is taken apart, so that each input is cached by itself. */
export interface PerInput {
  /** One request for each input, in order; `undefined` when this request cannot be taken apart. */
  split(request: JsonObject): JsonObject[] | undefined
  /** The one request for all of these single ones, which `split` made of `request`. */
  unite(request: JsonObject, singles: readonly JsonObject[]): JsonObject
  /** One whole answer for each of the single requests that `answer` answers together; `undefined` when it does not. */
  share(answer: JsonObject, singles: readonly JsonObject[]): JsonObject[] | undefined
  /** The answer to all at once, of the answers to the single requests, in order. */
  join(answers: readonly JsonObject[]): JsonObject
}

/** One endpoint of one provider: what is cacheable, what ends a stream, what was used, whole and streamed. */
export interface Endpoint {
  /** `openai`. Part of the key. */
  readonly provider: string
  /** `chat.completions`. Part of the key. */
  readonly name: string
  /** The last part of the URL's path: `/chat/completions`. */
  readonly path: string
  /** What a call is for when its caller does not say: `chat`. */
  readonly operation: string
  /** Top-level request fields that cannot change an answer and are no part of the key. */
  readonly ignored: readonly string[]
  /** Whether the answer is bytes rather than JSON. @default false */
  readonly binary?: boolean
  /** Whether an answer may be plain text rather than JSON. @default false */
  readonly plain?: boolean
  /** How a request for many inputs is taken apart. @default such a request is one question like any other */
  readonly perInput?: PerInput
  /** How streams are served; without it, a streamed and a whole answer are different answers and `stream` is part of the key. */
  readonly streaming?: Streaming
  /** Whether the events of a stream hold the protocol's end mark, where there is no {@link Streaming}. Without it such streams are not stored. */
  readonly complete?: (events: readonly ServerEvent[]) => boolean
  /** Why a request must not be cached, or `undefined`. */
  bypassReason(request: JsonObject): string | undefined
  /** The request with spellings that the provider defines as the same made one. Never changes its argument. @default as it is */
  readonly normalise?: (request: JsonObject) => JsonObject
  /** Facets that this request does not ask for and its answer therefore lacks: `['usage']`. @default none */
  readonly missingParts?: (request: JsonObject) => readonly string[]
  /** Why a whole answer must not be stored by default, or `undefined` when it is complete and successful. */
  skipReason(answer: JsonObject): string | undefined
  /** The tokens that a whole answer cost, or `undefined` when it does not say. */
  usage(answer: JsonObject): Usage | undefined
}

/**
 * What the cache must know of one endpoint of one provider. Pure: no SDK, no I/O.
 * @module
 */
import type { Usage } from '../entry.ts'
import type { JsonObject } from '../json/object.ts'
import type { RequestPlace } from '../json/places.ts'
import type { ServerEvent } from '../base/server-sent-events.ts'

/** How the streamed form of an answer relates to the whole one. */
export interface Streaming {
  /**
   * The whole answer that the events of a complete stream add up to. It loses nothing.
   * `undefined` if the protocol's own end mark is missing, or one of the events is an error: such a stream is not complete.
   */
  assemble(events: readonly ServerEvent[]): JsonObject | undefined
  /**
   * For a stream that cannot be assembled. If it is complete by the protocol and only its parts cannot be merged: as much of the answer as
   * decides whether it is stored; such a stream is replayed as it is. Else why it is not to be stored: `error` for one with an error,
   * `malformed` for one that has its end mark and cannot be read; `undefined` if it has no end mark.
   */
  outline?(events: readonly ServerEvent[]): JsonObject | string | undefined
  /** The events in which the provider would have streamed this whole answer to this request. `assemble` makes the answer of them again. */
  disassemble(answer: JsonObject, request: JsonObject): ServerEvent[]
  /** The recorded events as this request would have got them: without the usage if it does not ask for it. */
  adapt?(events: readonly ServerEvent[], request: JsonObject): ServerEvent[]
  /** How the stream gets its usage, if the provider gives it only on request. */
  readonly usageOnRequest?: UsageOnRequest
}

/** How a stream gets its usage from a provider that gives it only on request. */
export interface UsageOnRequest {
  /** Whether the servers of that host are known to give the usage on request, and to change nothing else. */
  isKnownHost(hostname: string): boolean
  /** The members that a request must have so that it asks for the usage. */
  ask(request: JsonObject): JsonObject
  /** The text of one event, with its end, as a request would get it that does not ask: `''` if it gets no such event. */
  remove(text: string): string
}

/** How a request for many inputs at once is taken apart, so that each input is cached by itself. */
export interface PerInput {
  /** One request for each input, in order; `undefined` if this request cannot be taken apart. */
  split(request: JsonObject): JsonObject[] | undefined
  /** One request for all of these single ones, which `split` made of `request`. */
  unite(request: JsonObject, singles: readonly JsonObject[]): JsonObject
  /** One whole answer for each of the single requests, out of an answer to all of them; `undefined` if it does not answer all. */
  share(answer: JsonObject, singles: readonly JsonObject[]): JsonObject[] | undefined
  /** The answer to one request for all, made of the answers to the single requests, in order. */
  join(answers: readonly JsonObject[]): JsonObject
}

/**
 * Fields that only say how the answer is sent. If an endpoint ignores one of them, it does so under every host: one entry serves both forms.
 * A gateway may route by any other field.
 */
export const deliveryFields: readonly string[] = ['stream', 'stream_options']

/** One endpoint of one provider: what is cacheable, what ends a stream, what was used, whole and streamed. */
export interface Endpoint {
  /** `openai`. Part of the key. */
  readonly provider: string
  /** `chat.completions`. Part of the key. */
  readonly name: string
  /** The last part of the URL's path: `/chat/completions`. */
  readonly path: string
  /** The operation of a call whose caller names none: `chat`. */
  readonly operation: string
  /**
   * Top-level request fields that cannot change an answer of the provider itself. Under its own hosts they are not part of the key; under
   * another host they are, except {@link deliveryFields}.
   */
  readonly ignored: readonly string[]
  /**
   * The place of the whole request: which of its objects count in any order, and which of its texts are prose.
   * @default only the request itself counts in any order, and no text is prose
   */
  readonly place?: RequestPlace
  /** Whether the answer is bytes rather than JSON. @default false */
  readonly binary?: boolean
  /** Whether an answer may be plain text rather than JSON. @default false */
  readonly plain?: boolean
  /** How a request for many inputs is taken apart. @default it is not: such a request has one entry */
  readonly perInput?: PerInput
  /** Whether `perInput.join` and `usage` take long texts and lists of numbers as they are, without looking at them. @default false */
  readonly joinsUnread?: boolean
  /** How streams and whole answers are made of each other. Without it they are different answers, and `stream` is part of the key. */
  readonly streaming?: Streaming
  /**
   * Whether a stream has the protocol's end mark, for an endpoint without {@link Streaming}; a text if it has, and says why it is not to be
   * stored. Without this function, such streams are not stored.
   */
  readonly complete?: (events: readonly ServerEvent[]) => boolean | string
  /** Why a request must not be cached, or `undefined`. */
  bypassReason(request: JsonObject): string | undefined
  /** The request with one spelling for what the provider defines as the same. It never changes its argument. @default the request as it is */
  readonly normalise?: (request: JsonObject) => JsonObject
  /** The request that a client makes of what a described call gives as its body. @default the body itself */
  readonly described?: (body: JsonObject) => JsonObject
  /** Parts that the answer lacks as this request does not ask for them: `['usage']`. @default none */
  readonly missingParts?: (request: JsonObject) => readonly string[]
  /** Why a whole answer must not be stored by default, or `undefined` if it is complete and successful. */
  skipReason(answer: JsonObject): string | undefined
  /**
   * When something that a whole answer names is deleted at the provider, in milliseconds since the epoch; `undefined` if it names no such
   * thing. The answer is not served any longer. `now` is when the answer came.
   */
  readonly expiresAt?: (answer: JsonObject, now: number) => number | undefined
  /** The tokens that a whole answer used, or `undefined` if it does not say. */
  usage(answer: JsonObject): Usage | undefined
}

/**
 * Calls of any operation, described by their caller, whose answers the caller's own function fetches: what is asked, and what the cache must
 * know of the answers.
 * @module
 */
import type { CacheInfo, CallOptions } from '../call.ts'
import type { Usage } from '../entry.ts'

/**
 * A call of any operation, for `cache.call`. Two calls are equal if all that is said to be part of the key is equal, and the options `context`,
 * `scope` and `variant`.
 */
export interface OriginCall<Answer = unknown, Part = unknown> extends CallOptions {
  /** Who answers: `openai`, `google`… Part of the key, and the price is found by it. */
  readonly provider: string
  /** What of the provider is called: `chat`, `embeddings`… Part of the key, and the operation of a call that names none. @default as `operation` */
  readonly endpoint?: string
  /** All that the answer depends on: what JSON can hold, and bytes. Part of the key. */
  readonly request: object
  /** The model that is asked. Part of the key. @default the member `model` of the request, if it is a text */
  readonly model?: string
  /** The base URL that is asked. Part of the key. @default none */
  readonly origin?: string
  /** Headers that are sent. Those that can change an answer are part of the key. @default none */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /**
   * What the call proves itself by, such as an API key. Its digest is the scope of a call that has none otherwise. `''` is none.
   * @default the headers that prove who asks: `authorization`, `x-api-key`, `cookie`…
   */
  readonly credential?: string
  /** Ends the wait of this caller. The call to the provider ends when no caller waits for it. @default none */
  readonly signal?: AbortSignal | undefined
  /** Whether the answer comes in parts. @default false */
  readonly stream?: boolean
  /** Options that hold where neither the call nor `cache.with` gives one: those of an adapter for all its calls. @default none */
  readonly defaults?: CallOptions
  /** What the cache must know of the answers. Keep one object for all calls of a kind. @default every answer is stored, and has no usage */
  readonly rules?: AnswerRules<Answer, Part>
}

/** What the cache must know of the answers to a call. None of the functions may change what it is given. */
export interface AnswerRules<Answer = unknown, Part = unknown> {
  /** The tokens that an answer used. @default unknown */
  usage?(answer: Answer): Usage | undefined
  /** The model that gave an answer. @default the model that was asked */
  model?(answer: Answer): string | undefined
  /** Why an answer is not stored unless `policy` allows it: `'length'`, `'empty'`… @default every answer is stored */
  skipReason?(answer: Answer): string | undefined
  /** How answers come in parts. @default a stream is stored if it ends without an error, and is another answer than a whole one */
  readonly parts?: PartRules<Answer, Part>
  /** How a request for many inputs is taken apart, so that each is cached by itself. @default it is not */
  readonly inputs?: InputRules<Answer>
}

/** How the parts of a stream and whole answers are made of each other. */
export interface PartRules<Answer = unknown, Part = unknown> {
  /** The whole answer that the parts add up to; `undefined` if they are not complete. */
  assemble(parts: readonly Part[]): Answer | undefined
  /** The parts in which a whole answer would have come. */
  disassemble(answer: Answer): Part[]
  /** Whether a part is stored. @default every part */
  isKept?(part: Part): boolean
}

/** How a request for many inputs is taken apart and put together. */
export interface InputRules<Answer = unknown> {
  /** One request for each input, in order; `undefined` if this request cannot be taken apart. */
  split(request: object): object[] | undefined
  /** One request for all of these, which `split` made of `request`. */
  unite(request: object, singles: readonly object[]): object
  /** One answer for each of so many inputs; `undefined` if the answer is not one for all of them. */
  share(answer: Answer, count: number): Answer[] | undefined
  /** One answer, made of the answers to single inputs, in order. */
  join(answers: readonly Answer[]): Answer
}

/** What the function gets that fetches an answer. */
export interface OriginContext {
  /** Fires when no caller waits for the answer any longer. */
  readonly signal: AbortSignal
  /** The request to send: a copy of the caller's as it was when it called, or one for those inputs that are not stored. */
  readonly request: object
}

/** An answer to a call, and its cache facts. */
export interface CalledAnswer<Answer> {
  /** The origin's own object for the call that fetched it, and a copy for all others. */
  readonly answer: Answer
  readonly info: CacheInfo
}

/** An answer in parts, and its cache facts, some of which are known at its end. */
export interface CalledParts<Part> {
  /** Can be read once. To end it early, leave the loop, or call `return`. */
  readonly parts: AsyncIterableIterator<Part, undefined>
  readonly info: CacheInfo
}

/** `call` of a cache. */
export interface CallOrigin {
  <Answer, Part>(
    call: OriginCall<Answer, Part> & { readonly stream: true },
    origin: (context: OriginContext) => AsyncIterable<Part> | PromiseLike<AsyncIterable<Part>>,
  ): Promise<CalledParts<Part>>
  <Answer, Part>(
    call: OriginCall<Answer, Part> & { readonly stream?: false },
    origin: (context: OriginContext) => Answer | PromiseLike<Answer>,
  ): Promise<CalledAnswer<Answer>>
}

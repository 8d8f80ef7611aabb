/**
 * A stored answer as the SDK reads it, without the streams of a `Response`, which would take most of the time of a hit. The SDK reads a few
 * headers and the text. For all else, and for the caller, there is a real `Response`.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import { LazyHeaders } from './lazy-headers.ts'

/** What a {@link LazyResponse} is made of. */
export interface LazyResponseParts {
  readonly status: number
  /** @default '' */
  readonly statusText?: string
  /** The headers that were stored with the answer: the same object for each of its responses. Or `Headers` of this response alone. */
  readonly headers: Readonly<Record<string, string>> | Headers
  readonly url: string
  /** The text, or what reads it. That is called once, unless the real `Response` has it. */
  readonly text: string | (() => Promise<string>)
  /** Makes the cache facts. */
  readonly info: () => CacheInfo
  /**
   * Makes the real `Response`.
   * @param body the text as a stream, which was given out already @default the text
   */
  readonly make: (body?: ReadableStream<Uint8Array>) => Response
}

/** A `Response` that is made only if it is needed. The caller gets what {@link materialise} returns. */
export class LazyResponse implements Response {
  readonly #parts: LazyResponseParts
  #read = false
  #real: Response | undefined
  /** The body, if only that was looked at: a middleware of an SDK does so, and a real `Response` takes ten times as long to be made. */
  #looked: LookedBody | undefined

  constructor(parts: LazyResponseParts) {
    if (!isResponse) becomeResponse()
    this.#parts = parts
  }

  /** Makes the cache facts. */
  get info(): () => CacheInfo {
    return this.#parts.info
  }

  /** The `Response` that this one stands for. It is read if this one is. */
  get real(): Response {
    if (this.#real !== undefined) return this.#real
    const looked = this.#looked
    const isFree = looked !== undefined && !this.#read && !looked.bodyUsed && !looked.body.locked
    this.#real = this.#parts.make(isFree ? looked.body : undefined)
    if (isFree) this.#looked = undefined
    else if (this.#read || looked?.bodyUsed === true) void this.#real.text()
    // Another reader has the body.
    else if (looked !== undefined) this.#real.body?.getReader()
    return this.#real
  }

  get status(): number {
    return this.#parts.status
  }

  get statusText(): string {
    return this.#parts.statusText ?? ''
  }

  get redirected(): boolean {
    return false
  }

  get type(): ResponseType {
    return 'default'
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299
  }

  get url(): string {
    return this.#parts.url
  }

  get headers(): Headers {
    return this.#real?.headers ?? headersOf(this.#parts.headers)
  }

  get body(): Response['body'] {
    if (this.#looked !== undefined) return this.#looked.body
    const { text } = this.#parts
    if (this.#real !== undefined || this.#read || typeof text !== 'string') return this.real.body
    this.#looked = new LookedBody(text)
    return this.#looked.body
  }

  get bodyUsed(): boolean {
    return this.#read || (this.#looked ?? this.#real)?.bodyUsed === true
  }

  /** The text, which then counts as read; `undefined` if it was read before, or if only the real `Response` has it. */
  take(): string | Promise<string> | undefined {
    if (this.#read) return undefined
    const { text } = this.#parts
    const given = this.#looked ?? this.#real
    if (given !== undefined && (typeof text !== 'string' || !markRead(given))) return undefined
    this.#read = true
    return typeof text === 'string' ? text : text()
  }

  async text(): Promise<string> {
    return this.take() ?? this.real.text()
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  clone(): Response {
    return this.real.clone()
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.real.arrayBuffer()
  }

  blob(): Promise<Blob> {
    return this.real.blob()
  }

  bytes(): ReturnType<Response['bytes']> {
    return this.real.bytes()
  }

  formData(): Promise<FormData> {
    return this.real.formData()
  }
}

/** The text as the body of a response, and whether it was read. */
class LookedBody {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  bodyUsed = false

  constructor(text: string) {
    this.body = new ReadableStream({
      type: 'bytes',
      pull: (controller) => {
        this.bodyUsed = true
        if (text !== '') controller.enqueue(new TextEncoder().encode(text))
        controller.close()
        // A reader with a buffer of its own waits for an answer.
        controller.byobRequest?.respond(0)
      },
      cancel: () => {
        this.bodyUsed = true
      },
    })
  }
}

/**
 * Leaves a response as one that was read, without reading it: a middleware of an SDK looks at the body, which is then never read by another
 * way than ours. @returns false for a response that can no longer be read
 */
function markRead({ bodyUsed, body }: Pick<Response, 'bodyUsed' | 'body'>): boolean {
  if (bodyUsed || body === null || body.locked) return false
  void body.getReader().cancel()
  return true
}

let isResponse = false

/** A middleware of the caller's may ask what it has. Not done at import: to name `Response` loads the platform's whole `fetch`. */
function becomeResponse(): void {
  Object.setPrototypeOf(LazyResponse.prototype, Response.prototype)
  isResponse = true
}

/** Stored headers as `Headers`. To make them takes as long as to look up an answer, so they are made once for each answer. */
const headersByAnswer = new WeakMap<object, Headers>()

function headersOf(kept: LazyResponseParts['headers']): Headers {
  if (kept instanceof LazyHeaders || kept instanceof Headers) return kept
  const known = headersByAnswer.get(kept)
  if (known !== undefined) return known
  const headers = new Headers(kept)
  headersByAnswer.set(kept, headers)
  return headers
}

/** The response for the caller: a real `Response` in place of a lazy one. */
export function materialise(response: Response): Response {
  return response instanceof LazyResponse ? response.real : response
}

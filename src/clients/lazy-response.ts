/**
 * A stored answer as the SDK reads it, without the streams that a `Response` is made of: these take most of the time of a hit. The SDK
 * reads a few headers and the text; for whatever else is asked, and for the caller, there is a real `Response`.
 * @module
 */
import type { CacheInfo } from '../call.ts'

/** What a {@link LazyResponse} is made of. */
export interface LazyResponseParts {
  readonly status: number
  /** Those headers that were kept with the answer: the same object for each of its responses. */
  readonly headers: Readonly<Record<string, string>>
  readonly url: string
  readonly text: string
  /** Tells the cache facts. */
  readonly info: () => CacheInfo
  /** Makes the real one. */
  readonly make: () => Response
}

/** A `Response` that is made when it is needed. A caller is to have the {@link materialise}. */
export class LazyResponse implements Response {
  readonly #parts: LazyResponseParts
  #read = false
  #real: Response | undefined

  constructor(parts: LazyResponseParts) {
    this.#parts = parts
  }

  /** Tells the cache facts. */
  get info(): () => CacheInfo {
    return this.#parts.info
  }

  /** The `Response` that this one stands for, read as far as this one is. */
  get real(): Response {
    if (this.#real !== undefined) return this.#real
    this.#real = this.#parts.make()
    if (this.#read) void this.#real.text()
    return this.#real
  }

  get status(): number {
    return this.#parts.status
  }

  get statusText(): string {
    return ''
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
    return this.real.body
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? this.#read
  }

  async text(): Promise<string> {
    if (this.#real !== undefined || this.#read) return this.real.text()
    this.#read = true
    return this.#parts.text
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

/** The headers of answers as the SDK reads them. To make them takes as long as to look an answer up, so those of one answer are made once. */
const made = new WeakMap<object, Headers>()

function headersOf(kept: LazyResponseParts['headers']): Headers {
  const known = made.get(kept)
  if (known !== undefined) return known
  const headers = new Headers(kept)
  made.set(kept, headers)
  return headers
}

/** `response`, as a caller is to have it. */
export function materialise(response: Response): Response {
  return response instanceof LazyResponse ? response.real : response
}

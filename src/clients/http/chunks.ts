/**
 * The chunks of a body, one by one.
 * @module
 */
import { utf8Bytes } from '../../base/text-bytes.ts'

/** What gives the chunks. */
interface Source {
  readonly next: () => Promise<{ readonly done?: boolean | undefined; readonly value?: Uint8Array | undefined }>
  readonly end: () => Promise<unknown>
}

/** The chunks of a body. An iterator of the body itself would take two promises more for each. */
export class Chunks implements AsyncIterator<Uint8Array, undefined> {
  readonly #body: AsyncIterable<Uint8Array> | null
  #source: Source | undefined

  constructor(body: AsyncIterable<Uint8Array> | null) {
    this.#body = body
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#body === null) return { done: true, value: undefined }
    this.#source ??= sourceOf(this.#body)
    const { done, value } = await this.#source.next()
    if (done === true || value === undefined) return { done: true, value: undefined }
    // A `fetch` of the caller's own may give texts.
    return { done: false, value: typeof value === 'string' ? utf8Bytes(value) : value }
  }

  /** Gives up the rest. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#source?.end()
    return { done: true, value: undefined }
  }
}

/** A `fetch` of the caller's own may give a body that is no `ReadableStream`. */
function sourceOf(body: AsyncIterable<Uint8Array>): Source {
  if (body instanceof ReadableStream) {
    const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader()
    return { next: () => reader.read(), end: () => reader.cancel() }
  }
  const chunks = body[Symbol.asyncIterator]()
  return { next: () => chunks.next(), end: async () => chunks.return?.() }
}

/** Gives up a body that is not read. */
export async function abandon(body: AsyncIterable<Uint8Array> | null): Promise<void> {
  if (body instanceof ReadableStream) return body.cancel()
  const chunks = new Chunks(body)
  // What iterates over a stream of Node.js ends it only once it has begun.
  await chunks.next()
  await chunks.return()
}

/**
 * The chunks of a body, one by one.
 * @module
 */

/** The chunks of a body. A generator over the body's own iterator would take two promises more for each. */
export class Chunks implements AsyncIterator<Uint8Array, undefined> {
  readonly #body: AsyncIterable<Uint8Array> | null
  #chunks: AsyncIterator<Uint8Array> | undefined

  constructor(body: AsyncIterable<Uint8Array> | null) {
    this.#body = body
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#chunks ??= this.#body?.[Symbol.asyncIterator]()
    const result = await this.#chunks?.next()
    if (result === undefined || result.done === true) return { done: true, value: undefined }
    // A `fetch` of the caller's own may give texts.
    return typeof result.value === 'string' ? { done: false, value: Buffer.from(result.value) } : result
  }

  /** Gives up the rest. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#chunks?.return?.()
    return { done: true, value: undefined }
  }
}

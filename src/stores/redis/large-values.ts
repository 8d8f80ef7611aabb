/**
 * Values that are too large for one key: written as chunks with a header, and put together again.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { type ChunkHeader, chunkKeys, cut, headerBytes, joined, maxChunks, readHeader } from './chunks.ts'
import type { RedisStrings, StringWrite } from './strings.ts'

/** Chunks in one round trip. Between two of them, other users of the connection get their replies. */
const chunksPerRoundTrip = 4

/** Reads and writes values in chunks. */
export class LargeValues {
  readonly #strings: RedisStrings
  readonly #maxValueBytes: number

  constructor(strings: RedisStrings, maxValueBytes: number) {
    this.#strings = strings
    this.#maxValueBytes = maxValueBytes
  }

  /** The whole value that `headerValue` stands for, or `undefined` when a chunk is missing or `signal` has fired. */
  async read(key: string, headerValue: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const header = readHeader(headerValue)
    if (header === undefined) return undefined
    const keys = chunkKeys(key, header)
    const chunks: Uint8Array[] = []
    for (let start = 0; start < keys.length; start += chunksPerRoundTrip) {
      if (signal?.aborted === true) return undefined
      const read = await this.#strings.read(keys.slice(start, start + chunksPerRoundTrip), signal && { signal })
      const found = read.filter((chunk) => chunk !== undefined)
      chunks.push(...found)
      if (found.length < read.length) break
    }
    const whole = joined(chunks)
    if (chunks.length === keys.length && whole.byteLength === header.length) return whole
    // A replica may not have them yet.
    if (!this.#strings.readsReplicas) this.#removeChunks(key, header)
    return undefined
  }

  /** @throws {StoreError} when the value would have too many chunks, or was not written */
  async write({ key, value, ttl }: StringWrite): Promise<void> {
    const { header, chunks } = cut(value, this.#maxValueBytes)
    if (header.count > maxChunks) {
      throw new StoreError(`a value of ${header.length} bytes would need more than ${maxChunks} chunks in Redis; raise maxValueBytes.`)
    }
    const keys = chunkKeys(key, header)
    const writes = chunks.map((chunk, index) => ({ key: keys[index] ?? key, value: chunk, ttl }))
    try {
      for (let start = 0; start < writes.length; start += chunksPerRoundTrip) {
        await this.#strings.write(writes.slice(start, start + chunksPerRoundTrip))
      }
      await this.#strings.write([{ key, value: headerBytes(header), ttl }])
    } catch (error) {
      this.#removeChunks(key, header)
      throw error
    }
  }

  /** Removes the chunks of an incomplete value. The header stays: another write may have replaced it already. */
  #removeChunks(key: string, header: ChunkHeader): void {
    // Chunks that cannot be removed now expire by their TTL.
    this.#strings.remove(chunkKeys(key, header)).catch(() => {})
  }
}

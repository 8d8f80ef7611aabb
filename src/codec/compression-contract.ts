/**
 * The contract of compression for the bodies of entries.
 * @module
 */
import { EntryError } from '../errors.ts'

/** Deflates and inflates bytes. */
export interface Compression {
  /**
   * `bytes` as a raw deflate stream; or any result that is not shorter than `bytes`, which is then not used.
   * @param level from 1 for fast to 9 for small @default 6
   */
  deflate(bytes: Uint8Array, level?: number): Uint8Array
  /**
   * The content of the raw deflate stream `bytes`. Stops at `limit`, however much more the stream holds.
   * @param limit the largest allowed number of bytes in the result, 1 or more
   * @throws {EntryError} `DAMAGED_ENTRY` when `bytes` is no complete deflate stream or holds more than `limit` bytes
   */
  inflate(bytes: Uint8Array, limit: number): Uint8Array
}

/** The error for a stream that cannot be inflated. */
export function notInflatable(options?: { cause: unknown }): EntryError {
  return new EntryError('DAMAGED_ENTRY', 'the body of an entry cannot be inflated within its stated length.', options)
}

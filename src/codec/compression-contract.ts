/**
 * What deflates and inflates the bodies of entries.
 * @module
 */
import { EntryError } from '../errors.ts'

/** Deflates and inflates. */
export interface Compression {
  /** `bytes` as a raw deflate stream, or something that is not shorter than they are. */
  deflate(bytes: Uint8Array): Uint8Array
  /**
   * What the raw deflate stream `bytes` holds. Inflating stops at `limit`, whatever the stream goes on to hold.
   * @param limit bytes that the result may have at most, 1 or more
   * @throws {EntryError} `DAMAGED_ENTRY` when it is no whole deflate stream or holds more than `limit` bytes
   */
  inflate(bytes: Uint8Array, limit: number): Uint8Array
}

/** The error for a stream that cannot be inflated. */
export function notInflatable(options?: { cause: unknown }): EntryError {
  return new EntryError('DAMAGED_ENTRY', 'the body of an entry cannot be inflated within its stated length.', options)
}

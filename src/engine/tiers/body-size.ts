/**
 * The size of an entry's body.
 * @module
 */
import type { Entry } from '../../entry.ts'

/** The bytes of an entry's body, uncompressed. */
export function bytesOf({ body }: Pick<Entry, 'body'>): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}

/**
 * The size of an entry's body.
 * @module
 */
import { utf8Length } from '../../base/text-bytes.ts'
import type { Entry } from '../../entry.ts'

/** The bytes of an entry's body, uncompressed. */
export function bytesOf({ body }: Pick<Entry, 'body'>): number {
  return typeof body === 'string' ? utf8Length(body) : body.byteLength
}

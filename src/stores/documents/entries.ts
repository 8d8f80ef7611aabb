/**
 * The documents of entries: their ids, and what is believed of one that is found.
 * @module
 */
import { sha256 } from '../../base/digest.ts'
import type { InObject } from '../objects/large-values.ts'
import type { DocumentFields, FoundDocument, WrittenDocument } from './access.ts'

/** A value in further documents. */
export interface InParts {
  readonly generation: string
  readonly parts: number
  /** Bytes. */
  readonly size: number
}

/** Where the bytes of a value are that did not fit into a document. */
export type Elsewhere = InParts | InObject

/** Maximum bytes of a key: an index of Firestore holds no more than 1,500 of a text: https://firebase.google.com/docs/firestore/quotas */
const maxKeyBytes = 1_400
/** Maximum parts of an entry. More than any real entry has; bounds the reads for a damaged document. */
const maxParts = 1_000

/** Whether `key` can be kept in a document. UTF-8 turns all lone surrogates into the same character, so two keys would become one. */
export function isPossibleKey(key: string): boolean {
  return key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= maxKeyBytes
}

/** The id of the document of a key. Keys have characters and lengths that ids may not have. */
export function idOf(key: string): string {
  return sha256(key)
}

/** The ids of an entry's parts. Each write makes a new generation, so the parts of a generation never change. */
export function partIds(key: string, { generation, parts }: Omit<InParts, 'size'>): string[] {
  const id = idOf(key)
  return Array.from({ length: parts }, (_, index) => `${id}-${generation}-${index}`)
}

/** The document of an entry. */
export function entryDocument(key: string, until: number, holds: Pick<DocumentFields, 'value' | 'elsewhere'>): WrittenDocument {
  return { id: idOf(key), until, fields: { key, until, ...holds } }
}

/** Whether a document is the entry of `key`, and may still be returned. Databases take up to days to remove what has ended. */
export function isAlive(found: FoundDocument | undefined, key: string, now: number): found is FoundDocument {
  return found !== undefined && found.key === key && isCurrent(found, now)
}

/** Whether a document may still be returned. */
export function isCurrent({ until }: Pick<FoundDocument, 'until'>, now: number): boolean {
  return typeof until === 'number' && now < until
}

/** Where the bytes of an entry are that did not fit into its document; `undefined` if it says nothing, or nothing possible. */
export function elsewhereIn(found: FoundDocument | undefined, maxValueBytes: number): Elsewhere | undefined {
  const place = found?.elsewhere
  if (typeof place !== 'object' || place === null) return undefined
  const { generation, parts, object, tag, size }: Record<string, unknown> = { ...place }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined
  if (typeof object === 'string' && typeof tag === 'string') return { object, tag, size }
  const possible = typeof parts === 'number' && Number.isInteger(parts) && parts > 0 && parts <= maxParts && size <= parts * maxValueBytes
  return typeof generation === 'string' && possible ? { generation, parts, size } : undefined
}

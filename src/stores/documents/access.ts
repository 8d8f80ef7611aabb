/**
 * What a database of documents must offer, so that a {@link documentStore} can lie in it.
 * @module
 */

/** A document to write. One of an entry has a key and an end; a part of a large value has neither. */
export interface WrittenDocument {
  readonly id: string
  /** When the database may remove the document, in milliseconds since the epoch. */
  readonly until: number
  readonly fields: DocumentFields
}

/** What is in a document. */
export interface DocumentFields {
  readonly key?: string
  /** When the value ends, in milliseconds since the epoch. */
  readonly until?: number
  readonly value?: Uint8Array
  /** Where the bytes are, if they are not in the document. */
  readonly elsewhere?: Readonly<Record<string, string | number>>
}

/** A document as it was found. Any program may have written it, so its fields are still to be checked. */
export interface FoundDocument {
  readonly key?: unknown
  readonly until?: unknown
  readonly value?: Uint8Array | undefined
  readonly elsewhere?: unknown
  /** Which version of the document this is, for a change of it. */
  readonly version: unknown
}

/** Reads and writes documents. Each method throws what its client throws. */
export interface DocumentAccess {
  /** Maximum bytes of a value in one document. */
  readonly maxValueBytes: number
  /** The documents under `ids`, in their order. */
  read(ids: readonly string[], signal?: AbortSignal): Promise<readonly (FoundDocument | undefined)[]>
  /** Writes documents, and replaces those that are there. All are tried before it throws. */
  write(documents: readonly WrittenDocument[]): Promise<void>
  /**
   * Writes a document if the one that is there is still `version`, or if there is none and `version` is `undefined`.
   * @returns whether it was written
   */
  writeIf(document: WrittenDocument, version: unknown): Promise<boolean>
  /** Removes documents. A missing one is no error. */
  remove(ids: readonly string[]): Promise<void>
  /** Removes a document, if it is still `version`. */
  removeIf(id: string, version: unknown): Promise<void>
  /** The keys that begin with `prefix`, and perhaps others, each with its end. */
  list(prefix: string): AsyncIterable<Pick<FoundDocument, 'key' | 'until'>>
}

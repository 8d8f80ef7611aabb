/**
 * The parts of `@google-cloud/firestore` that the store uses, as types of our own.
 * @module
 */

/** What is kept of a document. */
export type FirestoreData = Record<string, unknown>

/** When a document was changed last: a `Timestamp` of the client. */
export interface FirestoreTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A document, as it was read. */
export interface FirestoreSnapshot {
  readonly exists: boolean
  readonly updateTime?: FirestoreTime
  data(): FirestoreData | undefined
}

/** The place of a document. */
export interface FirestoreReference {
  create(data: FirestoreData): Promise<unknown>
  update(data: FirestoreData, precondition: { readonly lastUpdateTime: never }): Promise<unknown>
  delete(precondition?: { readonly lastUpdateTime: never }): Promise<unknown>
}

/** A query, which each method makes another one of. */
export interface FirestoreQuery {
  orderBy(field: string): FirestoreQuery
  select(...fields: string[]): FirestoreQuery
  limit(count: number): FirestoreQuery
  startAfter(value: string): FirestoreQuery
  get(): Promise<{ readonly docs: readonly FirestoreSnapshot[] }>
}

/** A collection of documents. */
export interface FirestoreCollection {
  doc(id: string): FirestoreReference
  where(field: string, operator: '>=', value: string): FirestoreQuery
}

/** Writes that are sent together. */
export interface FirestoreBatch {
  set(reference: never, data: FirestoreData): unknown
  delete(reference: never): unknown
  commit(): Promise<unknown>
}

/** A `Firestore` of `@google-cloud/firestore`, or of `firebase-admin`. */
export interface FirestoreClient {
  collection(path: string): FirestoreCollection
  getAll(...references: never[]): Promise<readonly FirestoreSnapshot[]>
  batch(): FirestoreBatch
}

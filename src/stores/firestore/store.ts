/**
 * A store in a collection of Google Cloud Firestore, for many machines. It needs no package: the client is handed in.
 * @module
 */
import { type Clock, systemClock } from '../../clock.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import { TimeLimit } from '../../base/time-limit.ts'
import type { Store } from '../../store.ts'
import { DocumentReports } from '../documents/reports.ts'
import { documentStore } from '../documents/store.ts'
import { checkedOverflow, type ObjectStoreOverflow } from '../objects/object-store.ts'
import { FirestoreAccess } from './access.ts'
import type { FirestoreClient } from './client.ts'
import { explainFailure } from './errors.ts'

export type { ObjectReadOptions, ObjectStore, ObjectStoreOverflow, ObjectWriteOptions, WrittenObject } from '../objects/object-store.ts'
export type {
  FirestoreBatch,
  FirestoreClient,
  FirestoreCollection,
  FirestoreData,
  FirestoreQuery,
  FirestoreReference,
  FirestoreSnapshot,
  FirestoreTime,
} from './client.ts'

/** Options of {@link firestoreStore}. */
export interface FirestoreStoreOptions {
  /** A `Firestore` of `@google-cloud/firestore`, or of `firebase-admin`. It stays yours. */
  readonly client: FirestoreClient
  /** The collection, whose documents are all the store's. @default 'llmemo' */
  readonly collection?: string
  /** Milliseconds for one request. The cache's own deadline for reads is shorter. @default 2_000 */
  readonly timeout?: number
  /** Keeps values in a place for objects that are too large for a document. @default none: they are split over several documents */
  readonly overflow?: ObjectStoreOverflow
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const optionNames = ['client', 'collection', 'timeout', 'overflow', 'clock']
const defaults = { collection: 'llmemo', timeout: 2_000 }

/**
 * Makes a store in a collection of Firestore, in Native mode. Firestore makes the collection by itself. Let it remove what has ended, and
 * make no index of the bytes:
 * ```sh
 * gcloud firestore fields ttls update expires --collection-group=llmemo --enable-ttl
 * gcloud firestore fields update value --collection-group=llmemo --disable-indexes
 * gcloud firestore fields update expires --collection-group=llmemo --disable-indexes
 * ```
 * Each entry is a document under the hash of its key. The index of the field `key` must stay, as lists and patterns need it. A value that
 * does not fit into a document (1 MiB) is split over several documents, or put elsewhere by the option `overflow`. An expired value is
 * never returned, even though Firestore may take a day or more to remove it. Every read sees all earlier writes of all processes.
 *
 * Close the cache before you `terminate()` the client: a request that is still being tried then fails outside of any promise of the client.
 * @throws {InvalidOptionError} when an option is invalid. Methods throw {@link StoreError} when the collection cannot be used.
 */
export function firestoreStore(options: FirestoreStoreOptions): Store {
  assertKnown('', options, optionNames)
  const { client, collection = defaults.collection, timeout = defaults.timeout, clock = systemClock } = options
  withMethods('client', client, {
    methods: ['collection', 'getAll', 'batch'],
    allowed: 'a client of @google-cloud/firestore: new Firestore()',
  })
  if (typeof collection !== 'string' || !isPath(collection))
    throw new InvalidOptionError('collection', collection, 'the name of a collection, or the path of one below a document')
  wholeNumber('timeout', timeout, { least: 1, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, { methods: ['now', 'after'], allowed: 'a clock with the methods now() and after()' })
  const limit = new TimeLimit(clock, timeout)
  const access = new FirestoreAccess({ client, collection, limit })
  const overflow = options.overflow === undefined ? undefined : checkedOverflow(options.overflow, access.maxValueBytes)
  const reports = new DocumentReports(`the Firestore collection "${collection}"`, explainFailure)
  return documentStore({ name: 'firestore', access, reports, limit, clock, overflow })
}

/** Whether a text names a collection: names of collections and documents by turns, divided by `/`. */
function isPath(path: string): boolean {
  const names = path.split('/')
  return names.length % 2 === 1 && path.isWellFormed() && names.every((name) => /^(?!\.{1,2}$|__.*__$).{1,1500}$/su.test(name))
}

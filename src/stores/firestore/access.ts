/**
 * Documents in a collection of Firestore.
 * @module
 */
import type { TimeLimit } from '../../base/time-limit.ts'
import type { DocumentAccess, FoundDocument, WrittenDocument } from '../documents/access.ts'
import type { FirestoreClient, FirestoreData, FirestoreReference, FirestoreSnapshot } from './client.ts'
import { statusOf } from './errors.ts'

/** Documents in one request. A read of more than this would take one connection for long. */
const maxDocumentsPerRequest = 100
/** Bytes of values in one request. One may have 10 MiB: https://firebase.google.com/docs/firestore/quotas#writes_and_transactions */
const maxBytesPerRequest = 8_000_000
/** Keys in one page of a list. */
const pageSize = 500

/** What a {@link FirestoreAccess} works with. */
export interface FirestoreAccessOptions {
  readonly client: FirestoreClient
  readonly collection: string
  readonly limit: TimeLimit
}

/** Reads and writes documents. The client cannot stop a request; what comes after its deadline is dropped. */
export class FirestoreAccess implements DocumentAccess {
  /** A document may have 1 MiB (1,048,576 bytes), with its name and fields: https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields */
  readonly maxValueBytes = 1_000_000
  readonly #client: FirestoreClient
  readonly #collection: string
  readonly #limit: TimeLimit

  constructor({ client, collection, limit }: FirestoreAccessOptions) {
    this.#client = client
    this.#collection = collection
    this.#limit = limit
  }

  async read(ids: readonly string[], signal?: AbortSignal): Promise<readonly (FoundDocument | undefined)[]> {
    const found = await Promise.all(
      chunks(ids, () => 0).map((some) => this.#send(() => this.#client.getAll(...some.map((id) => handedBack(this.#at(id)))), signal)),
    )
    return found.flat().map(foundIn)
  }

  async write(documents: readonly WrittenDocument[]): Promise<void> {
    await this.#commit(
      documents,
      (document) => document.fields.value?.byteLength ?? 0,
      (batch, document) => batch.set(handedBack(this.#at(document.id)), dataOf(document)),
    )
  }

  async writeIf(document: WrittenDocument, version: unknown): Promise<boolean> {
    const reference = this.#at(document.id)
    const data = dataOf(document)
    return isMet(
      this.#send(() => (version === undefined ? reference.create(data) : reference.update(data, { lastUpdateTime: handedBack(version) }))),
    )
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#commit(
      ids,
      () => 0,
      (batch, id) => batch.delete(handedBack(this.#at(id))),
    )
  }

  async removeIf(id: string, version: unknown): Promise<void> {
    await isMet(this.#send(() => this.#at(id).delete({ lastUpdateTime: handedBack(version) })))
  }

  async *list(prefix: string): AsyncGenerator<Pick<FoundDocument, 'key' | 'until'>> {
    const first = this.#client.collection(this.#collection).where('key', '>=', prefix).orderBy('key').select('key', 'until').limit(pageSize)
    for (let query = first; ;) {
      const { docs } = await this.#send(() => query.get())
      let last = ''
      for (const snapshot of docs) {
        const { key, until } = snapshot.data() ?? {}
        // Keys are in order, so that all which begin with the prefix come first.
        if (typeof key !== 'string' || !key.startsWith(prefix)) return
        last = key
        yield { key, until }
      }
      if (docs.length < pageSize) return
      query = first.startAfter(last)
    }
  }

  #at(id: string): FirestoreReference {
    return this.#client.collection(this.#collection).doc(id)
  }

  /** Makes changes in as few requests as there may be, one after the other, and throws the first failure when all were tried. */
  async #commit<Change>(
    changes: readonly Change[],
    bytesOf: (change: Change) => number,
    add: (batch: ReturnType<FirestoreClient['batch']>, change: Change) => unknown,
  ): Promise<void> {
    const failures: unknown[] = []
    for (const some of chunks(changes, bytesOf)) {
      const batch = this.#client.batch()
      for (const change of some) add(batch, change)
      await this.#send(() => batch.commit()).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  #send<Answer>(request: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    return this.#limit.within('a request to Firestore', request, signal)
  }
}

/** What came from the client goes back to it: it has a type of the client's own there. */
function handedBack(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as never
}

/** All fields, as a change of a document leaves those as they are that it does not name. */
function dataOf({ until: expires, fields: { key, until, value, elsewhere } }: WrittenDocument): FirestoreData {
  const end = { expires: new Date(expires) }
  const bytes = value === undefined ? null : wholeBuffer(value)
  // A part has no key: it is in no list.
  return key === undefined ? { ...end, value: bytes } : { ...end, key, until, value: bytes, elsewhere: elsewhere ?? null }
}

/** The client with `preferRest` sends the buffer of a view from its beginning on, whatever part of it the view is. */
function wholeBuffer(value: Uint8Array): Uint8Array {
  return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value)
}

function foundIn(snapshot: FirestoreSnapshot): FoundDocument | undefined {
  const data = snapshot.exists ? snapshot.data() : undefined
  if (data === undefined) return undefined
  const { key, until, value, elsewhere } = data
  return { key, until, value: value instanceof Uint8Array ? value : undefined, elsewhere, version: snapshot.updateTime }
}

/** Whether the document of `change` was as it was thought to be. */
async function isMet(change: Promise<unknown>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    const status = statusOf(error)
    if (status === 'ALREADY_EXISTS' || status === 'FAILED_PRECONDITION' || status === 'ABORTED' || status === 'NOT_FOUND') return false
    throw error
  }
}

function chunks<Part>(all: readonly Part[], bytesOf: (part: Part) => number): Part[][] {
  const made: Part[][] = []
  let bytes = Infinity
  for (const part of all) {
    const size = bytesOf(part)
    const last = made.at(-1)
    if (last === undefined || last.length >= maxDocumentsPerRequest || bytes + size > maxBytesPerRequest) {
      made.push([part])
      bytes = size
    } else {
      last.push(part)
      bytes += size
    }
  }
  return made
}

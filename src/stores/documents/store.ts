/**
 * A store in a database of documents, over the little that such databases have in common.
 * @module
 */
import { addedSums, sumsValue } from '../../base/sums.ts'
import type { TimeLimit } from '../../base/time-limit.ts'
import type { Clock } from '../../clock.ts'
import { StoreError } from '../../errors.ts'
import type { ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { LargeValues } from '../objects/large-values.ts'
import type { Overflow } from '../objects/object-store.ts'
import type { DocumentAccess, FoundDocument } from './access.ts'
import { type Decision, DocumentChanges } from './changes.ts'
import { elsewhereIn, entryDocument, idOf, isAlive, isCurrent, isPossibleKey } from './entries.ts'
import { DocumentOverflow } from './overflow.ts'
import type { DocumentReports } from './reports.ts'

/** What a {@link documentStore} is made of. */
export interface DocumentStoreOptions {
  /** The store's name: `cosmos`. */
  readonly name: string
  readonly access: DocumentAccess
  readonly reports: DocumentReports
  readonly limit: TimeLimit
  readonly clock: Clock
  readonly overflow: Overflow | undefined
  /** Looks for settings of the database that a person should change, once there is somebody to tell. */
  readonly examine?: () => Promise<void>
}

/** Makes a store in a database of documents. */
export function documentStore(options: DocumentStoreOptions): Store {
  return new DocumentStore(options)
}

class DocumentStore implements Store {
  readonly name: string
  readonly #access: DocumentAccess
  readonly #reports: DocumentReports
  readonly #clock: Clock
  readonly #changes: DocumentChanges
  readonly #overflow: DocumentOverflow
  readonly #examine: (() => Promise<void>) | undefined

  constructor({ name, access, reports, limit, clock, overflow, examine }: DocumentStoreOptions) {
    this.name = name
    this.#access = access
    this.#reports = reports
    this.#clock = clock
    this.#changes = new DocumentChanges(access, limit)
    const objects = overflow === undefined ? undefined : new LargeValues(overflow, limit)
    this.#overflow = new DocumentOverflow({ access, objects, reports })
    this.#examine = examine
  }

  async get(key: string, { signal }: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (!isPossibleKey(key)) return undefined
    return this.#reports.attempt('read', async () => {
      const [found] = await this.#access.read([idOf(key)], signal)
      return this.#valueOf(key, found, signal)
    })
  }

  async getMany(keys: readonly string[], { signal }: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    const wanted = [...new Set(keys)].filter(isPossibleKey)
    return this.#reports.attempt('read', async () => {
      const found = wanted.length === 0 ? [] : await this.#access.read(wanted.map(idOf), signal)
      const values = await Promise.all(wanted.map((key, index) => this.#valueOf(key, found[index], signal)))
      const byKey = new Map(wanted.map((key, index) => [key, values[index]]))
      return keys.map((key) => {
        const value = byKey.get(key)
        // Copied, because a key that is asked for twice gives two arrays, and a caller may change either.
        return value && new Uint8Array(value)
      })
    })
  }

  async set(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<void> {
    if (!isPossibleKey(key)) throw this.#impossibleKeys(1, 1)
    // Copied, because the caller may change it before it is sent.
    const copy = new Uint8Array(value)
    const until = this.#endOf(ttl)
    await this.#reports.attempt('written', () => this.#write(key, copy, until))
  }

  async setMany(writes: readonly StoreWrite[]): Promise<void> {
    const last = new Map(writes.map(({ key, value, ttl }) => [key, { value: new Uint8Array(value), until: this.#endOf(ttl) }]))
    const possible = [...last].filter(([key]) => isPossibleKey(key))
    await this.#reports.attempt('written', async () => {
      const small = possible.filter(([, { value }]) => !this.#overflow.isNeededFor(value))
      await this.#access.write(small.map(([key, { value, until }]) => entryDocument(key, until, { value })))
      for (const [key, { value, until }] of possible) if (this.#overflow.isNeededFor(value)) await this.#write(key, value, until)
    })
    if (possible.length < last.size) throw this.#impossibleKeys(last.size - possible.length, last.size)
  }

  async setIfAbsent(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<Uint8Array> {
    if (!isPossibleKey(key)) throw this.#impossibleKeys(1, 1)
    const copy = new Uint8Array(value)
    const write = entryDocument(key, this.#endOf(ttl), { value: copy })
    return this.#change(key, (there) => (there === undefined ? { write, result: copy } : { result: there }))
  }

  async delete(key: string): Promise<void> {
    if (!isPossibleKey(key)) return
    await this.#reports.attempt('written', async () => {
      const [old] = await this.#access.read([idOf(key)])
      await this.#access.remove([idOf(key)])
      await this.#overflow.remove(key, elsewhereIn(old, this.#access.maxValueBytes))
    })
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const write = entryDocument(key, this.#endOf(ttl), { value: new TextEncoder().encode(token) })
    return this.#change(key, (there) => {
      const holder = there === undefined ? token : new TextDecoder().decode(there)
      return holder === token ? { write, result: token } : { result: holder }
    })
  }

  async release(key: string, token: string): Promise<void> {
    await this.#reports.attempt('written', async () => {
      const [found] = await this.#access.read([idOf(key)])
      if (found?.value === undefined || found.key !== key || new TextDecoder().decode(found.value) !== token) return
      await this.#access.removeIf(idOf(key), found.version)
    })
  }

  async add(key: string, amounts: Readonly<Record<string, number>>, { ttl }: WriteOptions): Promise<Record<string, number>> {
    const until = this.#endOf(ttl)
    return this.#change(key, (there) => {
      const sums = addedSums(there, amounts)
      if (Object.keys(amounts).length === 0) return { result: sums }
      return { write: entryDocument(key, until, { value: sumsValue(sums) }), result: sums }
    })
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    const pages = this.#access.list(prefix)[Symbol.asyncIterator]()
    for (;;) {
      const next = await this.#reports.attempt('read', () => pages.next())
      if (next.done === true) return
      const { key } = next.value
      if (typeof key === 'string' && key.startsWith(prefix) && isCurrent(next.value, this.#clock.now())) yield key
    }
  }

  onReport(report: (message: string, cause?: unknown) => void): void {
    this.#reports.sendTo(report)
    // What cannot be examined shows itself in the first read or write.
    void this.#examine?.().catch(() => undefined)
  }

  /** Changes the value of `key` by the value that is there now, if there is one. */
  #change<Result>(key: string, decide: (there: Uint8Array | undefined) => Decision<Result>): Promise<Result> {
    return this.#reports.attempt('written', () =>
      this.#changes.change(idOf(key), (found) => decide(isAlive(found, key, this.#clock.now()) ? copyOf(found.value) : undefined)),
    )
  }

  async #valueOf(key: string, found: FoundDocument | undefined, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if (!isAlive(found, key, this.#clock.now())) return undefined
    const place = elsewhereIn(found, this.#access.maxValueBytes)
    return place === undefined ? copyOf(found.value) : this.#overflow.read(key, place, signal)
  }

  /** Writes one entry: first what does not fit into it, then the document that points there. What the former entry pointed to goes last. */
  async #write(key: string, value: Uint8Array, until: number): Promise<void> {
    if (!this.#overflow.isNeededFor(value)) return this.#access.write([entryDocument(key, until, { value })])
    // Only a large entry looks for a former one: that was probably large too. Other parts and objects expire by themselves.
    const [old] = await this.#access.read([idOf(key)])
    const elsewhere = { ...(await this.#overflow.write(key, value, until)) }
    await this.#access.write([entryDocument(key, until, { elsewhere })])
    await this.#overflow.remove(key, elsewhereIn(old, this.#access.maxValueBytes))
  }

  #endOf(ttl: number): number {
    return Math.floor(this.#clock.now() + ttl)
  }

  #impossibleKeys(count: number, total: number): StoreError {
    return new StoreError(
      `the store "${this.name}" cannot keep ${count} of ${total} entries: their keys are empty, too long, or not valid Unicode.`,
    )
  }
}

/** Bytes of our own: a client may give a view of a larger buffer that it goes on using. */
function copyOf(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && new Uint8Array(value)
}

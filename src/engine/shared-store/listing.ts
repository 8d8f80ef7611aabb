/**
 * Listing what is in a store, page by page, so that a store of a million entries is never held as a whole.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import type { Clock } from '../../clock.ts'
import { StoreError } from '../../errors.ts'
import type { Store } from '../../store.ts'
import { inTime } from './deadline.ts'

/** A key in the store, and what is under it. */
export interface StoredValue {
  readonly key: string
  readonly value: Uint8Array
}

/** What a listing works with. */
export interface StoreListingOptions {
  readonly store: Store
  readonly clock: Clock
  /** Milliseconds for all keys together, or for one page. */
  readonly deadline: number
  /** Makes ready for a listing, by writing what waits. @returns whether the store is still open */
  readonly prepare: () => Promise<boolean>
}

/** Keys that are read at a time. */
const keysPerPage = 100

/** Lists a store. */
export class StoreListing {
  readonly #store: Store
  readonly #clock: Clock
  readonly #deadline: number
  readonly #prepare: () => Promise<boolean>

  constructor({ store, clock, deadline, prepare }: StoreListingOptions) {
    this.#store = store
    this.#clock = clock
    this.#deadline = deadline
    this.#prepare = prepare
  }

  /**
   * The keys that begin with `prefix`; none after `close`.
   * @throws {StoreError} when the store cannot list keys, or fails to
   */
  async keys(prefix: string): Promise<string[]> {
    const { name } = this.#store
    const list = this.#lister()
    try {
      if (!(await this.#prepare())) return []
      return await this.#inTime('listing the keys of the store', async () => Array.fromAsync(list(prefix)))
    } catch (error) {
      throw new StoreError(`the store "${name}" failed to list its keys`, { cause: error })
    }
  }

  /**
   * What lies under the keys that begin with `prefix`, page by page; nothing after `close`.
   * @throws {StoreError} when the store cannot list keys, or fails to
   */
  async *pages(prefix: string): AsyncGenerator<readonly StoredValue[], undefined> {
    const { name } = this.#store
    const list = this.#lister()
    let keys: AsyncGenerator<string, undefined> | undefined
    try {
      if (!(await this.#prepare())) return
      keys = each(list(prefix))
      for (;;) {
        const page = await this.#inTime('listing the keys of the store', () => take(keys, keysPerPage))
        if (page.length === 0) return
        yield await this.#inTime('reading the store', () => this.#read(page))
      }
    } catch (error) {
      throw new StoreError(`the store "${name}" failed to list what is in it`, { cause: error })
    } finally {
      // A reader that has seen enough ends the listing, which may hold something of the store. One that hangs is not waited for.
      void keys?.return(undefined).catch(() => undefined)
    }
  }

  #lister(): NonNullable<Store['keys']> {
    const store = this.#store
    if (store.keys === undefined) throw new StoreError(`the store "${store.name}" cannot list its keys, which patterns need`)
    return store.keys.bind(store)
  }

  async #read(keys: readonly string[]): Promise<StoredValue[]> {
    const store = this.#store
    const values = store.getMany === undefined ? await Promise.all(keys.map(async (key) => store.get(key))) : await store.getMany(keys)
    return keys.flatMap((key, index) => {
      const value: unknown = values[index]
      return isBytes(value) ? [{ key, value }] : []
    })
  }

  async #inTime<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    return inTime(this.#clock, { what, deadline: this.#deadline, awaited: true }, work)
  }
}

async function* each(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string, undefined> {
  yield* keys
}

/** Up to `count` of what comes next. */
async function take(from: AsyncGenerator<string, undefined> | undefined, count: number): Promise<string[]> {
  const taken: string[] = []
  if (from === undefined) return taken
  while (taken.length < count) {
    const { done, value } = await from.next()
    if (done === true) break
    taken.push(value)
  }
  return taken
}

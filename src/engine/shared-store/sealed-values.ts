/**
 * What an encrypted store holds under hidden names: entries and values with their editions, and signed generations.
 *
 * Where there are several keys, a read asks for the names under all of them. An entry under the current key counts before one under another.
 * A generation is written under all keys, and must be the same under each that has it.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import { type Clock, clockSkew } from '../../clock.ts'
import { EntryError, StoreError } from '../../errors.ts'
import { kindOf } from '../../key/store-keys.ts'
import { RecentMap } from '../../base/recent-map.ts'
import { type ReadOptions, setIfAbsent, type Store, type StoreWrite } from '../../store.ts'
import { HiddenNames } from './hidden-names.ts'
import { overIn, SignedRecords, tombstone } from './signed-records.ts'
import { StoreSign, type StoreSignOptions } from './store-sign.ts'

/** What an encrypted store needs of the cache that it belongs to. */
export interface SealedStoreOptions extends StoreSignOptions {
  readonly clock: Clock
  /** Makes the bytes of a new generation, by which everything under its label is outdated. */
  readonly newGeneration: () => Uint8Array
  /** The name at which this entry lies, before it was hidden; `undefined` if it cannot be read. Must not throw. */
  readonly nameIn: (value: Uint8Array) => string | undefined
}

/** What was found under names in the store. */
type Found = ReadonlyMap<string, Uint8Array | undefined>

/** How many values are read at the same time to learn their names. */
const valuesPerRead = 100
/** How many forged generations are being replaced at the same time, at the most, that are remembered. */
const maxReplacements = 1_000
/** How many editions of removed values are remembered. */
const maxBuried = 10_000

/** Values under hidden names. */
export class SealedValues {
  readonly #store: Store
  readonly #options: SealedStoreOptions
  readonly #names: HiddenNames
  readonly #records: SignedRecords
  readonly #sign: StoreSign
  /** Generations that take the place of forged ones, until the store has them. */
  readonly #replacements = new Map<string, Uint8Array>()
  /** Editions that this process removed: not even along with its edition is a value believed again here. */
  readonly #buried = new RecentMap<true>()

  constructor(store: Store, options: SealedStoreOptions) {
    this.#store = store
    this.#options = options
    this.#names = new HiddenNames(options.encryption)
    this.#records = new SignedRecords(options.encryption)
    this.#sign = new StoreSign(store, options)
  }

  /** The values under `keys`, in their order, by one read of the store. */
  async read(keys: readonly string[], { signal, latest = new Set() }: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    const names = keys.flatMap((key) =>
      this.#names.of(key).flatMap(({ name, edition }) => (edition === undefined ? [name] : [name, edition])),
    )
    const latestNames = new Set([...latest].flatMap((key) => this.#names.of(key).map(({ name }) => name)))
    const found = await this.#find([...names, ...this.#sign.due()], { ...(signal && { signal }), latest: latestNames })
    this.#sign.check(found)
    return keys.map((key) => (kindOf(key) === 'mark' ? this.#generationIn(key, found) : this.#valueIn(key, found)))
  }

  /** Writes values, and signs them. */
  async write(writes: readonly StoreWrite[]): Promise<void> {
    const replaced: string[] = []
    const hidden = writes.flatMap((write): StoreWrite[] => {
      const { key, value, ttl } = write
      const [current, ...others] = this.#names.of(key)
      if (current === undefined) return []
      if (kindOf(key) === 'mark')
        return this.#names.of(key).map(({ id, name }) => ({ key: name, value: this.#records.generation(id, key, value), ttl }))
      if (current.edition === undefined) return [{ ...write, key: current.name }]
      for (const { name, edition } of others) replaced.push(name, ...(edition === undefined ? [] : [edition]))
      const edition = this.#records.edition(current.id, key, { value, over: this.#options.clock.now() + ttl })
      return [
        { ...write, key: current.name },
        { key: current.edition, value: edition, ttl },
      ]
    })
    await this.#set(hidden)
    // Under an older key lies what is older. It must not come back when this value is evicted.
    await Promise.all(replaced.map(async (name) => this.#store.delete(name)))
  }

  /** Keeps a value if there is none. @returns the value that is there now */
  async writeIfAbsent(write: StoreWrite): Promise<Uint8Array> {
    const { key, value, ttl } = write
    const [current, ...others] = this.#names.of(key)
    const isMark = current !== undefined && kindOf(key) === 'mark'
    if (!isMark || others.length > 0) {
      // A generation may lie under an older key only. Another one beside it would be taken for an invalidation.
      const [found] = await this.read([key])
      if (found !== undefined) return found
      if (!isMark) {
        await this.write([write])
        return value
      }
    }
    const { id, name } = current
    const found: unknown = await setIfAbsent(this.#store, { key: name, value: this.#records.generation(id, key, value), ttl })
    const generation = isBytes(found) ? this.#records.generationIn(id, key, found) : undefined
    return generation ?? this.#replace(key)
  }

  /** Removes a value, and sees to it that its bytes are not believed if they are written again. */
  async delete(key: string): Promise<void> {
    const names = this.#names.of(key)
    await this.#bury(names.flatMap(({ edition }) => edition ?? []))
    await Promise.all(names.map(async ({ name }) => this.#store.delete(name)))
  }

  /** The names of entries and values that begin with `prefix`, before they were hidden. Reads the values, as their own heads hold the names. */
  async *list(prefix: string): AsyncGenerator<string> {
    for (const hiddenPrefix of this.#names.prefixes(prefix)) {
      for await (const names of pagesOf(this.#store.keys?.(hiddenPrefix) ?? [], valuesPerRead)) {
        const found = await this.#find(names, {})
        for (const [hidden, value] of found) {
          const name = value === undefined ? undefined : this.#options.nameIn(value)
          if (name?.startsWith(prefix) === true && this.#names.of(name).some((each) => each.name === hidden)) yield name
        }
      }
    }
  }

  /** The name of a lease. */
  leaseName(key: string): string {
    return this.#names.current(key)
  }

  #valueIn(key: string, found: Found): Uint8Array | undefined {
    for (const { id, name, edition } of this.#names.of(key)) {
      const value = found.get(name)
      if (value === undefined || edition === undefined) {
        if (value !== undefined) return value
        continue
      }
      const record = found.get(edition)
      if (record === undefined) continue
      const isBuried = this.#buried.size > 0 && this.#buried.get(textOf(record)) === true
      if (!isBuried && this.#records.isEdition(id, key, { value, record })) return value
      this.#options.onFault(
        'foreign',
        new EntryError('NOT_RECOGNISED', 'a stored entry is not the last one written at its place, or was removed.'),
      )
    }
    return undefined
  }

  #generationIn(key: string, found: Found): Uint8Array | undefined {
    const [current, ...others] = this.#names.of(key)
    if (current === undefined) return undefined
    let generation: Uint8Array | undefined
    for (const { id, name } of [current, ...others]) {
      const record = found.get(name)
      if (record === undefined) continue
      const signed = this.#records.generationIn(id, key, record)
      if (signed === undefined) {
        this.#options.onFault(
          'foreign',
          new EntryError('DAMAGED_ENTRY', 'a generation in the store was forged or copied from another place.'),
        )
        return this.#replace(key)
      }
      // A process that has only one of the keys has invalidated the label.
      if (generation !== undefined && !Buffer.from(generation).equals(signed)) return this.#replace(key)
      generation = signed
    }
    if (generation !== undefined && found.get(current.name) === undefined) this.#adopt(key, generation)
    return generation
  }

  /** What is not believed counts as an invalidation: what was filled before is outdated, and what is filled from now on is good. */
  #replace(key: string): Uint8Array {
    const known = this.#replacements.get(key)
    if (known !== undefined) return known
    const value = this.#options.newGeneration()
    if (this.#replacements.size < maxReplacements) this.#replacements.set(key, value)
    const written = this.write([{ key, value, ttl: this.#options.generationTtl }]).finally(() => this.#replacements.delete(key))
    written.catch((error: unknown) => this.#options.onFault('write', error))
    return value
  }

  /** Writes a generation under the current key that lies under an older one only. */
  #adopt(key: string, generation: Uint8Array): void {
    const [current] = this.#names.of(key)
    if (current === undefined) return
    const value = this.#records.generation(current.id, key, generation)
    const write = { key: current.name, value, ttl: this.#options.generationTtl }
    setIfAbsent(this.#store, write).catch((error: unknown) => this.#options.onFault('write', error))
  }

  /** Puts tombstones in the place of editions, for as long as their values could have been served. */
  async #bury(editions: readonly string[]): Promise<void> {
    if (editions.length === 0) return
    const { clock, generationTtl } = this.#options
    // A store that cannot be read may still take writes.
    const found = await this.#find(editions, { latest: new Set(editions) }).catch(() => undefined)
    const now = clock.now()
    const writes = editions.flatMap((key): StoreWrite[] => {
      const record = found?.get(key)
      if (found !== undefined && record === undefined) return []
      if (record !== undefined) this.#noteBuried(record)
      const over = (record && overIn(record)) ?? now + generationTtl
      const ttl = Math.min(generationTtl, Math.max(1, Math.ceil(over - now + clockSkew)))
      return [{ key, value: tombstone(over), ttl }]
    })
    await this.#set(writes)
  }

  #noteBuried(record: Uint8Array): void {
    // A longer record is no edition.
    if (overIn(record) === undefined) return
    this.#buried.set(textOf(record), true)
    if (this.#buried.size > maxBuried) this.#buried.delete(this.#buried.oldest?.key ?? '')
  }

  async #set(writes: readonly StoreWrite[]): Promise<void> {
    if (writes.length > 1 && this.#store.setMany !== undefined) await this.#store.setMany(writes)
    else for (const { key, value, ttl } of writes) await this.#store.set(key, value, { ttl })
  }

  async #find(names: readonly string[], options: ReadOptions): Promise<Found> {
    const values: unknown =
      names.length > 1 && this.#store.getMany !== undefined
        ? await this.#store.getMany(names, options)
        : await Promise.all(names.map(async (name) => this.#store.get(name, options)))
    const { name: storeName } = this.#store
    if (!Array.isArray(values) || values.length !== names.length)
      throw new StoreError(`the store "${storeName}" did not answer ${names.length} values`)
    return new Map(
      names.map((name, index): [string, Uint8Array | undefined] => {
        const value: unknown = values[index]
        if (value === undefined || value === null) return [name, undefined]
        if (isBytes(value)) return [name, value]
        throw new StoreError(`the store "${storeName}" answered something that is no Uint8Array`)
      }),
    )
  }
}

/** Names by the hundred, so that the names of a large store are never held as a whole. */
async function* pagesOf(names: AsyncIterable<string> | Iterable<string>, size: number): AsyncGenerator<string[]> {
  let page: string[] = []
  for await (const name of names) {
    page.push(name)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** An edition as a name: its signature is another one in each place. */
function textOf(record: Uint8Array): string {
  return Buffer.from(record).toString('base64')
}

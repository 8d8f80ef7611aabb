/**
 * Sums in an encrypted store. A store can only add to numbers that it can read, so the numbers are plain. Whose they are is not: the name of
 * the sums is hidden as all names are, and the name of each sum is sealed for its place.
 *
 * Who can read the store learns how many sums there are, and how large. Who can write there can change or remove them: a ledger is a count,
 * and nothing is answered by it. A sum whose name was not sealed for its place with a known key is left out, so none can be made up under
 * another name, or moved to another day.
 * @module
 */
import type { Encryption } from '../../codec/encryption.ts'
import { closeSumName, openSumName } from '../../codec/sum-names.ts'
import { remembering } from '../../base/memo.ts'
import type { Store, WriteOptions } from '../../store.ts'
import { HiddenNames } from './hidden-names.ts'

/** Numbers by their names. */
type Sums = Readonly<Record<string, number>>

/** How many sealed names are remembered. */
const maxNames = 2_000

/** Sums under hidden names. */
export class SealedSums {
  readonly #store: Store
  readonly #encryption: Encryption
  readonly #names: HiddenNames
  readonly #sealed: (placed: string) => string

  /** @param store one that adds up numbers */
  constructor(store: Store, encryption: Encryption) {
    this.#store = store
    this.#encryption = encryption
    this.#names = new HiddenNames(encryption)
    this.#sealed = remembering(maxNames, (placed) => {
      const at = placed.indexOf('\n')
      return closeSumName(encryption, { name: placed.slice(at + 1), place: placed.slice(0, at) })
    })
  }

  /** Adds to the sums under the current key. @returns the sums that are there now, those under older keys included */
  async add(key: string, amounts: Sums, options: WriteOptions): Promise<Sums> {
    const sealed = Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [this.#sealed(`${key}\n${name}`), amount]))
    const [current, ...others] = this.#names.of(key)
    if (current === undefined) return {}
    const add = async (name: string, added: Sums): Promise<Sums> => (await this.#store.add?.(name, added, options)) ?? {}
    const found = await Promise.all([add(current.name, sealed), ...others.map(({ name }) => add(name, {}))])
    return this.#opened(key, found)
  }

  #opened(place: string, found: readonly Sums[]): Sums {
    const sums = new Map<string, number>()
    for (const [sealed, amount] of found.flatMap((each) => Object.entries(each))) {
      const name = openSumName(this.#encryption, sealed, place)
      if (name !== undefined && Number.isSafeInteger(amount)) sums.set(name, (sums.get(name) ?? 0) + amount)
    }
    return Object.fromEntries(sums)
  }
}

/**
 * The hidden names of what lies in an encrypted store, under each key of the user's.
 * @module
 */
import { remembering } from '../../base/memo.ts'
import type { Encryption } from '../../codec/encryption.ts'
import { hiddenEditionName, hiddenName, hiddenPrefix, kindOf, type NameDigest } from '../../key/store-keys.ts'

/** A name as it stands in the store. */
export interface HiddenName {
  /** The id of the key that hides it. */
  readonly id: string
  readonly name: string
  /** Where the edition lies, which says that an entry or a value is the last one written under its name. @default there is none */
  readonly edition?: string
}

/** How many names are remembered. */
const maxNames = 2_000

/** Hides names. */
export class HiddenNames {
  readonly #ids: readonly string[]
  readonly #of: (name: string) => readonly HiddenName[]
  readonly #digestOf: (id: string) => NameDigest

  constructor(encryption: Encryption) {
    this.#ids = encryption.ids
    this.#digestOf = (id) => (purpose, name) => Buffer.from(encryption.sign(id, purpose, [name])).toString('hex')
    this.#of = remembering(maxNames, (name) => this.#ids.map((id) => this.#make(id, name)))
  }

  /** The names under all keys, that of the current key first. There is at least one. */
  of(name: string): readonly HiddenName[] {
    return this.#of(name)
  }

  /** The name under the current key. */
  current(name: string): string {
    return this.#of(name)[0]?.name ?? name
  }

  /** The prefixes of the names of all entries, of all values, or of those in a scope, under all keys. */
  prefixes(prefix: string): readonly string[] {
    return [...new Set(this.#ids.map((id) => hiddenPrefix(prefix, this.#digestOf(id))))]
  }

  #make(id: string, name: string): HiddenName {
    // The digest of the name is that of its edition too.
    const digest = remembering(2, (text) => this.#digestOf(id)('name', text))
    const once: NameDigest = (purpose, text) => (purpose === 'name' ? digest(text) : this.#digestOf(id)(purpose, text))
    const hidden = { id, name: hiddenName(name, once) }
    const kind = kindOf(name)
    return kind === 'v1' || kind === 'kv' ? { ...hidden, edition: hiddenEditionName(name, once) } : hidden
  }
}

/**
 * The sign that a store is encrypted. It lies where processes without encryption look first, so that a namespace whose processes have
 * different keys, or none, is found out: under hidden names they would never meet.
 * @module
 */
import { closeEnvelope, isEnvelope, keyIdIn, openEnvelope } from '../../codec/envelope.ts'
import type { Encryption } from '../../codec/encryption.ts'
import { EntryError } from '../../errors.ts'
import type { Fault } from '../../events.ts'
import type { Store } from '../../store.ts'

/** What the sign of a store needs of the cache that it belongs to. */
export interface StoreSignOptions {
  readonly encryption: Encryption
  /** The key under which processes without encryption look for a generation before anything else. */
  readonly signKey: string
  /** Milliseconds for which generations are kept, and the sign as well. */
  readonly generationTtl: number
  /** Called with what does not fit. Must not throw. */
  readonly onFault: (doing: Fault, error: unknown) => void
}

const content = 'encrypted'

/** Looks for the sign once, along with the first read, and puts it up. */
export class StoreSign {
  readonly #store: Store
  readonly #options: StoreSignOptions
  #isKnown = false

  constructor(store: Store, options: StoreSignOptions) {
    this.#store = store
    this.#options = options
  }

  /** The key to read, unless that was done. */
  due(): readonly string[] {
    return this.#isKnown ? [] : [this.#options.signKey]
  }

  /** Takes what was read. */
  check(found: ReadonlyMap<string, unknown>): void {
    const { signKey, encryption, generationTtl, onFault } = this.#options
    if (this.#isKnown || !found.has(signKey)) return
    this.#isKnown = true
    const sign = found.get(signKey)
    const error = sign === undefined ? undefined : mismatch(encryption, sign, signKey)
    if (error !== undefined) return onFault('entry', error)
    if (isEnvelope(sign) && keyIdIn(sign) === encryption.current) return
    const value = closeEnvelope(encryption, content, { purpose: 'sign', place: signKey })
    const written = (async () => this.#store.set(signKey, value, { ttl: generationTtl }))()
    written.catch((cause: unknown) => onFault('write', cause))
  }
}

/** What to say to a process without encryption that finds this in place of a generation; `undefined` if it is no sign. */
export function signError(value: unknown): EntryError | undefined {
  return isEnvelope(value) ? new EntryError('NOT_RECOGNISED', 'the store is encrypted, but no encryption is configured.') : undefined
}

function mismatch(encryption: Encryption, sign: unknown, place: string): EntryError | undefined {
  if (!isEnvelope(sign)) return new EntryError('DAMAGED_ENTRY', 'the store is not encrypted, but the configuration requires encryption.')
  if (!encryption.has(keyIdIn(sign))) return new EntryError('NOT_RECOGNISED', 'the store is encrypted with a key that is not configured.')
  if (openEnvelope(encryption, sign, { purpose: 'sign', place }) === content) return undefined
  return new EntryError('DAMAGED_ENTRY', 'it cannot be decrypted with the key that it names.')
}

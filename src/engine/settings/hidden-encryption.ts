/**
 * The options of encryption, out of sight: a cache that is printed, with all that is hidden in it, shows no key.
 * @module
 */
import type { EncryptionOptions } from '../../codec/encryption.ts'

/** Encryption options in private fields, which no `util.inspect` shows. */
class HiddenEncryption implements EncryptionOptions {
  readonly #options: EncryptionOptions

  constructor(options: EncryptionOptions) {
    this.#options = options
  }

  get keys(): EncryptionOptions['keys'] {
    return this.#options.keys
  }

  get current(): string {
    return this.#options.current
  }

  /** What `util.inspect` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'the encryption options'
  }
}

/** The same options, hidden. Whatever is wrong with them stays so, for the check that follows. */
export function hiddenEncryption(given: EncryptionOptions | undefined): EncryptionOptions | undefined {
  const isPlain = typeof given === 'object' && given !== null && Object.keys(given).every((name) => name === 'keys' || name === 'current')
  return isPlain ? new HiddenEncryption({ keys: given.keys, current: given.current }) : given
}

/**
 * Encryption of entries at rest: AES-256-GCM with named keys. One key encrypts; all of them decrypt.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { isBytes } from '../base/bytes.ts'
import { Description, InvalidOptionError } from '../errors.ts'
import { nodeCrypto } from '../base/node-crypto.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'

/**
 * How entries are encrypted before they leave the process. Names in the store and messages between processes are hidden by the same keys.
 *
 * To rotate, add a key under a new id. Make it `current` once every process has it. Remove the old key when the longest TTL has passed. An
 * entry that was encrypted with a missing key is a miss and is left alone. An unencrypted entry is a miss too, so that only holders of a
 * key can put answers into the store.
 *
 * While there are several keys, each read asks for the names under all of them, in one request, and each write removes what lies under the
 * older names. So remove a key that is not needed any more. Processes that lack one another's keys do not see one another's invalidations.
 * Use a key for at most 2^32 entries, because each takes a random number of 96 bits.
 * Source: https://csrc.nist.gov/pubs/sp/800/38/d/final (section 8.3)
 */
export interface EncryptionOptions {
  /**
   * The keys by their ids. A key is 32 random bytes, or those bytes as text in base64 or in hex; a passphrase is not a key. An id is a text
   * of 1 to 64 bytes in UTF-8, readable in every entry: `'2026-03'`.
   */
  readonly keys: Readonly<Record<string, Uint8Array | string>>
  /** The id of the key that encrypts new entries and names them. */
  readonly current: string
}

/** Encrypts (seals) and decrypts (opens) the contents of entries, and signs what must stay readable. */
export interface Encryption {
  /** The id of the key that encrypts. */
  readonly current: string
  /** The ids of all keys, the current one first. */
  readonly ids: readonly string[]
  /** Whether there is a key with this id. */
  has(id: string): boolean
  /**
   * All of `parts` in order, encrypted with the current key. The result is {@link sealLength} bytes longer.
   * @param authenticated bytes that stay readable but must be unchanged when the result is opened
   */
  seal(parts: readonly Uint8Array[], authenticated: Uint8Array): Uint8Array[]
  /** The decrypted content, or `undefined` when there is no such key, or `sealed` or `authenticated` were changed. */
  open(id: string, sealed: Uint8Array, authenticated: Uint8Array): Uint8Array | undefined
  /**
   * A digest that only holders of the key can make: HMAC-SHA-256 under a key that is derived from the one with this id, 32 bytes.
   * @param purpose what the digest is for: digests for different purposes never agree
   * @param parts what it is made of. Each counts with its length, so that no two lists of parts give the same digest
   * @throws {RangeError} when there is no such key
   */
  sign(id: string, purpose: string, parts: readonly (string | Uint8Array)[]): Uint8Array
}

const algorithm = 'aes-256-gcm'
/** What the keys of digests are derived for: a key of AES-GCM must not be used for anything else. */
const signing = 'llmemo digests 1'
const keyLength = 32
const ivLength = 12
const tagLength = 16

/** Maximum bytes of a key id. */
export const maxKeyIdBytes = 64

/** Bytes that encryption adds: 12 of initialisation vector and 16 of tag, both in front. */
export const sealLength = ivLength + tagLength

const hexKey = /^[0-9a-f]{64}$/i
const base64Key = /^[0-9a-z+/_-]{43}=?$/i
const keyIds = 'an object of keys by their ids, an id being a text of 1 to 64 bytes in UTF-8 that is not itself a key'
const keyForms = '32 bytes, or the same in base64 (44 characters) or hex (64 characters)'
const shape = `an object with "keys", which is ${keyIds}, and "current", which is one of the ids`

/**
 * Checks `given` and returns the encryption. An error never shows any part of a key.
 * @param option the option's name, for the error
 * @throws {InvalidOptionError} that names the first invalid member
 */
export function readEncryption(option: string, given: unknown): Encryption {
  if (!isObjectOfOptions(given)) throw new InvalidOptionError(option, given, shape)
  // Where there is no node:crypto, that is said before anything else.
  nodeCrypto()
  for (const name of Object.keys(given)) {
    if (name !== 'keys' && name !== 'current') throw new InvalidOptionError(option, new Description('an object with other members'), shape)
  }
  const keys = readKeys(`${option}.keys`, given['keys'])
  const current = given['current']
  const sealing = typeof current === 'string' ? keys.get(current) : undefined
  if (typeof current !== 'string' || sealing === undefined) {
    throw new InvalidOptionError(`${option}.current`, current, `one of the ids of ${option}.keys`)
  }
  return createEncryption(keys, current, sealing)
}

function createEncryption(keys: ReadonlyMap<string, KeyObject>, current: string, sealing: KeyObject): Encryption {
  const signingKeys = new Map<string, KeyObject>()
  return {
    current,
    ids: [current, ...[...keys.keys()].filter((id) => id !== current)],
    has: (id) => keys.has(id),
    seal(parts, authenticated) {
      const iv = nodeCrypto().randomBytes(ivLength)
      const cipher = nodeCrypto().createCipheriv(algorithm, sealing, iv, { authTagLength: tagLength })
      cipher.setAAD(authenticated)
      const sealed: Uint8Array[] = parts.map((part) => cipher.update(part))
      sealed.push(cipher.final())
      return [iv, cipher.getAuthTag(), ...sealed]
    },
    open(id, sealed, authenticated) {
      const key = keys.get(id)
      if (key === undefined || sealed.length < sealLength) return undefined
      const decipher = nodeCrypto().createDecipheriv(algorithm, key, sealed.subarray(0, ivLength), { authTagLength: tagLength })
      decipher.setAAD(authenticated)
      decipher.setAuthTag(sealed.subarray(ivLength, sealLength))
      const opened = decipher.update(sealed.subarray(sealLength))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      return opened
    },
    sign(id, purpose, parts) {
      const key = keys.get(id)
      if (key === undefined) throw new RangeError('there is no such key')
      const derived = signingKeys.get(id) ?? signingKeyOf(key)
      signingKeys.set(id, derived)
      const hmac = nodeCrypto().createHmac('sha256', derived)
      for (const part of [purpose, ...parts]) {
        const bytes = typeof part === 'string' ? Buffer.from(part) : part
        const length = Buffer.alloc(4)
        length.writeUInt32BE(bytes.length)
        hmac.update(length).update(bytes)
      }
      return hmac.digest()
    },
  }
}

/** Source: https://www.rfc-editor.org/rfc/rfc5869 */
function signingKeyOf(key: KeyObject): KeyObject {
  return nodeCrypto().createSecretKey(Buffer.from(nodeCrypto().hkdfSync('sha256', key, '', signing, keyLength)))
}

function readKeys(option: string, given: unknown): Map<string, KeyObject> {
  if (!isObjectOfOptions(given) || Object.keys(given).length === 0) throw new InvalidOptionError(option, given, keyIds)
  const keys = new Map<string, KeyObject>()
  for (const [id, key] of Object.entries(given)) {
    // A user may swap an id and its key by mistake. So an id that looks like a key is never shown: the key must not appear in a log.
    if (!isKeyId(id) || bytesOf(id) !== undefined)
      throw new InvalidOptionError(option, new Description('an object with another id'), keyIds)
    const bytes = bytesOf(key)
    if (bytes === undefined) throw new InvalidOptionError(`${option}.${id}`, describe(key), keyForms)
    keys.set(id, nodeCrypto().createSecretKey(bytes))
  }
  return keys
}

function isKeyId(id: string): boolean {
  return id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= maxKeyIdBytes
}

/** The bytes of a key in any of its forms, or `undefined` for an invalid key. */
function bytesOf(key: unknown): Uint8Array | undefined {
  if (isBytes(key)) return key.length === keyLength ? key : undefined
  if (typeof key !== 'string') return undefined
  if (hexKey.test(key)) return Buffer.from(key, 'hex')
  // Buffer reads both alphabets of base64.
  return base64Key.test(key) ? Buffer.from(key, 'base64') : undefined
}

/** What an error may say about a value that is a key, or may be meant as one. Not even a number is shown. */
function describe(value: unknown): unknown {
  if (isBytes(value)) return new Description(`${value.length} bytes`)
  return typeof value === 'number' || typeof value === 'bigint' ? new Description(`a ${typeof value}`) : value
}

function isObjectOfOptions(value: unknown): value is JsonObject {
  return isJsonObject(value) && !isBytes(value)
}

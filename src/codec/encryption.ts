/**
 * Encryption of entries at rest: AES-256-GCM under named keys, one of which seals while all of them open.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { isBytes } from '../base/bytes.ts'
import { InvalidOptionError } from '../errors.ts'
import { nodeCrypto } from '../base/node-crypto.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'

/**
 * How entries are encrypted before they leave the process.
 *
 * To rotate, add a key under a new id, make it `current` once every process has it, and take the old one away when the
 * longest TTL has passed. An entry sealed under an id that is not there is a miss and is left alone; an entry that is not
 * encrypted at all is a miss as well, so that nobody without a key can put answers into the store.
 * A key should not seal more than 2^32 entries, as each takes a random number of 96 bits.
 * Source: https://csrc.nist.gov/pubs/sp/800/38/d/final (section 8.3)
 */
export interface EncryptionOptions {
  /**
   * The keys by their ids. A key is 32 random bytes, or those bytes as text in base64 or in hex; a passphrase is not a key.
   * An id is a text of 1 to 64 bytes in UTF-8 and stands readable in every entry: `'2026-03'`.
   */
  readonly keys: Readonly<Record<string, Uint8Array | string>>
  /** The id of the key that new entries are sealed with. */
  readonly current: string
}

/** Seals and opens the contents of entries. */
export interface Encryption {
  /** The id of the key that seals. */
  readonly current: string
  /** Whether there is a key of this id. */
  has(id: string): boolean
  /**
   * `parts`, one after the other, sealed with the current key: in all {@link sealLength} bytes longer.
   * @param authenticated what stays readable but must be the same when it is opened
   */
  seal(parts: readonly Uint8Array[], authenticated: Uint8Array): Uint8Array[]
  /** What was sealed, or `undefined` when `sealed` or `authenticated` are not what they were, or there is no such key. */
  open(id: string, sealed: Uint8Array, authenticated: Uint8Array): Uint8Array | undefined
}

const algorithm = 'aes-256-gcm'
const keyLength = 32
const ivLength = 12
const tagLength = 16

/** Bytes of an id at most. */
export const maxKeyIdBytes = 64

/** Bytes by which sealing makes something longer: 12 of initialisation vector and 16 of tag, both in front. */
export const sealLength = ivLength + tagLength

const hexKey = /^[0-9a-f]{64}$/i
const base64Key = /^[0-9a-z+/_-]{43}=?$/i
const keyIds = 'an object of keys by their ids, an id being a text of 1 to 64 bytes in UTF-8 that is not itself a key'
const keyForms = '32 bytes, or the same in base64 (44 characters) or hex (64 characters)'
const shape = `an object with "keys", which is ${keyIds}, and "current", which is one of the ids`

/**
 * `given` as encryption. What it holds of keys is never shown in an error.
 * @param option the option's name, for the error
 * @throws {InvalidOptionError} that names the first member which cannot be
 */
export function readEncryption(option: string, given: unknown): Encryption {
  if (!isObjectOfOptions(given)) throw new InvalidOptionError(option, describe(given), shape)
  for (const name of Object.keys(given)) {
    if (name !== 'keys' && name !== 'current') throw new InvalidOptionError(option, 'an object with other members', shape)
  }
  const keys = readKeys(`${option}.keys`, given['keys'])
  const current = given['current']
  const sealing = typeof current === 'string' ? keys.get(current) : undefined
  if (typeof current !== 'string' || sealing === undefined) {
    throw new InvalidOptionError(`${option}.current`, describe(current), `one of the ids of ${option}.keys`)
  }
  return createEncryption(keys, current, sealing)
}

function createEncryption(keys: ReadonlyMap<string, KeyObject>, current: string, sealing: KeyObject): Encryption {
  return {
    current,
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
  }
}

function readKeys(option: string, given: unknown): Map<string, KeyObject> {
  if (!isObjectOfOptions(given) || Object.keys(given).length === 0) throw new InvalidOptionError(option, describe(given), keyIds)
  const keys = new Map<string, KeyObject>()
  for (const [id, key] of Object.entries(given)) {
    // Who swaps id and key must not find the key in his log: an id that looks like one is refused without being shown.
    if (!isKeyId(id) || bytesOf(id) !== undefined) throw new InvalidOptionError(option, 'an object with another id', keyIds)
    const bytes = bytesOf(key)
    if (bytes === undefined) throw new InvalidOptionError(`${option}.${id}`, describe(key), keyForms)
    keys.set(id, nodeCrypto().createSecretKey(bytes))
  }
  return keys
}

function isKeyId(id: string): boolean {
  return id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= maxKeyIdBytes
}

/** The bytes of a key in any of its forms, or `undefined` when it has none of them. */
function bytesOf(key: unknown): Uint8Array | undefined {
  if (isBytes(key)) return key.length === keyLength ? key : undefined
  if (typeof key !== 'string') return undefined
  if (hexKey.test(key)) return Buffer.from(key, 'hex')
  // Buffer reads base64 in either alphabet.
  return base64Key.test(key) ? Buffer.from(key, 'base64') : undefined
}

/** What an error may say of a value that is a key, or may have been meant as one. */
function describe(value: unknown): unknown {
  if (value === undefined || value === null) return value
  if (isBytes(value)) return `${value.length} bytes`
  if (typeof value === 'string') return `a text of ${value.length} characters`
  return typeof value === 'object' ? value : `a ${typeof value}`
}

function isObjectOfOptions(value: unknown): value is JsonObject {
  return isJsonObject(value) && !isBytes(value)
}

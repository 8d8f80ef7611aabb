/**
 * Sealed names of sums. A store adds to a sum by its name, so the same name must be sealed to the same text each time.
 *
 * A sealed name is base64url of: k, the length of the key id, in one byte; the key id; 16 bytes of HMAC-SHA-256 over place and padded name;
 * and the padded name, encrypted by a stream of HMAC-SHA-256 blocks that begins at those 16 bytes. So equal names differ from place to
 * place, and no number is used twice for two names: the order of SIV. Padding hides how long a name is, to the next 32 bytes.
 * Source: https://www.rfc-editor.org/rfc/rfc5297 (the construction: authenticate first, and encrypt from what that gives)
 * @module
 */
import { maxKeyIdBytes, type Encryption } from './encryption.ts'

const tagLength = 16
const blockLength = 32

/** The name of a sum, and the name of the sums that it is one of, before they were hidden. */
export interface PlacedName {
  readonly name: string
  readonly place: string
}

/** The name as it stands in the store, under the current key. */
export function closeSumName(encryption: Encryption, { name, place }: PlacedName): string {
  const id = Buffer.from(encryption.current)
  const text = padded(Buffer.from(name))
  const tag = tagOf(encryption, encryption.current, place, text)
  return Buffer.concat([Buffer.of(id.length), id, tag, crypted(encryption, encryption.current, tag, text)]).toString('base64url')
}

/** The name that was sealed; `undefined` for anything that was not sealed for this place, with a key that is known. */
export function openSumName(encryption: Encryption, sealed: string, place: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  const idLength = bytes[0] ?? 0
  if (idLength === 0 || idLength > maxKeyIdBytes || bytes.length <= 1 + idLength + tagLength) return undefined
  const id = bytes.subarray(1, 1 + idLength).toString()
  if (!encryption.has(id)) return undefined
  const tag = bytes.subarray(1 + idLength, 1 + idLength + tagLength)
  const text = crypted(encryption, id, tag, bytes.subarray(1 + idLength + tagLength))
  if (!tagOf(encryption, id, place, text).equals(tag)) return undefined
  const end = text.lastIndexOf(1)
  return end < 0 ? undefined : text.subarray(0, end).toString()
}

function tagOf(encryption: Encryption, id: string, place: string, text: Uint8Array): Buffer {
  return Buffer.from(encryption.sign(id, 'sum name', [place, text])).subarray(0, tagLength)
}

/** Encrypts and decrypts. */
function crypted(encryption: Encryption, id: string, tag: Uint8Array, text: Uint8Array): Buffer {
  const result = Buffer.from(text)
  for (let block = 0; block * blockLength < result.length; block++) {
    const stream = encryption.sign(id, 'sum stream', [tag, String(block)])
    for (let index = block * blockLength; index < Math.min(result.length, (block + 1) * blockLength); index++) {
      result[index] = (result[index] ?? 0) ^ (stream[index % blockLength] ?? 0)
    }
  }
  return result
}

/** A byte of 1 ends the name, and zeros fill its last block. */
function padded(name: Uint8Array): Buffer {
  const whole = Buffer.alloc(Math.ceil((name.length + 1) / blockLength) * blockLength)
  whole.set(name)
  whole[name.length] = 1
  return whole
}

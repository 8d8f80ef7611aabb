/**
 * Sealed bytes that are no entry: messages between processes, and the sign that a store is encrypted.
 *
 * | offset | bytes | what                                                    |
 * |--------|-------|---------------------------------------------------------|
 * | 0      | 4     | `LSEA`, the mark of an envelope of llmemo               |
 * | 4      | 1     | k, the length of the key id: 1 to 64                    |
 * | 5      | k     | key id, UTF-8                                           |
 * | 5 + k  | rest  | 12 bytes of initialisation vector, 16 bytes of tag, and the content, encrypted by AES-256-GCM |
 *
 * What it is for, all bytes before the initialisation vector, and the place where it lies are authenticated.
 * @module
 */
import { isBytes } from '../base/bytes.ts'
import type { Encryption } from './encryption.ts'

/** `LSEA` */
const magic = Uint8Array.of(0x4c, 0x53, 0x45, 0x41)

/** What an envelope is for, and the channel or the key where it lies. */
export interface EnvelopePlace {
  readonly purpose: 'message' | 'sign'
  readonly place: string
}

/** Whether these bytes are an envelope of llmemo, of whatever key. */
export function isEnvelope(bytes: unknown): bytes is Uint8Array {
  return isBytes(bytes) && bytes.length > magic.length && magic.every((byte, index) => bytes[index] === byte)
}

/** Seals `content` with the current key. */
export function closeEnvelope(encryption: Encryption, content: string, place: EnvelopePlace): Uint8Array {
  const id = Buffer.from(encryption.current)
  const header = Buffer.concat([magic, Buffer.of(id.length), id])
  return new Uint8Array(Buffer.concat([header, ...encryption.seal([Buffer.from(content)], authenticated(header, place))]))
}

/** The id of the key that an envelope names. */
export function keyIdIn(bytes: Uint8Array): string {
  return Buffer.from(headerOf(bytes).subarray(magic.length + 1)).toString()
}

/** What an envelope holds; `undefined` for anything else, and for one that was changed, or closed for another place or with another key. */
export function openEnvelope(encryption: Encryption, bytes: unknown, place: EnvelopePlace): string | undefined {
  if (!isEnvelope(bytes)) return undefined
  const header = headerOf(bytes)
  const content = encryption.open(keyIdIn(bytes), bytes.subarray(header.length), authenticated(header, place))
  return content === undefined ? undefined : Buffer.from(content).toString()
}

function headerOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, magic.length + 1 + (bytes[magic.length] ?? 0))
}

function authenticated(header: Uint8Array, { purpose, place }: EnvelopePlace): Uint8Array {
  return Buffer.concat([header, Buffer.from(`${purpose}:${place}`)])
}

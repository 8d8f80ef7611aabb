/**
 * Entries to bytes and back.
 *
 * Format, version 1. Numbers are unsigned and big endian.
 *
 * | offset    | bytes | what                                                                                          |
 * |-----------|-------|-----------------------------------------------------------------------------------------------|
 * | 0         | 4     | `LMEM`, which says that the bytes are ours                                                    |
 * | 4         | 1     | version: 1                                                                                    |
 * | 5         | 1     | codec of the body: 0 as it is, 1 raw deflate (RFC 1951)                                       |
 * | 6         | 1     | flags: bit 0 encrypted; the others are 0                                                      |
 * | 7         | 1     | k, the length of the key id: 1 to 64 when encrypted, else 0                                   |
 * | 8         | 4     | h, the length of the head                                                                     |
 * | 12        | 4     | b, the length of the body as stored                                                           |
 * | 16        | 4     | length of the body when inflated; the same as b for codec 0, more than b for codec 1          |
 * | 20        | k     | key id, UTF-8                                                                                 |
 * | 20 + k    | e     | when encrypted (e = 28, else 0): 12 bytes of initialisation vector, 16 bytes of tag           |
 * | 20+k+e    | h     | head: JSON, UTF-8                                                                             |
 * | 20+k+e+h  | b     | body: text in UTF-8 for the kinds `json` and `sse`, the bytes themselves for `bytes`          |
 * | the last  | 8     | checksum: the first 8 bytes of SHA-256 over all bytes before it                               |
 *
 * There is nothing after the checksum. When encrypted, head and body together are one ciphertext of AES-256-GCM, and all
 * bytes before the initialisation vector are authenticated with it. Bodies are deflated before they are encrypted, and the
 * lengths stay readable.
 *
 * What may change: members that the head did not have are ignored by who does not know them. A codec or a flag that is not
 * listed here is left alone by who does not know it, as is another version.
 * @module
 */
import { isBytes } from '../base/bytes.ts'
import type { Entry } from '../entry.ts'
import { EntryError, InvalidOptionError } from '../errors.ts'
import { nodeCrypto } from '../base/node-crypto.ts'
import { wholeNumber } from '../base/option-checks.ts'
import { type Compression, runtimeCompression } from './compression.ts'
import { type EncryptionOptions, maxKeyIdBytes, readEncryption, sealLength } from './encryption.ts'
import { damagedEntry, readHead } from './entry-head.ts'

/** Bytes that a body can have: its length has four bytes in the format. */
export const maxStoredBodyBytes = 0xff_ff_ff_ff

/** How entries are written and read. */
export interface CodecOptions {
  /** Bodies of at least so many bytes are compressed, if that makes them smaller; `Infinity`: none ever is. */
  readonly compressAbove: number
  /** Bytes that a body may have when it is not compressed, on writing and on reading. At most 4,294,967,295. */
  readonly maxBodyBytes: number
  /** Encryption at rest. With it, entries that are not encrypted are refused. @default none */
  readonly encryption?: EncryptionOptions | undefined
  /** What deflates and inflates. @default zlib, where the runtime has it */
  readonly compression?: Compression | undefined
}

/** Entries to bytes and back. `decode(encode(entry))` is the entry, or one of the two throws. */
export interface EntryCodec {
  /**
   * The bytes of an entry, in a memory of their own.
   * @throws {EntryError} `DAMAGED_ENTRY` when it could not be read back as it is: its body is over `maxBodyBytes`, is not of
   * its kind or holds a lone surrogate, or its head is not of a head's shape
   */
  encode(entry: Entry): Uint8Array
  /**
   * The entry that `bytes` hold. It shares no memory with them, and the records of its head have no prototype.
   * @throws {EntryError} `NOT_RECOGNISED` for what is not ours or not for us to judge, and is to be left alone: other
   * bytes, another version, an unknown codec or flag, an entry sealed with a key that we do not have.
   * `DAMAGED_ENTRY` for an entry of ours that can be overwritten: truncated, altered, over `maxBodyBytes`, of the wrong
   * shape, or not encrypted where encryption is asked for.
   */
  decode(bytes: Uint8Array): Entry
}

const magic = 0x4c_4d_45_4d
const version = 1
const codecs = { raw: 0, deflate: 1 }
const encrypted = 1
const headerLength = 20
const checksumLength = 8

/**
 * A codec of format version 1.
 * @throws {InvalidOptionError} that names the first option which cannot be
 */
export function createEntryCodec(options: CodecOptions): EntryCodec {
  const { compressAbove, maxBodyBytes, compression = runtimeCompression() } = options
  if (!(compressAbove >= 0)) throw new InvalidOptionError('compressAbove', compressAbove, 'a number of bytes from 0, or Infinity')
  wholeNumber('maxBodyBytes', maxBodyBytes, { least: 1, most: maxStoredBodyBytes, of: 'bytes' })
  const encryption = options.encryption === undefined ? undefined : readEncryption('encryption', options.encryption)
  const keyId = Buffer.from(encryption?.current ?? '')

  return {
    encode(entry) {
      const head = Buffer.from(JSON.stringify(readHead(entry.head)))
      const raw = bodyBytes(entry, maxBodyBytes)
      const deflated = raw.length >= compressAbove ? compression.deflate(raw) : raw
      const body = deflated.length < raw.length ? deflated : raw
      const header = Buffer.alloc(headerLength + keyId.length)
      header.writeUInt32BE(magic, 0)
      header[4] = version
      header[5] = body === raw ? codecs.raw : codecs.deflate
      header[6] = encryption === undefined ? 0 : encrypted
      header[7] = keyId.length
      header.writeUInt32BE(head.length, 8)
      header.writeUInt32BE(body.length, 12)
      header.writeUInt32BE(raw.length, 16)
      header.set(keyId, headerLength)
      const content = encryption === undefined ? [head, body] : encryption.seal([head, body], header)
      return withChecksum([header, ...content])
    },

    decode(bytes) {
      const { codec, isEncrypted, keyIdLength, headLength, storedLength, rawLength, view } = readHeader(bytes)
      const contentStart = headerLength + keyIdLength
      let content = view.subarray(contentStart, view.length - checksumLength)
      if (isEncrypted) {
        const id = view.toString('utf8', headerLength, contentStart)
        if (encryption === undefined) throw unrecognised('the entry is encrypted, and no encryption is configured.')
        if (!encryption.has(id)) throw unrecognised('the entry is encrypted with a key that is not configured.')
        const opened = encryption.open(id, content, view.subarray(0, contentStart))
        if (opened === undefined) throw damagedEntry('it does not open with the key that it names')
        content = Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength)
      } else if (encryption !== undefined) {
        throw damagedEntry('it is not encrypted, as the configuration asks for')
      }
      if (rawLength > maxBodyBytes) throw damagedEntry(`its body of ${rawLength} bytes is over the limit of ${maxBodyBytes}`)
      const head = readHead(parse(text(content.subarray(0, headLength))))
      const stored = content.subarray(headLength, headLength + storedLength)
      const raw = codec === codecs.raw ? stored : compression.inflate(stored, rawLength)
      if (raw.length !== rawLength) throw damagedEntry('its body has not the stated length')
      // The copy keeps neither the store's memory nor what inflating took beyond the body.
      return { head, body: head.kind === 'bytes' ? new Uint8Array(raw) : text(raw) }
    },
  }
}

/** `parts` one after the other and the checksum over them. */
function withChecksum(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  // Neither a Buffer, whose slice() would not copy for a store that means to, nor from its pool, which others write to.
  const whole = new Uint8Array(length + checksumLength)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  whole.set(checksum(whole.subarray(0, length)), length)
  return whole
}

function checksum(bytes: Uint8Array): Buffer {
  return nodeCrypto().hash('sha256', bytes, 'buffer').subarray(0, checksumLength)
}

/** What stands before the content, when all of it fits together and the checksum is right. */
function readHeader(bytes: Uint8Array) {
  // A store of the user's own may give something else at run time.
  if (!isBytes(bytes)) throw unrecognised('the value is not bytes.')
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 5 || view.readUInt32BE(0) !== magic) throw unrecognised('the value is no entry of llmemo.')
  if (view[4] !== version) throw unrecognised(`the entry is of format version ${view[4]}, and only ${version} is known here.`)
  const end = view.length - checksumLength
  if (end < headerLength) throw damagedEntry('it is truncated')
  if (!checksum(view.subarray(0, end)).equals(view.subarray(end))) throw damagedEntry('its checksum is wrong')

  const codec = view.readUInt8(5)
  const flags = view.readUInt8(6)
  if (codec > codecs.deflate || flags > encrypted) throw unrecognised('the entry has a codec or a flag that is not known here.')
  const isEncrypted = flags === encrypted
  const keyIdLength = view.readUInt8(7)
  if (isEncrypted ? keyIdLength === 0 || keyIdLength > maxKeyIdBytes : keyIdLength > 0) throw damagedEntry('its key id has a wrong length')
  const headLength = view.readUInt32BE(8)
  const storedLength = view.readUInt32BE(12)
  const rawLength = view.readUInt32BE(16)
  if (headerLength + keyIdLength + (isEncrypted ? sealLength : 0) + headLength + storedLength !== end) {
    throw damagedEntry('its lengths do not add up')
  }
  if (codec === codecs.raw ? storedLength !== rawLength : storedLength >= rawLength)
    throw damagedEntry('its body has not the stated length')
  return { view, codec, isEncrypted, keyIdLength, headLength, storedLength, rawLength }
}

/** The body in the bytes that are stored, when they are not too many and become the same body again. */
function bodyBytes({ head, body }: Entry, limit: number): Uint8Array {
  if ((head.kind === 'bytes') !== isBytes(body)) throw damagedEntry('its body is not of its kind')
  // No text has fewer bytes than UTF-16 units, so one that is far too long is refused before memory is taken for it.
  if (body.length > limit) throw damagedEntry(`its body is over the limit of ${limit} bytes`)
  if (typeof body !== 'string') return body
  if (!body.isWellFormed()) throw damagedEntry('its body holds a lone surrogate, which UTF-8 cannot')
  const bytes = Buffer.from(body)
  if (bytes.length > limit) throw damagedEntry(`its body of ${bytes.length} bytes is over the limit of ${limit}`)
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new EntryError('DAMAGED_ENTRY', 'an entry is damaged: it holds text that is not UTF-8.', { cause })
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Without the cause: its message quotes the text.
    throw damagedEntry('its head is no JSON')
  }
}

function unrecognised(what: string): EntryError {
  return new EntryError('NOT_RECOGNISED', what)
}

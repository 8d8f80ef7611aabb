/**
 * Converts entries to bytes and back.
 *
 * Format, version 1. Numbers are unsigned and big endian.
 *
 * | offset    | bytes | what                                                                                          |
 * |-----------|-------|-----------------------------------------------------------------------------------------------|
 * | 0         | 4     | `LMEM`, the mark of an entry of llmemo                                                       |
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
 * Nothing follows the checksum. In an encrypted entry, head and body together are one ciphertext of AES-256-GCM. It also
 * authenticates all bytes before the initialisation vector. Bodies are deflated before they are encrypted; the lengths stay
 * readable.
 *
 * What may change: a reader ignores members of the head that it does not know. It leaves an entry alone whose version, codec or
 * flag it does not know.
 * @module
 */
import { latin1Of, utf8Bytes } from '../base/text-bytes.ts'
import { isBytes } from '../base/bytes.ts'
import type { Entry, EntryHead } from '../entry.ts'
import { EntryError, InvalidOptionError } from '../errors.ts'
import { sha256Latin1 } from '../base/digest.ts'
import { wholeNumber } from '../base/option-checks.ts'
import { type Compression, runtimeCompression } from './compression.ts'
import { type EncryptionOptions, maxKeyIdBytes, readEncryption, sealLength } from './encryption.ts'
import { damagedEntry, readHead } from './entry-head.ts'

/** Maximum bytes of a body: its length has four bytes in the format. */
export const maxStoredBodyBytes = 0xff_ff_ff_ff

/** Options of an {@link EntryCodec}. */
export interface CodecOptions {
  /** Bodies of at least this many bytes are compressed, if that makes them smaller by three tenths. `Infinity`: never. */
  readonly compressAbove: number
  /** How hard to compress, from 1 for fast to 9 for small. @default 6 */
  readonly compressionLevel?: number
  /** Maximum bytes of an uncompressed body, both when writing and when reading. At most 4,294,967,295. */
  readonly maxBodyBytes: number
  /** Encryption at rest. With it, unencrypted entries are refused. @default none */
  readonly encryption?: EncryptionOptions | undefined
  /** How bodies are compressed. @default zlib, if the runtime has it */
  readonly compression?: Compression | undefined
}

/** Converts entries to bytes and back. Either `decode(encode(entry))` equals the entry, or one of the two throws. */
export interface EntryCodec {
  /**
   * The bytes of an entry, in their own memory.
   * @throws {EntryError} `DAMAGED_ENTRY` when the entry could not be read back unchanged: its body is larger than `maxBodyBytes`, is not of
   *   its kind or holds a lone surrogate, or its head is invalid
   */
  encode(entry: Entry): Uint8Array
  /**
   * The entry in `bytes`. It shares no memory with them, and the records of its head have no prototype. Two calls with the same bytes may give
   * one head.
   * @throws {EntryError} `NOT_RECOGNISED` when this codec cannot judge the bytes, so that they must be left alone: other data, another
   *   version, an unknown codec or flag, an entry encrypted with a missing key. `DAMAGED_ENTRY` for an entry that may be overwritten:
   *   truncated, altered, larger than `maxBodyBytes`, of the wrong shape, or not encrypted although encryption is configured.
   */
  decode(bytes: Uint8Array): Entry
  /**
   * The head of the entry in `bytes`, and the size of its body, which is not inflated.
   * @throws {EntryError} as `decode` does, unless it is the body that is wrong
   */
  describe(bytes: Uint8Array): { readonly head: EntryHead; readonly bytes: number }
}

const magic = 0x4c_4d_45_4d
const version = 1
const codecs = { raw: 0, deflate: 1 }
const encrypted = 1
const headerLength = 20
/** The share of its length that a deflated body may have. One that shrinks less, as embeddings in base64 do, is not worth inflating at each read. */
const worthInflating = 0.7
const checksumLength = 8
/** The bytes of the longest head that is remembered. */
const maxKnownHead = 2_048

/** How many heads are remembered by the checksums of their entries. */
const maxHeads = 1_000

/**
 * Makes a codec for format version 1.
 * @throws {InvalidOptionError} that names the first invalid option
 */
export function createEntryCodec(options: CodecOptions): EntryCodec {
  const { compressAbove, compressionLevel, maxBodyBytes, compression = runtimeCompression() } = options
  if (!(compressAbove >= 0)) throw new InvalidOptionError('compressAbove', compressAbove, 'a number of bytes from 0, or Infinity')
  wholeNumber('maxBodyBytes', maxBodyBytes, { least: 1, most: maxStoredBodyBytes, of: 'bytes' })
  const encryption = options.encryption === undefined ? undefined : readEncryption('encryption', options.encryption)
  const keyId = utf8Bytes(encryption?.current ?? '')

  const heads = new Map<string, EntryHead>()
  /** The head of the entry with this checksum. To read it again would take as long as the rest of decoding. */
  const headOf = (checksum: string, bytes: Uint8Array): EntryHead => {
    const known = heads.get(checksum)
    if (known !== undefined) return known
    const head = readHead(parse(text(bytes)))
    // A long head, such as one with a name of a megabyte, would take too much room.
    if (bytes.length > maxKnownHead) return head
    if (heads.size >= maxHeads) heads.clear()
    heads.set(checksum, head)
    return head
  }

  /** The head in `bytes`, and the body as it is stored. */
  const open = (bytes: Uint8Array) => {
    const { codec, isEncrypted, keyIdLength, headLength, storedLength, rawLength, sum } = readHeader(bytes)
    const contentStart = headerLength + keyIdLength
    let content = partOf(bytes, contentStart, bytes.byteLength - checksumLength)
    if (isEncrypted) {
      const id = lenient.decode(partOf(bytes, headerLength, contentStart))
      if (encryption === undefined) throw unrecognised('the entry is encrypted, but no encryption is configured.')
      if (!encryption.has(id)) throw unrecognised('the entry is encrypted with a key that is not configured.')
      const opened = encryption.open(id, content, partOf(bytes, 0, contentStart))
      if (opened === undefined) throw damagedEntry('it cannot be decrypted with the key that it names')
      content = partOf(opened, 0, opened.byteLength)
    } else if (encryption !== undefined) {
      throw damagedEntry('it is not encrypted, but the configuration requires encryption')
    }
    if (rawLength > maxBodyBytes) throw damagedEntry(`its body of ${rawLength} bytes is over the limit of ${maxBodyBytes}`)
    const head = headOf(sum, content.subarray(0, headLength))
    return { head, stored: content.subarray(headLength, headLength + storedLength), codec, rawLength }
  }

  return {
    encode(entry) {
      const head = utf8Bytes(JSON.stringify(readHead(entry.head)))
      const raw = bodyBytes(entry, maxBodyBytes)
      const deflated = raw.length >= compressAbove ? compression.deflate(raw, compressionLevel) : raw
      const body = deflated.length < raw.length * worthInflating ? deflated : raw
      const header = new Uint8Array(headerLength + keyId.length)
      const numbers = viewOf(header)
      numbers.setUint32(0, magic)
      header[4] = version
      header[5] = body === raw ? codecs.raw : codecs.deflate
      header[6] = encryption === undefined ? 0 : encrypted
      header[7] = keyId.length
      numbers.setUint32(8, head.length)
      numbers.setUint32(12, body.length)
      numbers.setUint32(16, raw.length)
      header.set(keyId, headerLength)
      const content = encryption === undefined ? [head, body] : encryption.seal([head, body], header)
      return withChecksum([header, ...content])
    },

    decode(bytes) {
      const { head, stored, codec, rawLength } = open(bytes)
      const raw = codec === codecs.raw ? stored : compression.inflate(stored, rawLength)
      if (raw.length !== rawLength) throw damagedEntry('its body does not have the stated length')
      // A copy, so that the store's memory and the larger buffer of inflating can be freed.
      return { head, body: head.kind === 'bytes' ? new Uint8Array(raw) : text(raw) }
    },

    describe(bytes) {
      const { head, rawLength } = open(bytes)
      return { head, bytes: rawLength }
    },
  }
}

/** The size of the body of an encoded entry, and its size as stored. */
export function bodySizes(encoded: Uint8Array): { readonly bytes: number; readonly storedBytes: number } {
  const view = viewOf(encoded)
  return { bytes: view.getUint32(16), storedBytes: view.getUint32(12) }
}

/** All of `parts` in order, followed by their checksum. */
function withChecksum(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  // Not a Buffer: its slice() does not copy, which a store may rely on, and Buffers from the pool share memory.
  const whole = new Uint8Array(length + checksumLength)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  const sum = checksum(whole.subarray(0, length))
  for (let index = 0; index < checksumLength; index++) whole[length + index] = sum.charCodeAt(index)
  return whole
}

/** One byte in each character. */
function checksum(bytes: Uint8Array): string {
  return sha256Latin1(bytes).slice(0, checksumLength)
}

/** The header, after checks of its lengths and of the checksum. */
function readHeader(bytes: Uint8Array) {
  // A user's own store may return something other than its type says.
  if (!isBytes(bytes)) throw unrecognised('the value is not bytes.')
  const view = viewOf(bytes)
  if (view.byteLength < 5 || view.getUint32(0) !== magic) throw unrecognised('the value is not an entry of llmemo.')
  if (bytes[4] !== version) throw unrecognised(`the entry has format version ${bytes[4]}; this version of llmemo reads only ${version}.`)
  const end = bytes.byteLength - checksumLength
  if (end < headerLength) throw damagedEntry('it is truncated')
  const sum = checksum(partOf(bytes, 0, end))
  if (latin1Of(partOf(bytes, end, bytes.byteLength)) !== sum) throw damagedEntry('its checksum is wrong')

  const codec = view.getUint8(5)
  const flags = view.getUint8(6)
  if (codec > codecs.deflate || flags > encrypted)
    throw unrecognised('the entry has a codec or a flag that this version of llmemo does not know.')
  const isEncrypted = flags === encrypted
  const keyIdLength = view.getUint8(7)
  if (isEncrypted ? keyIdLength === 0 || keyIdLength > maxKeyIdBytes : keyIdLength > 0) throw damagedEntry('its key id has a wrong length')
  const headLength = view.getUint32(8)
  const storedLength = view.getUint32(12)
  const rawLength = view.getUint32(16)
  if (headerLength + keyIdLength + (isEncrypted ? sealLength : 0) + headLength + storedLength !== end) {
    throw damagedEntry('its lengths do not add up')
  }
  if (codec === codecs.raw ? storedLength !== rawLength : storedLength >= rawLength)
    throw damagedEntry('its body does not have the stated length')
  return { sum, codec, isEncrypted, keyIdLength, headLength, storedLength, rawLength }
}

/** The bytes of the body to store. Refuses a body that is too large or could not be read back unchanged. */
function bodyBytes({ head, body }: Entry, limit: number): Uint8Array {
  if ((head.kind === 'bytes') !== isBytes(body)) throw damagedEntry('its body does not match its kind')
  // A text has at least as many bytes as UTF-16 units. So a far too long text is refused before memory is taken for it.
  if (body.length > limit) throw damagedEntry(`its body is over the limit of ${limit} bytes`)
  if (typeof body !== 'string') return body
  if (!body.isWellFormed()) throw damagedEntry('its body holds a lone surrogate, which UTF-8 cannot hold')
  const bytes = utf8Bytes(body)
  if (bytes.length > limit) throw damagedEntry(`its body of ${bytes.length} bytes is over the limit of ${limit}`)
  return bytes
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** The bytes from `start` to `end`, as plain bytes: a store may give bytes of a class of its own. */
function partOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, Math.max(0, end - start))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

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
    throw damagedEntry('its head is not JSON')
  }
}

function unrecognised(what: string): EntryError {
  return new EntryError('NOT_RECOGNISED', what)
}

/**
 * AWS's framing of a stream of events: each message has a prelude with its lengths, headers, a payload, and checksums of both.
 * Source: https://smithy.io/2.0/aws/amazon-eventstream.html#message-framing
 * @module
 */

/** One message. */
export interface EventMessage {
  /** The headers that are texts, by their names: `:event-type`. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array
}

/** Bytes before the headers: the two lengths and their checksum. */
const preludeLength = 12
/** The checksum at the end. */
const checksumLength = 4
/** The type of a header whose value is a text. */
const textType = 7
/** The lengths of header values by their types; types 6 and 7 begin with a length of their own. */
const valueLengths: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 }

/** The whole messages in these bytes, without one that is cut off at their end; `undefined` if the bytes are damaged. */
export function readMessages(bytes: Uint8Array): EventMessage[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: EventMessage[] = []
  for (let at = 0; at + preludeLength <= bytes.byteLength;) {
    const [length, headersLength] = [view.getUint32(at), view.getUint32(at + 4)]
    if (length < preludeLength + headersLength + checksumLength) return undefined
    if (view.getUint32(at + 8) !== checksum(bytes.subarray(at, at + 8))) return undefined
    if (at + length > bytes.byteLength) break
    const end = at + length - checksumLength
    if (view.getUint32(end) !== checksum(bytes.subarray(at, end))) return undefined
    const start = at + preludeLength
    const headers = readHeaders(bytes.subarray(start, start + headersLength))
    if (headers === undefined) return undefined
    messages.push({ headers, payload: bytes.subarray(start + headersLength, end) })
    at += length
  }
  return messages
}

function readHeaders(bytes: Uint8Array): Record<string, string> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const decoder = new TextDecoder()
  const headers: Record<string, string> = {}
  try {
    for (let at = 0; at < bytes.byteLength;) {
      const nameEnd = at + 1 + view.getUint8(at)
      const name = decoder.decode(bytes.subarray(at + 1, nameEnd))
      const type = view.getUint8(nameEnd)
      const isSized = type === 6 || type === textType
      const start = nameEnd + (isSized ? 3 : 1)
      const length = isSized ? view.getUint16(nameEnd + 1) : valueLengths[type]
      if (length === undefined) return undefined
      if (type === textType) headers[name] = decoder.decode(bytes.subarray(start, start + length))
      at = start + length
    }
    return headers
  } catch {
    return undefined
  }
}

/** The bytes of a message. */
export function writeMessage({ headers, payload }: EventMessage): Uint8Array {
  const encoder = new TextEncoder()
  const parts = Object.entries(headers).map(([name, value]) => {
    const [key, text] = [encoder.encode(name), encoder.encode(value)]
    return Uint8Array.of(key.byteLength, ...key, textType, text.byteLength >> 8, text.byteLength & 0xff, ...text)
  })
  const headersLength = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const length = preludeLength + headersLength + payload.byteLength + checksumLength
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length)
  view.setUint32(4, headersLength)
  view.setUint32(8, checksum(bytes.subarray(0, 8)))
  let at = preludeLength
  for (const part of [...parts, payload]) {
    bytes.set(part, at)
    at += part.byteLength
  }
  view.setUint32(at, checksum(bytes.subarray(0, at)))
  return bytes
}

/** CRC-32 as in gzip. Source: https://www.rfc-editor.org/rfc/rfc1952#section-8 */
const checksums = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (value >>> 8) ^ (checksums[(value ^ byte) & 0xff] ?? 0)
  return (value ^ 0xffffffff) >>> 0
}

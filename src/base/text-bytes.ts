/**
 * Bytes of texts, in UTF-8 and base64, and bytes joined and compared: by `Buffer`, which is fastest, where the runtime has it. Workers and
 * browsers do not.
 * @module
 */

/** Node's `Buffer`, as far as the runtime has it. Not the bare name, for which some bundlers put in a whole substitute. */
const buffer: typeof Buffer | undefined = globalThis.Buffer

const encoder = new TextEncoder()

/** The bytes of `text` in UTF-8. They may share their memory with others. */
export function utf8Bytes(text: string): Uint8Array {
  return buffer === undefined ? encoder.encode(text) : buffer.from(text)
}

/** How many bytes `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  return buffer === undefined ? encoder.encode(text).byteLength : buffer.byteLength(text)
}

/** `bytes` as characters of one byte each, for some thousand bytes at the most. */
export function latin1Of(bytes: Uint8Array): string {
  // To spread them takes five times as long.
  const text: unknown = Reflect.apply(String.fromCharCode, undefined, bytes)
  return String(text)
}

/** `bytes` in base64, with padding. */
export function base64Of(bytes: Uint8Array): string {
  if (buffer !== undefined) return buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let characters = ''
  for (let start = 0; start < bytes.length; start += maxArguments) {
    characters += latin1Of(bytes.subarray(start, start + maxArguments))
  }
  return btoa(characters)
}

/** More arguments at once would not fit on the stack of some runtimes. */
const maxArguments = 8_192

/** The bytes of base64 of either alphabet, in memory of their own. What is no base64 is passed over, as `Buffer` does. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  if (buffer !== undefined) return new Uint8Array(buffer.from(text, 'base64'))
  const [digits = ''] = text.replaceAll('-', '+').replaceAll('_', '/').split('=', 1)
  const clean = digits.replaceAll(/[^A-Za-z0-9+/]/g, '')
  // A single digit at the end is no whole byte.
  const characters = atob(clean.length % 4 === 1 ? clean.slice(0, -1) : clean)
  return Uint8Array.from(characters, (character) => character.charCodeAt(0))
}

/** All of `parts` in order. They may share their memory with others. */
export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (buffer !== undefined) return buffer.concat(parts)
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}

/** The last position of `part` in `bytes`; -1 if it is not in them. */
export function lastPositionOf(bytes: Uint8Array, part: Uint8Array): number {
  const [first = 0] = part
  let at = bytes.lastIndexOf(first)
  while (at > 0 && !part.every((byte, index) => bytes[at + index] === byte)) at = bytes.lastIndexOf(first, at - 1)
  return part.every((byte, index) => bytes[at + index] === byte) ? at : -1
}

/** Whether both are the same bytes. */
export function isSameBytes(first: Uint8Array, second: Uint8Array): boolean {
  return first.byteLength === second.byteLength && first.every((byte, index) => byte === second[index])
}

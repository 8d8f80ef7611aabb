/**
 * The format of a value that is too large for one key of Redis: its chunks, and the header in its place.
 *
 * Redis serves one command at a time, and a connection one reply after another. So a value of many megabytes would delay all other users.
 * The chunks have keys with a random id of their write, and the header names that id. So two writes cannot get mixed up, whichever ends
 * last. The header is written after the chunks.
 * @module
 */
import { latin1Of } from '../../base/text-bytes.ts'

/** The content of a header. */
export interface ChunkHeader {
  /** A new one for each write. */
  readonly id: string
  readonly count: number
  /** Bytes of the whole value. */
  readonly length: number
}

/** A value that was cut into chunks. */
export interface Chunked {
  readonly header: ChunkHeader
  readonly chunks: readonly Uint8Array[]
}

/** Maximum chunks of a value, so that a forged header cannot cause endless reads. */
export const maxChunks = 10_000

const marker = new TextEncoder().encode('llmemo chunks ')
const format = /^llmemo chunks 1 ([0-9a-f-]{36}) (\d{1,5}) (\d{1,10})$/
/** Maximum bytes of a header. */
export const maxHeaderBytes = 'llmemo chunks 1 '.length + 36 + 1 + 5 + 1 + 10

/** Whether a value must be cut into chunks. A value that looks like a header must be cut too, or it would be read as one. */
export function mustBeCut(value: Uint8Array, maxValueBytes: number): boolean {
  return value.byteLength > maxValueBytes || isHeader(value)
}

/** Whether a value begins as a header does. */
export function isHeader(value: Uint8Array): boolean {
  return value.byteLength >= marker.byteLength && marker.every((byte, index) => value[index] === byte)
}

/** Cuts `value` into chunks of `maxValueBytes`. They share its memory. */
export function cut(value: Uint8Array, maxValueBytes: number): Chunked {
  const chunks: Uint8Array[] = []
  for (let start = 0; start < value.byteLength; start += maxValueBytes) chunks.push(value.subarray(start, start + maxValueBytes))
  return { header: { id: crypto.randomUUID(), count: chunks.length, length: value.byteLength }, chunks }
}

/** One value of all its chunks. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.byteLength, 0))
  let start = 0
  for (const chunk of chunks) {
    whole.set(chunk, start)
    start += chunk.byteLength
  }
  return whole
}

/** The bytes of a header, which stand under the key of the value. */
export function headerBytes({ id, count, length }: ChunkHeader): Uint8Array {
  return new TextEncoder().encode(`llmemo chunks 1 ${id} ${count} ${length}`)
}

/** The content of a header; `undefined` for an invalid one. */
export function readHeader(value: Uint8Array): ChunkHeader | undefined {
  const [, id, count, length] = value.byteLength <= maxHeaderBytes ? (format.exec(latin1Of(value)) ?? []) : []
  if (id === undefined || !(Number(count) <= maxChunks)) return undefined
  return { id, count: Number(count), length: Number(length) }
}

/** The keys of the chunks. They begin with the value's own key, because access rules of Redis use key prefixes. */
export function chunkKeys(key: string, { id, count }: ChunkHeader): string[] {
  return Array.from({ length: count }, (_, index) => `${key}:chunk:${id}:${index}`)
}

/** Whether `key` is the key of a chunk. */
export function isChunkKey(key: string): boolean {
  return /:chunk:[0-9a-f-]{36}:\d{1,5}$/.test(key)
}

const lookalike = /:chunk:[0-9a-f-]{36}:\d{1,5}\.*$/

/** The name in Redis of a key of the caller. One that could be taken for a chunk's gets a dot at its end. */
export function nameOf(key: string): string {
  return key.includes(':chunk:') && lookalike.test(key) ? `${key}.` : key
}

/** The caller's key with this name in Redis. */
export function keyOf(name: string): string {
  return name.endsWith('.') && lookalike.test(name) ? name.slice(0, -1) : name
}

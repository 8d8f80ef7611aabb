/**
 * A value too large for one key of Redis: its chunks, and the header that stands in its place.
 *
 * Redis serves one command at a time, and a connection one reply after another, so that a value of many megabytes would hold up
 * everybody. The chunks lie under keys with a random id of their writing in them, and the header names that id: two writings can
 * not be mixed up, whichever of them comes last. The header is written after the chunks.
 * @module
 */

/** What a header says. */
export interface ChunkHeader {
  /** Told anew for each writing. */
  readonly id: string
  readonly count: number
  /** Bytes of the whole value. */
  readonly length: number
}

/** A value cut up. */
export interface Chunked {
  readonly header: ChunkHeader
  readonly chunks: readonly Buffer[]
}

/** Chunks that a value may have, so that a header which is made up cannot make us ask for ever. */
export const maxChunks = 10_000

const marker = Buffer.from('llmemo chunks ')
const format = /^llmemo chunks 1 ([0-9a-f-]{36}) (\d{1,5}) (\d{1,10})$/
/** Bytes that a header has at the most. */
export const maxHeaderBytes = 'llmemo chunks 1 '.length + 36 + 1 + 5 + 1 + 10

/** Whether a value must be cut up. One that looks like a header must, as it would be taken for one. */
export function mustBeCut(value: Uint8Array, maxValueBytes: number): boolean {
  return value.byteLength > maxValueBytes || isHeader(value)
}

/** Whether a value begins as a header does. */
export function isHeader(value: Uint8Array): boolean {
  return value.byteLength >= marker.byteLength && marker.equals(value.subarray(0, marker.byteLength))
}

/** `value` cut up into chunks of `maxValueBytes`, which share its memory. */
export function cut(value: Buffer, maxValueBytes: number): Chunked {
  const chunks: Buffer[] = []
  for (let start = 0; start < value.byteLength; start += maxValueBytes) chunks.push(value.subarray(start, start + maxValueBytes))
  return { header: { id: crypto.randomUUID(), count: chunks.length, length: value.byteLength }, chunks }
}

/** The value under the key of what was cut up. */
export function headerBytes({ id, count, length }: ChunkHeader): Buffer {
  return Buffer.from(`llmemo chunks 1 ${id} ${count} ${length}`)
}

/** What a header says; `undefined` for one that we cannot read. */
export function readHeader(value: Uint8Array): ChunkHeader | undefined {
  const [, id, count, length] = value.byteLength <= maxHeaderBytes ? (format.exec(Buffer.from(value).toString('latin1')) ?? []) : []
  if (id === undefined || !(Number(count) <= maxChunks)) return undefined
  return { id, count: Number(count), length: Number(length) }
}

/** Where the chunks lie. Their keys begin with the value's own, as access rules of Redis go by how keys begin. */
export function chunkKeys(key: string, { id, count }: ChunkHeader): string[] {
  return Array.from({ length: count }, (_, index) => `${key}:chunk:${id}:${index}`)
}

/** Whether a key is that of a chunk. */
export function isChunkKey(key: string): boolean {
  return /:chunk:[0-9a-f-]{36}:\d{1,5}$/.test(key)
}

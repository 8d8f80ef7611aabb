/**
 * Raw deflate (RFC 1951) by fflate, which is plain JavaScript and runs everywhere.
 * @module
 */
// The `/browser` build is the one without worker_threads, and the one of which a bundler keeps only what is named here.
import { deflateSync, Inflate } from 'fflate/browser'
import { type Compression, notInflatable } from './compression-contract.ts'

/**
 * Bytes that fflate is given at a time. It inflates all of what it is given before it says how much that was, and a byte
 * can become 1,032, so this bounds by how much the limit is overshot: about 4 MB.
 * Source: https://zlib.net/zlib_tech.html (maximum compression factor)
 */
const chunkBytes = 4_096

/** Compression by fflate. */
export const fflateCompression: Compression = {
  deflate: (bytes) => deflateSync(bytes),
  inflate(bytes, limit) {
    const parts: Uint8Array[] = []
    let length = 0
    // The one-shot inflateSync has no limit, and cuts off silently where it is given a buffer; only the stream can be stopped.
    const stream = new Inflate((part) => {
      parts.push(part)
      length += part.length
    })
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const end = Math.min(start + chunkBytes, bytes.length)
      try {
        stream.push(bytes.subarray(start, end), end === bytes.length)
      } catch (cause) {
        throw notInflatable({ cause })
      }
      if (length > limit) throw notInflatable()
    }
    return join(parts, length)
  },
}

/** `parts` one after the other, in a memory of their own. */
function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

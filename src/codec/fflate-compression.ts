/**
 * Raw deflate (RFC 1951) by fflate, which is plain JavaScript and runs everywhere.
 * @module
 */
// The `/browser` build needs no worker_threads, and bundlers can drop its unused parts.
import { deflateSync, Inflate } from 'fflate/browser'
import { type Compression, notInflatable } from './compression-contract.ts'

/**
 * Bytes per step. fflate inflates each step completely before it reports the size, and one byte can become 1,032. So the result can exceed
 * the limit by at most about 4 MB.
 * Source: https://zlib.net/zlib_tech.html (maximum compression factor)
 */
const chunkBytes = 4_096

/** Compression by fflate. */
export const fflateCompression: Compression = {
  deflate: (bytes, level) => deflateSync(bytes, isLevel(level) ? { level } : {}),
  inflate(bytes, limit) {
    const parts: Uint8Array[] = []
    let length = 0
    // Only the stream can be stopped at a limit. The one-shot inflateSync has none, and silently truncates to a given buffer.
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

function isLevel(level: number | undefined): level is 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 {
  return level !== undefined && level >= 1 && level <= 9
}

/** All of `parts` in order, in their own memory. */
function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

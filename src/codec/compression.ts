/**
 * Raw deflate (RFC 1951), by the runtime's own zlib or, where it has none, by fflate. What the one deflates, the other inflates.
 * @module
 */
// The `/browser` build is the one without worker_threads, and the one of which a bundler keeps only what is named here.
import { deflateSync, Inflate } from 'fflate/browser'
import { EntryError } from '../errors.ts'

/** Deflates and inflates. */
export interface Compression {
  /** `bytes` as a raw deflate stream. */
  deflate(bytes: Uint8Array): Uint8Array
  /**
   * What the raw deflate stream `bytes` holds. Inflating stops at `limit`, whatever the stream goes on to hold.
   * @param limit bytes that the result may have at most, 1 or more
   * @throws {EntryError} `DAMAGED_ENTRY` when it is no whole deflate stream or holds more than `limit` bytes
   */
  inflate(bytes: Uint8Array, limit: number): Uint8Array
}

/** Compression by `node:zlib`, or `undefined` where the runtime does not have it. */
export function zlibCompression(): Compression | undefined {
  // By this call and not by an import, which would not load at all in a runtime without the module.
  // Source: https://nodejs.org/api/process.html#processgetbuiltinmoduleid
  const runtime: Partial<NodeJS.Process> | undefined = globalThis.process
  const zlib = runtime?.getBuiltinModule?.('node:zlib')
  if (zlib === undefined) return undefined
  return {
    deflate: (bytes) => zlib.deflateRawSync(bytes),
    inflate(bytes, limit) {
      try {
        return zlib.inflateRawSync(bytes, { maxOutputLength: limit })
      } catch (cause) {
        throw notInflatable({ cause })
      }
    },
  }
}

/**
 * Bytes that fflate is given at a time. It inflates all of what it is given before it says how much that was, and a byte
 * can become 1,032, so this bounds by how much the limit is overshot: about 4 MB.
 * Source: https://zlib.net/zlib_tech.html (maximum compression factor)
 */
const portion = 4_096

/** Compression by fflate, which is plain JavaScript and runs everywhere. */
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
    for (let start = 0; start < bytes.length; start += portion) {
      const end = Math.min(start + portion, bytes.length)
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

/** The fastest compression that this runtime has. */
export function runtimeCompression(): Compression {
  return zlibCompression() ?? fflateCompression
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

function notInflatable(options?: { cause: unknown }): EntryError {
  return new EntryError('DAMAGED_ENTRY', 'the body of an entry cannot be inflated within its stated length.', options)
}

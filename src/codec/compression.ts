/**
 * Raw deflate (RFC 1951), by the runtime's own zlib or else by fflate. Each can read what the other one wrote.
 * Both are loaded at their first use, because loading takes milliseconds.
 * @module
 */
import { EntryError } from '../errors.ts'
import { type Compression, notInflatable } from './compression-contract.ts'

export type { Compression } from './compression-contract.ts'

/** Bytes of a piece that zlib inflates into: no fewer than it takes, and no more at once than a forged length is worth. */
const leastChunk = 64
const mostChunk = 256 * 1_024

/** Compression by `node:zlib`, or `undefined` if the runtime does not have it. */
export function zlibCompression(): Compression | undefined {
  // Not an import, which would fail to load in a runtime without the module.
  // Source: https://nodejs.org/api/process.html#processgetbuiltinmoduleid
  const runtime: Partial<NodeJS.Process> | undefined = globalThis.process
  const zlib = runtime?.getBuiltinModule?.('node:zlib')
  if (zlib === undefined) return undefined
  return {
    deflate: (bytes, level) => zlib.deflateRawSync(bytes, level === undefined ? {} : { level }),
    inflate(bytes, limit) {
      try {
        // Room for all of it at once. zlib asks for one byte more before it sees the end.
        return zlib.inflateRawSync(bytes, { maxOutputLength: limit, chunkSize: Math.min(Math.max(limit + 1, leastChunk), mostChunk) })
      } catch (cause) {
        throw notInflatable({ cause })
      }
    },
  }
}

/**
 * The fastest compression of this runtime: zlib, otherwise the one that `load` returns. Until that is loaded, nothing is compressed, and
 * compressed entries are left alone.
 * @param load loads the other compression @default there is none
 */
export function runtimeCompression(load?: () => Promise<Compression>): Compression {
  let asked = false
  let found: Compression | undefined
  const compression = (): Compression | undefined => {
    if (asked) return found
    asked = true
    found = zlibCompression()
    if (found === undefined) load?.().then((loaded) => (found = loaded), ignore)
    return found
  }
  return {
    deflate: (bytes, level) => compression()?.deflate(bytes, level) ?? bytes,
    inflate(bytes, limit) {
      const own = compression()
      if (own === undefined)
        throw new EntryError('NOT_RECOGNISED', 'a stored entry is compressed, but this process has loaded no decompression.')
      return own.inflate(bytes, limit)
    },
  }
}

/** If the compression cannot be loaded, entries stay uncompressed. */
function ignore(): void {}

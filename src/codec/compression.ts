/**
 * Raw deflate (RFC 1951), by the runtime's own zlib or else by fflate. Each can read what the other one wrote.
 * Both are loaded at their first use, because loading takes milliseconds.
 * @module
 */
import { builtinModule, hasBuiltinModule } from '../base/runtime.ts'
import { EntryError } from '../errors.ts'
import { type Compression, notInflatable } from './compression-contract.ts'

export type { Compression } from './compression-contract.ts'

/** Bytes of a piece that zlib inflates into: no fewer than it takes, and no more at once than a forged length is worth. */
const leastChunk = 64
const mostChunk = 256 * 1_024

/** The compression of a runtime, which may have to be loaded. */
export interface RuntimeCompression extends Compression {
  /**
   * Begins to load the compression of a runtime that has none of its own.
   * @returns a promise that is fulfilled when it is loaded, or has turned out to be missing; `undefined` if nothing is being loaded
   */
  ready(): Promise<void> | undefined
}

/** Compression by `node:zlib`, or `undefined` if the runtime does not have it. */
export function zlibCompression(): Compression | undefined {
  const { deflateRawSync, inflateRawSync } = builtinModule((load) => load('node:zlib')) ?? {}
  if (deflateRawSync === undefined || inflateRawSync === undefined) return undefined
  return {
    deflate: (bytes, level) => deflateRawSync(bytes, level === undefined ? {} : { level }),
    inflate(bytes, limit) {
      try {
        // Room for all of it at once. zlib asks for one byte more before it sees the end.
        return inflateRawSync(bytes, { maxOutputLength: limit, chunkSize: Math.min(Math.max(limit + 1, leastChunk), mostChunk) })
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
export function runtimeCompression(load?: () => Promise<Compression>): RuntimeCompression {
  let asked = false
  let found: Compression | undefined
  let loading: Promise<void> | undefined
  const compression = (): Compression | undefined => {
    if (asked) return found
    asked = true
    found = zlibCompression()
    if (found === undefined && load !== undefined) loading = loaded(load)
    return found
  }
  const loaded = async (other: () => Promise<Compression>): Promise<void> => {
    try {
      found = await other()
    } catch {
      // If the compression cannot be loaded, entries stay uncompressed.
    }
    loading = undefined
  }
  return {
    ready() {
      // zlib takes a moment to load, and is not before something is compressed.
      if (!asked && load !== undefined && !hasBuiltinModule('node:zlib')) compression()
      return loading
    },
    deflate: (bytes, level) => compression()?.deflate(bytes, level) ?? bytes,
    inflate(bytes, limit) {
      const own = compression()
      if (own === undefined)
        throw new EntryError('NOT_RECOGNISED', 'a stored entry is compressed, but this process has loaded no decompression.')
      return own.inflate(bytes, limit)
    },
  }
}

/**
 * Raw deflate (RFC 1951), by the runtime's own zlib or, where it has none, by fflate. What the one deflates, the other inflates.
 * Either is loaded when it is first needed, as that takes milliseconds.
 * @module
 */
import { EntryError } from '../errors.ts'
import { type Compression, notInflatable } from './compression-contract.ts'

export type { Compression } from './compression-contract.ts'

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
 * The fastest compression that this runtime has: zlib, else another that is still to be loaded. Until it is, nothing is made smaller, and
 * what was made smaller before is left alone.
 * @param load loads the other one @default there is none
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
    deflate: (bytes) => compression()?.deflate(bytes) ?? bytes,
    inflate(bytes, limit) {
      const own = compression()
      if (own === undefined) throw new EntryError('NOT_RECOGNISED', 'a stored entry is compressed, and nothing is loaded that inflates.')
      return own.inflate(bytes, limit)
    },
  }
}

/** Where it cannot be loaded, entries are kept as they are. */
function ignore(): void {}

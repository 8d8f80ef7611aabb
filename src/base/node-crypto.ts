/**
 * `node:crypto`, loaded at its first use, because loading it takes longer than loading all of llmemo.
 * @module
 */
import type * as crypto from 'node:crypto'

let loaded: typeof crypto | undefined

/** The module `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  // Not an import, which would load the module at once.
  // Source: https://nodejs.org/api/process.html#processgetbuiltinmoduleid
  loaded ??= process.getBuiltinModule('node:crypto')
  return loaded
}

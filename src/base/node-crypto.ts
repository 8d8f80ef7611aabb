/**
 * `node:crypto`, loaded when it is first needed: that takes longer than to load all of llmemo.
 * @module
 */
import type * as crypto from 'node:crypto'

let loaded: typeof crypto | undefined

/** The module, from when it is first asked for. */
export function nodeCrypto(): typeof crypto {
  // By this call, as an import would load it at once.
  // Source: https://nodejs.org/api/process.html#processgetbuiltinmoduleid
  loaded ??= process.getBuiltinModule('node:crypto')
  return loaded
}

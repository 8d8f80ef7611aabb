/**
 * `node:crypto`, loaded at its first use, because loading it takes longer than loading all of llmemo.
 * @module
 */
import type * as crypto from 'node:crypto'
import { Description, InvalidOptionError } from '../errors.ts'
import { builtinModule } from './runtime.ts'

let loaded: Partial<typeof crypto> | undefined

/** The module `node:crypto`, as far as the runtime has it; `undefined` where it has none. */
export function cryptoIfThere(): Partial<typeof crypto> | undefined {
  return (loaded ??= builtinModule((load) => load('node:crypto')))
}

/**
 * The module `node:crypto`, which encryption needs.
 * @throws {InvalidOptionError} in a runtime without it
 */
export function nodeCrypto(): typeof crypto {
  const module = cryptoIfThere()
  if (module !== undefined && isWhole(module)) return module
  throw new InvalidOptionError('encryption', new Description('given'), 'none in this runtime, because it has no node:crypto')
}

function isWhole(module: Partial<typeof crypto>): module is typeof crypto {
  return module.createCipheriv !== undefined && module.createSecretKey !== undefined
}

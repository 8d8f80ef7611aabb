/**
 * Removes one answer by its result: whatever a client, a caching fetch or a look-up returned.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import { storedKeysOf } from '../engine/cache-info.ts'
import type { Engine } from '../engine/engine.ts'
import { isKey } from '../engine/invalidation/labels.ts'
import { InvalidOptionError } from '../errors.ts'

/**
 * Removes the stored answer that `result` is, or was made of.
 * @returns whether every tier did so
 * @throws {InvalidOptionError} for something without cache facts
 */
export async function forget(engine: Engine, result: unknown): Promise<boolean> {
  const info = engine.infoOf(result) ?? infoIn(result)
  if (info === undefined) {
    throw new InvalidOptionError('answer', kindOf(result), 'a result of a wrapped client or of lookup(), awaited, or its _cache')
  }
  const keys = storedKeysOf(info)
  return keys.length === 0 || engine.forget(keys)
}

/** The facts that a result bears, or that it is. */
function infoIn(result: unknown): CacheInfo | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  return [Reflect.get(result, '_cache'), Reflect.get(result, 'info'), result].find(isInfo)
}

function isInfo(value: unknown): value is CacheInfo {
  if (typeof value !== 'object' || value === null || typeof Reflect.get(value, 'hit') !== 'boolean') return false
  const key: unknown = Reflect.get(value, 'key')
  return key === '' || isKey(key)
}

/** An answer must not get into an error. */
function kindOf(result: unknown): string {
  return result instanceof Promise ? 'a promise' : `a value of type ${typeof result}`
}

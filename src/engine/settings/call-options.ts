/**
 * Checks of what a single call may ask of the cache.
 * @module
 */
import { assertKnown, wholeNumber } from '../../base/option-checks.ts'
import type { CacheMode, CallOptions } from '../../call.ts'
import { milliseconds } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'

/** The modes of a call. */
export const cacheModes: readonly CacheMode[] = ['default', 'no-store', 'reload', 'only-if-cached', 'force-cache']
const known = ['mode', 'ttl', 'operation', 'context', 'tags', 'scope', 'variant']

/**
 * Checks call options. A mistake is an error at the call that names the option.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function assertCallOptions(value: unknown): asserts value is CallOptions {
  assertKnown('cache.', value, known)
  // Read as the code that uses them reads them, inherited ones too.
  const options: Record<string, unknown> = Object.fromEntries(known.map((name): [string, unknown] => [name, Reflect.get(value, name)]))
  const { mode, ttl, operation, tags, scope, variant } = options
  if (mode !== undefined && !isCacheMode(mode)) throw new InvalidOptionError('cache.mode', mode, cacheModes)
  if (ttl !== undefined) milliseconds('cache.ttl', ttl)
  if (operation !== undefined && (typeof operation !== 'string' || operation === '')) {
    throw new InvalidOptionError('cache.operation', operation, 'a text that is not empty')
  }
  // A tenant without an id must not fall back to the scope that all share.
  if ('scope' in value && typeof scope !== 'string') throw new InvalidOptionError('cache.scope', scope, 'a text, or no such option')
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== ''))) {
    throw new InvalidOptionError('cache.tags', tags, 'an array of texts that are not empty')
  }
  if (variant !== undefined) wholeNumber('cache.variant', variant, { least: 0 })
}

/** Whether `value` is one of fetch's cache modes that the cache has a meaning for. */
export function isCacheMode(value: unknown): value is CacheMode {
  return cacheModes.some((mode) => mode === value)
}

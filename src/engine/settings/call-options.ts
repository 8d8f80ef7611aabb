/**
 * Checks of what a single call may ask of the cache.
 * @module
 */
import { assertKnown, wholeNumber } from '../../base/option-checks.ts'
import type { CacheMode, CallOptions } from '../../call.ts'
import { milliseconds } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'
import { readOnce } from '../../json/read-once.ts'

/** The modes of a call. */
export const cacheModes: readonly CacheMode[] = ['default', 'no-store', 'reload', 'only-if-cached', 'force-cache']
const known = ['mode', 'ttl', 'operation', 'context', 'tags', 'scope', 'variant']

/**
 * Checks call options. A mistake is an error at the call that names the option.
 * @param path the text before the names of the options, for the error
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function assertCallOptions(value: unknown, path = 'cache.'): asserts value is CallOptions {
  assertKnown(path, value, known)
  // Read as the code that uses them reads them, inherited ones too.
  const options: Record<string, unknown> = Object.fromEntries(known.map((name): [string, unknown] => [name, Reflect.get(value, name)]))
  const { mode, ttl, operation, tags, scope, variant } = options
  if (mode !== undefined && !isCacheMode(mode)) throw new InvalidOptionError(`${path}mode`, mode, cacheModes)
  if (ttl !== undefined) milliseconds(`${path}ttl`, ttl)
  if (operation !== undefined && (typeof operation !== 'string' || operation === '')) {
    throw new InvalidOptionError(`${path}operation`, operation, 'a text that is not empty')
  }
  // A tenant without an id must not fall back to the scope that all share.
  if ('scope' in value && typeof scope !== 'string') throw new InvalidOptionError(`${path}scope`, scope, 'a text, or no such option')
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== ''))) {
    throw new InvalidOptionError(`${path}tags`, tags, 'an array of texts that are not empty')
  }
  if (variant !== undefined) wholeNumber(`${path}variant`, variant, { least: 0 })
}

/** A copy of call options, which the caller may change while the call is made. Anything else is returned as it is, for the check to refuse. */
export function ownOptions<Given>(given: Given): Given {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  const copy: Given & object = { ...given }
  // Inherited ones count too.
  for (const name of known) if (name in given && !Object.hasOwn(copy, name)) Reflect.set(copy, name, Reflect.get(given, name))
  const tags: unknown = Reflect.get(copy, 'tags')
  if (Array.isArray(tags)) Reflect.set(copy, 'tags', [...tags])
  if ('context' in copy) Reflect.set(copy, 'context', contextNow(copy.context))
  return copy
}

/** A copy of a context. One that cannot be read stays as it is: the call has no key then, and goes past the cache. */
function contextNow(context: unknown): unknown {
  try {
    return readOnce(context).copy
  } catch {
    return context
  }
}

/** The options of both. Of two values for one option, that of `over` holds; tags are those of both. */
export function layered(over: CallOptions, under: CallOptions | undefined): CallOptions {
  const options: Record<string, unknown> = { ...under }
  for (const name of known) {
    const value: unknown = Reflect.get(over, name)
    if (value !== undefined) options[name] = value
  }
  const tags = [...(under?.tags ?? []), ...(over.tags ?? [])]
  if (tags.length > 0) options['tags'] = [...new Set(tags)]
  assertCallOptions(options)
  return options
}

/** Whether `value` is one of fetch's cache modes that the cache has a meaning for. */
export function isCacheMode(value: unknown): value is CacheMode {
  return cacheModes.some((mode) => mode === value)
}

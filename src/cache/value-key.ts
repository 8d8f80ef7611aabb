/**
 * Keys of the caller's own.
 * @module
 */
import { InvalidOptionError } from '../errors.ts'

/** A key of the caller's own, which may say of what type its value is. */
export type ValueKey<Value = unknown> = string & { readonly [valueOf]?: Value }

declare const valueOf: unique symbol

/** Makes typed keys: `createCacheKey<User>('user', (id: string) => id)` gives a function from an id to the key of a `User`. */
export function createCacheKey<Value, Arguments extends readonly unknown[] = readonly [string]>(
  name: string,
  key: (...given: Arguments) => string,
): (...given: Arguments) => ValueKey<Value> {
  if (typeof name !== 'string' || name === '') throw new InvalidOptionError('name', name, 'a text that is not empty')
  if (typeof key !== 'function') throw new InvalidOptionError('key', key, 'a function that makes a text of its arguments')
  return (...given) => `${name}:${key(...given)}`
}

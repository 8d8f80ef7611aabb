/**
 * The request options of a call on a lane.
 * @module
 */
import { ownOptions } from '../../engine/settings/call-options.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isInertJson } from '../../json/plain.ts'

/** Whether JSON of `value` says all that the SDK may read of it, and may be written without calling any code of the caller's. */
function isInertRecord(value: unknown): value is JsonObject {
  if (!isJsonObject(value) || !isInertJson(value)) return false
  return Reflect.ownKeys(value).length === Object.keys(value).length
}

/**
 * Whether options change nothing of the request: they are the cache's own. An option that is given as `undefined` is not in their text, but it
 * may be a mistake that the documented way reports, such as the scope of a tenant without an id.
 */
export function isInertOptions(options: unknown): options is JsonObject {
  if (!isInertRecord(options) || !Object.keys(options).every((name) => name === 'cache' || options[name] === undefined)) return false
  const { cache } = options
  return cache === undefined || (isInertRecord(cache) && !Object.values(cache).includes(undefined))
}

/** Options with a copy of the cache's own: some versions of the SDK read them later, when the caller may have changed them. */
export function optionsNow<Given>(options: Given): Given {
  if (!isJsonObject(options) || !isJsonObject(options['cache']) || 'then' in options) return options
  return { ...options, cache: ownOptions(options['cache']) }
}

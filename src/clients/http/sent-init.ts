/**
 * What is sent to the origin of what a `fetch` was called with.
 * @module
 */
import { callOptions } from '../call-options.ts'
import { withoutOwn } from './header-options.ts'

/**
 * The init without our options and headers, which are not for the origin.
 * @param input what is fetched, which may have headers of its own
 */
export function withoutOptions(init: RequestInit | null | undefined, input?: string | URL | Request): RequestInit | undefined {
  const given = init?.headers ?? (input instanceof Request ? input.headers : undefined)
  const headers = given && withoutOwn(given)
  if (headers === given && (init === undefined || init === null)) return undefined
  if (headers === given && !Object.hasOwn(Object(init), callOptions)) return init ?? undefined
  const plain = { ...init, ...(headers !== undefined && headers !== given && { headers }) }
  Reflect.deleteProperty(plain, callOptions)
  return plain
}

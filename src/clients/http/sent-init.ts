/**
 * What is sent to the origin of what a `fetch` was called with.
 * @module
 */
import { callOptions } from '../call-options.ts'
import { withoutOwn } from './header-options.ts'

/** The init without our options, which are not for the origin. */
export function withoutCallOptions(init: RequestInit | null | undefined): RequestInit | undefined {
  if (init === undefined || init === null) return undefined
  if (!Object.hasOwn(init, callOptions)) return init
  // Not by `delete`: V8 reads an object more slowly after it, and this one is copied once more.
  const { [callOptions]: _, ...plain }: RequestInit & { readonly [callOptions]?: unknown } = init
  return plain
}

/**
 * The init without our options and headers.
 * @param input what is fetched, which may have headers of its own
 */
export function withoutOptions(init: RequestInit | null | undefined, input?: string | URL | Request): RequestInit | undefined {
  const given = init?.headers ?? (input instanceof Request ? input.headers : undefined)
  const headers = given && withoutOwn(given)
  const sent = withoutCallOptions(init)
  return headers === undefined || headers === given ? sent : { ...sent, headers }
}

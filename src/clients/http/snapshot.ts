/**
 * What a `fetch` was called with, as it was then. The key is made at once, and the call may be sent much later: what the caller changes
 * meanwhile (a buffer that is used again, headers, a form, an address) must not be sent under that key.
 * @module
 */
import { passedOptionsIn } from '../call-options.ts'

/** The arguments of a `fetch`. */
export interface FetchCall {
  readonly input: string | URL | Request
  readonly init: RequestInit | undefined
}

/**
 * The arguments of a `fetch`, with copies of what the caller may change.
 * @param url the address in `input`
 */
export function snapshotOf(input: string | URL | Request, init: RequestInit | null | undefined, url: string): FetchCall {
  const address = typeof input === 'string' || input instanceof Request ? input : input instanceof URL ? new URL(url) : url
  if (init === undefined || init === null) return { input: address, init: undefined }
  const body = copiedBody(init.body)
  const ofBody = body === (init.body ?? null) ? undefined : { body }
  // An SDK makes its init and its headers for one request.
  const isOfSdk = passedOptionsIn(init) !== undefined || (init.headers instanceof Headers && init.headers.has('x-stainless-lang'))
  if (isOfSdk) return { input: address, init: ofBody === undefined ? init : { ...init, ...ofBody } }
  return { input: address, init: { ...init, ...(init.headers && { headers: copiedHeaders(init.headers) }), ...ofBody } }
}

type Body = Exclude<RequestInit['body'], undefined>

function copiedBody(body: RequestInit['body']): Body {
  if (body === undefined) return null
  if (body instanceof Uint8Array) return new Uint8Array(body)
  if (!(body instanceof FormData)) return body
  const copy = new FormData()
  for (const [name, value] of body.entries()) copy.append(name, value)
  return copy
}

function copiedHeaders(headers: NonNullable<RequestInit['headers']>): NonNullable<RequestInit['headers']> {
  if (headers instanceof Headers) return new Headers(headers)
  return Symbol.iterator in headers ? Array.from(headers) : { ...headers }
}

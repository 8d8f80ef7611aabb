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
 * The init with each member read once: a getter may say another thing each time, and what was keyed must be what is sent. Like `fetch`, it
 * takes members that the init inherits. An SDK's own init is taken as it is.
 */
export function readInit(given: RequestInit | null | undefined): RequestInit | undefined {
  if (given === undefined || given === null) return undefined
  if (passedOptionsIn(given) !== undefined) return given
  const init: Record<PropertyKey, unknown> = {}
  for (const name in given) init[name] = Reflect.get(given, name)
  // The getters of a class are in no loop.
  for (const name of [...members, ...Object.getOwnPropertySymbols(given)]) {
    if (!Object.hasOwn(init, name) && Reflect.has(given, name)) init[name] = Reflect.get(given, name)
  }
  const { headers }: RequestInit = init
  // An SDK makes its headers for one request.
  const isOfSdk = headers instanceof Headers && headers.has('x-stainless-lang')
  if (typeof headers === 'object' && headers !== null && !isOfSdk) init['headers'] = copiedHeaders(headers)
  return init
}

/** The members of an init that `fetch` reads. Source: https://fetch.spec.whatwg.org/#requestinit */
const members = [
  'method',
  'headers',
  'body',
  'referrer',
  'referrerPolicy',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'integrity',
  'keepalive',
  'signal',
  'duplex',
  'priority',
  'window',
  'dispatcher',
]

/**
 * The arguments of a `fetch`, with copies of what the caller may change.
 * @param url the address in `input`
 * @param init what {@link readInit} read
 */
export function snapshotOf(input: string | URL | Request, init: RequestInit | undefined, url: string): FetchCall {
  if (input instanceof Request) {
    const headers = init?.headers === undefined && { headers: new Headers(input.headers) }
    return { input, init: headers === false ? withBody(init) : { ...withBody(init), ...headers } }
  }
  return { input: typeof input === 'string' ? input : input instanceof URL ? new URL(url) : url, init: withBody(init) }
}

/** The init with a copy of its body. */
function withBody(init: RequestInit | undefined): RequestInit | undefined {
  const body = copiedBody(init?.body)
  return body === (init?.body ?? null) ? init : { ...init, body }
}

type Body = Exclude<RequestInit['body'], undefined>

function copiedBody(body: RequestInit['body']): Body {
  if (typeof body !== 'object' || body === null) return body ?? null
  if (body instanceof ArrayBuffer) return body.slice(0)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice()
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (!(body instanceof FormData)) return body
  const copy = new FormData()
  for (const [name, value] of body.entries()) copy.append(name, value)
  return copy
}

function copiedHeaders(headers: NonNullable<RequestInit['headers']>): NonNullable<RequestInit['headers']> {
  if (headers instanceof Headers) return new Headers(headers)
  return Symbol.iterator in headers ? Array.from(headers) : { ...headers }
}

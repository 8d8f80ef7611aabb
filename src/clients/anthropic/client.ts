/**
 * The Anthropic seam: the SDK's own `middleware` if it has one, else its `fetch`. A middleware sees requests in Anthropic's own form, also on
 * the clients for Bedrock, Vertex and Foundry, which rewrite and sign them later.
 * Source: `core/middleware.ts` of @anthropic-ai/sdk, which has it from 0.101.0 on
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { memberOf, withInformedParse, withoutFunctions } from './structured-output.ts'
import { type Fetch, fetchThrough } from '../http/caching-fetch.ts'
import { infoOfResponse, noteInfo } from '../cache-info.ts'
import { callOptions, passDown, passedOptionsIn } from '../call-options.ts'
import { openFastLane } from '../http/fast-lane.ts'
import { isClientOf, providerNamed } from '../../providers/catalogue.ts'
import { bareClient, type FetchClient, optionOf, withCallOptions } from '../http/sdk-client.ts'

/** What a middleware is called with: the arguments of `fetch`. */
interface ApiRequest extends RequestInit {
  readonly url: string
}

/** What a middleware is also called with: the options of the call, as the SDK's methods took them. */
interface MiddlewareContext {
  readonly options?: object
}

type Next = (request: ApiRequest) => Promise<Response>
type Middleware = (request: ApiRequest, next: Next, context?: MiddlewareContext) => Promise<Response>

/** Whether `client` is a client of the Anthropic SDK or of one of its siblings for other clouds. */
export function isAnthropic(client: object): client is FetchClient {
  return isClientOf('anthropic', client)
}

/** A client of the same type that goes through the engine. The caller's own client is not changed. */
export function wrapAnthropic(client: FetchClient, engine: Engine): FetchClient {
  const own = bareClient(client)
  const again = (options: object): FetchClient => wrapAnthropic(own.withOptions(options), engine)
  const middleware: unknown = Reflect.get(own, 'middleware')
  if (!Array.isArray(middleware)) {
    const rotating = isRotating(own)
    const fetch = fetchThrough(engine, own.fetch, { rotating })
    const wrapped = own.withOptions({ fetch })
    if (!rotating) openFastLane(wrapped, engine, () => wrapped.fetch === fetch)
    return withCallOptions(withInformedParse(wrapped), { own, again, prepare: (options) => passDown(withoutFunctions(options)) })
  }
  const last = cachingMiddleware(own, engine)
  const ofClient: Middleware = (request, next, context) =>
    middlewareIn(context?.options).includes(last) ? next(request) : last(request, next, context)
  ours.add(last).add(ofClient)
  // The caller's middleware comes first: it sees every call, hits included, and ours sees the requests that it makes.
  const wrapped = own.withOptions({ middleware: [...middleware.filter(isNotOurs), ofClient] })
  if (!isRotating(own)) openFastLane(wrapped, engine, () => isOnly(Reflect.get(wrapped, 'middleware'), ofClient))
  const prepare = (options: unknown): unknown => withLast(passDown(withoutFunctions(options)), last)
  return withCallOptions(withInformedParse(wrapped), { own, again, prepare })
}

/** The middleware that we put on wrapped clients. A caller may copy it to another client, which then must not have it twice. */
const ours = new WeakSet<object>()

function isNotOurs(middleware: unknown): boolean {
  return typeof middleware !== 'function' || !ours.has(middleware)
}

function isOnly(list: unknown, member: unknown): boolean {
  return Array.isArray(list) && list.length === 1 && list[0] === member
}

/** Request options with `last` after their own middleware, which the SDK runs after the client's. */
function withLast(options: unknown, last: Middleware): unknown {
  const own = middlewareIn(options)
  return own.length === 0 ? options : { ...Object(options), middleware: [...own, last] }
}

function middlewareIn(options: unknown): readonly unknown[] {
  const middleware: unknown = typeof options === 'object' && options !== null ? Reflect.get(options, 'middleware') : undefined
  return Array.isArray(middleware) ? middleware : []
}

function cachingMiddleware(client: FetchClient, engine: Engine): Middleware {
  const rotates = isRotating(client)
  return async (request, next, context) => {
    const wait = new WaitSignal(request.signal ?? undefined)
    const { readDeadline, firstReadDeadline } = engine.settings
    const limit = timeoutOf(client, context?.options) + Math.max(readDeadline, firstReadDeadline)
    const stop = engine.settings.clock.after(limit, () => wait.timeOut())
    const upstream: Fetch = (input, init) => {
      // From here on the SDK's own time-out applies.
      stop()
      return next({ ...request, ...init, url: input instanceof Request ? input.url : String(input) })
    }
    try {
      const seam = { rotating: rotates && !namesCredential(memberOf(context?.options, 'headers')) }
      const init = { ...request, signal: wait.signal, [callOptions]: passedTo(request, context) }
      const response = await fetchThrough(engine, upstream, seam)(request.url, init)
      const info = infoOfResponse(response)
      if (info !== undefined && request.signal) noteInfo(request.signal, info)
      return response
    } finally {
      stop()
    }
  }
}

/** The options that our `post` passed down. A middleware that makes a new request loses them there, so they are also read from the call. */
function passedTo(request: ApiRequest, context: MiddlewareContext | undefined): unknown {
  const fetchOptions = memberOf(context?.options, 'fetchOptions')
  return passedOptionsIn(request) ?? (typeof fetchOptions === 'object' && fetchOptions !== null ? passedOptionsIn(fetchOptions) : undefined)
}

/**
 * A call's signal with a time-out of its own. The SDK's time-out starts with the innermost `fetch`, which is not called for a caller that
 * waits for another caller's answer. Without this signal, such a caller would wait as long as the other one.
 */
class WaitSignal {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal

  /** @param signal the SDK's own signal of this attempt */
  constructor(signal: AbortSignal | undefined) {
    const abort = (): void => this.#controller.abort(signal?.reason)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  }

  /** Ends the wait as the SDK ends a request: the SDK takes an abort that the caller did not request for a time-out. */
  timeOut(): void {
    this.#controller.abort(new DOMException('The request timed out.', 'AbortError'))
  }
}

/** The SDK's time-out of a call, in milliseconds. */
function timeoutOf(client: object, options: unknown): number {
  const given = memberOf(options, 'timeout') ?? Reflect.get(client, 'timeout')
  // The SDK's own default is ten minutes.
  return typeof given === 'number' ? given : 600_000
}

/**
 * Whether the credential is not fixed: a function or a provider gives it, and may give another next time. A client without a credential may
 * still have headers that hold one.
 */
function isRotating(client: object): boolean {
  if (typeof Reflect.get(client, 'apiKey') === 'string' || typeof Reflect.get(client, 'authToken') === 'string') return false
  return !namesCredential(optionOf(client, 'defaultHeaders'))
}

/** Whether headers, in any form that the SDK takes, hold a credential. */
function namesCredential(headers: unknown): boolean {
  if (typeof headers !== 'object' || headers === null) return false
  const values: unknown = Reflect.get(headers, 'values')
  if (values instanceof Headers) return namesCredential(values)
  const entries: readonly unknown[] = headers instanceof Headers ? [...headers] : Array.isArray(headers) ? headers : Object.entries(headers)
  return entries.some((entry) => Array.isArray(entry) && isCredential(entry[0]) && entry[1] !== null && entry[1] !== undefined)
}

const credentialHeaders = providerNamed('anthropic')?.credentialHeaders ?? []

function isCredential(name: unknown): boolean {
  return typeof name === 'string' && credentialHeaders.includes(name.toLowerCase())
}

/**
 * The Anthropic seam: the SDK's own `middleware` where it has one, else its `fetch`. A middleware sees requests in Anthropic's own form also
 * on the clients for Bedrock, Vertex and Foundry, before they are rewritten and signed for these.
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

/** What a middleware is given: what `fetch` would be. */
interface ApiRequest extends RequestInit {
  readonly url: string
}

/** What a middleware is told besides: the options of the call, as the SDK's methods took them. */
interface Context {
  readonly options?: object
}

type Next = (request: ApiRequest) => Promise<Response>
type Middleware = (request: ApiRequest, next: Next, context?: Context) => Promise<Response>

/** Whether `client` is a client of the Anthropic SDK or one of its siblings, by its shape. */
export function isAnthropic(client: object): client is FetchClient {
  return isClientOf('anthropic', client)
}

/** A client of the same type that goes through the engine. The caller's own is not changed. */
export function wrapAnthropic(client: FetchClient, engine: Engine): FetchClient {
  const own = bareClient(client)
  const again = (options: object): FetchClient => wrapAnthropic(own.withOptions(options), engine)
  const middleware: unknown = Reflect.get(own, 'middleware')
  if (!Array.isArray(middleware)) {
    const rotating = isRotating(own)
    const fetch = fetchThrough(engine, own.fetch, { rotating })
    const wrapped = own.withOptions({ fetch })
    if (!rotating) openFastLane(wrapped, engine, () => wrapped.fetch === fetch)
    return withCallOptions(withInformedParse(wrapped), own, again, (options) => passDown(withoutFunctions(options)))
  }
  const last = cachingMiddleware(own, engine)
  const ofClient: Middleware = (request, next, context) =>
    middlewareIn(context?.options).includes(last) ? next(request) : last(request, next, context)
  ours.add(last).add(ofClient)
  // The caller's own come first, so that they see every call, hits included, as they would see it without us, and we what they made of it.
  const wrapped = own.withOptions({ middleware: [...middleware.filter(isNotOurs), ofClient] })
  if (!isRotating(own)) openFastLane(wrapped, engine, () => isOnly(Reflect.get(wrapped, 'middleware'), ofClient))
  return withCallOptions(withInformedParse(wrapped), own, again, (options) => withLast(passDown(withoutFunctions(options)), last))
}

/** What stands in the middleware of wrapped clients. A caller may take it from one to make another client of: twice it would only hinder. */
const ours = new WeakSet<object>()

function isNotOurs(middleware: unknown): boolean {
  return typeof middleware !== 'function' || !ours.has(middleware)
}

function isOnly(list: unknown, member: unknown): boolean {
  return Array.isArray(list) && list.length === 1 && list[0] === member
}

/** Request options whose own middleware, which the SDK puts behind the client's, are followed by `last`. */
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
    const waiting = new Waiting(request.signal ?? undefined)
    const limit = timeoutOf(client, context?.options) + engine.settings.readDeadline
    const stop = engine.settings.clock.after(limit, () => waiting.timeOut())
    const upstream: Fetch = (input, init) => {
      // From here on the SDK itself keeps the time.
      stop()
      return next({ ...request, ...init, url: input instanceof Request ? input.url : String(input) })
    }
    try {
      const seam = { rotating: rotates && !namesCredential(memberOf(context?.options, 'headers')) }
      const init = { ...request, signal: waiting.signal, [callOptions]: handedTo(request, context) }
      const response = await fetchThrough(engine, upstream, seam)(request.url, init)
      const info = infoOfResponse(response)
      if (info !== undefined && request.signal) noteInfo(request.signal, info)
      return response
    } finally {
      stop()
    }
  }
}

/** What our `post` passed down: a middleware that makes a new request of its own leaves it behind. */
function handedTo(request: ApiRequest, context: Context | undefined): unknown {
  const fetchOptions = memberOf(context?.options, 'fetchOptions')
  return passedOptionsIn(request) ?? (typeof fetchOptions === 'object' && fetchOptions !== null ? passedOptionsIn(fetchOptions) : undefined)
}

/**
 * A call's signal with an end of its own. The SDK keeps the time of the innermost `fetch` only, which is not called for one who waits for
 * another's answer; without this he would wait as long as the other does.
 */
class Waiting {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal

  /** @param signal the SDK's own, of this one attempt */
  constructor(signal: AbortSignal | undefined) {
    const abort = (): void => this.#controller.abort(signal?.reason)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  }

  /** Ends the waiting as the SDK ends its own: by an abort that the caller did not ask for, which it takes for a time-out. */
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
 * Whether the credential is not a fixed one: a function or a provider gives it, and may give another next time. A client that is given
 * none may still be given headers that hold one.
 */
function isRotating(client: object): boolean {
  if (typeof Reflect.get(client, 'apiKey') === 'string' || typeof Reflect.get(client, 'authToken') === 'string') return false
  return !namesCredential(optionOf(client, 'defaultHeaders'))
}

/** Whether headers, in any form that the SDK takes, hold a credential of the caller's own. */
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

/**
 * The Anthropic seam: the SDK's own `middleware` if it has one, else its `fetch`. A middleware sees requests in Anthropic's own form, also on
 * the clients for Bedrock, Vertex and Foundry, which rewrite and sign them later.
 * Source: `core/middleware.ts` of @anthropic-ai/sdk, which has it from 0.101.0 on
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { placeOf } from './place.ts'
import { tracingOf } from './tracing.ts'
import { memberOf, withInformedParse, withoutFunctions } from './structured-output.ts'
import { type Fetch, fetchThrough } from '../http/caching-fetch.ts'
import type { HttpSeam } from '../http/request-credential.ts'
import { InvalidOptionError } from '../../errors.ts'
import { namesHeader } from '../http/given-headers.ts'
import { isMethod } from '../http/own-code.ts'
import { isOverridden } from '../http/sdk-class.ts'
import { twinFetch } from '../http/twin-fetch.ts'
import { settled, type ShownField, type Twin, twinOf } from '../http/twin.ts'
import { infoOfResponse, noteInfo } from '../cache-info.ts'
import { callOptions, passDown, type PassedOptions, passedOptionsIn } from '../call-options.ts'
import { openFastLane } from '../http/fast-lane.ts'
import type { LaneMethods } from '../http/lane.ts'
import { openMethodLane } from '../http/method-lane.ts'
import { isClientOf, providerNamed } from '../../providers/catalogue.ts'
import { bareClient, type FetchClient, optionOf, withCallOptions, type WrappedBehaviour } from '../http/sdk-client.ts'
import { eventForm } from './event-forms.ts'

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
  assertSeam(own)
  const again = (copy: FetchClient): FetchClient => wrapAnthropic(copy, engine)
  if (!Array.isArray(Reflect.get(own, 'middleware'))) {
    const fetch = twinFetch(engine, { isRotated: (...header) => isRotated(twin.client, ...header) })
    const twin = twinOf(client, own, { fetch })
    const seam: unknown = Reflect.get(twin.client, 'fetch')
    return wrappedTwin(twin, { engine, again, prepare: refined, isSeamOurs: () => twin.client.fetch === seam })
  }
  // What runs below a middleware may change the request, so only our `fetch` sees what such a client sends.
  const last: Middleware = (request, next, context) => (isBelow() ? next(request) : caching(request, next, context))
  const ofClient: Middleware = (request, next, context) =>
    middlewareIn(context?.options).includes(last) ? next(request) : last(request, next, context)
  ours.add(last).add(ofClient)
  const isBelow = (): boolean => isOverridden(twin.client, stepsBelow)
  const fetch = twinFetch(engine, { isRotated: (...header) => isRotated(twin.client, ...header) }, isBelow)
  const twin = twinOf(client, own, { middleware: withOurs(ofClient), fetch })
  const caching = cachingMiddleware(twin.client, engine)
  const isSeamOurs = (): boolean => isOnly(Reflect.get(twin.client, 'middleware'), ofClient)
  return wrappedTwin(twin, { engine, again, prepare: (options) => withLast(refined(options), last), isSeamOurs })
}

/** A twin with its documented seam, and how it differs from the given client. */
interface SeamedTwin extends WrappedBehaviour {
  /** Whether the documented seam is still as it was made. */
  readonly isSeamOurs: () => boolean
}

/** The client of a twin, with its lanes. */
function wrappedTwin(twin: Twin<FetchClient>, { isSeamOurs, ...behaviour }: SeamedTwin): FetchClient {
  const { engine } = behaviour
  const isFixed = !isRotating(twin.own)
  if (isFixed) openFastLane(twin, engine, isSeamOurs)
  withInformedParse(twin.client)
  const wrapped = withCallOptions(twin, behaviour)
  const isUntraced = tracingOf(twin.own)
  if (isFixed) openMethodLane(twin, engine, { ...laneMethods, isSeamOurs: () => isSeamOurs() && isUntraced() })
  return settled(wrapped)
}

function refined(options: unknown): unknown {
  return passDown(options, withoutFunctions)
}

/** Methods of the SDK that run below all middleware. */
const stepsBelow = ['prepareRequest', 'fetchWithTimeout']

/**
 * A client for another cloud rewrites and signs each request. Our seam must be above that, and nothing of the caller's below it.
 * @throws {InvalidOptionError} for a client that the cache could never see a call of
 */
function assertSeam(own: FetchClient): void {
  const isForVertex = Object.hasOwn(own, 'projectId') && Object.hasOwn(own, 'region')
  if (!isForVertex && !Object.hasOwn(own, 'awsRegion')) return
  if (!isOverridden(own, ['buildRequest', ...stepsBelow])) return
  if (isMethod(Reflect.get(own, 'backendMiddleware')) && isOverridden(own, ['backendMiddleware'])) {
    throw new InvalidOptionError(
      'client',
      own,
      'a client for another cloud without a method of its own at "prepareRequest", "buildRequest" or "fetchWithTimeout", which run where the ' +
        'cache cannot see what they change. Use a middleware of the client instead',
    )
  }
  throw new InvalidOptionError(
    'client',
    own,
    `a client of ${isForVertex ? '@anthropic-ai/vertex-sdk from 0.20' : '@anthropic-ai/bedrock-sdk from 0.33 or @anthropic-ai/aws-sdk from 0.9'}, ` +
      'with @anthropic-ai/sdk from 0.115: this older one rewrites and signs each call before the cache can see it',
  )
}

/** The middleware of a twin: the caller's comes first. It sees every call, hits included, and ours sees the requests that it makes. */
function withOurs(ofClient: Middleware): ShownField {
  let given: readonly unknown[] = []
  let list: unknown[] | undefined
  return {
    shown(current) {
      if (!Array.isArray(current)) return current
      const isSame = current.length === given.length && current.every((each, index) => each === given[index])
      if (list === undefined || !isSame) {
        given = [...current]
        list = [...current.filter(isNotOurs), ofClient]
      }
      return list
    },
    copied: (current) => (list ?? (Array.isArray(current) ? current : [])).filter(isNotOurs),
  }
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
  return async (request, next, context) => {
    const passed = passedTo(request, context)
    if (passed?.options.mode === 'no-store') {
      const upstream: Fetch = (_, init) => next({ ...request, ...init })
      const seam: HttpSeam = { isRotated: (name, value) => isRotated(client, name, value, memberOf(context?.options, 'headers')) }
      const init = { ...request, [callOptions]: passed }
      return fetchThrough(engine, upstream, seam)(request.url, init)
    }
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
      const place = placeOf(client)
      const seam: HttpSeam = {
        isRotated: (name, value) => isRotated(client, name, value, memberOf(context?.options, 'headers')),
        place: typeof place === 'string' ? place : await place,
        asks: memberOf(client, 'fetch'),
      }
      const init = { ...request, signal: wait.signal, [callOptions]: passed }
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
function passedTo(request: ApiRequest, context: MiddlewareContext | undefined): PassedOptions | undefined {
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

/** Whether the SDK made the value of a header of something that changes by itself. */
function isRotated(client: object, name: string, _value: string, headers: unknown): boolean {
  if (!isCredential(name) || !isRotating(client) || isHooked(client)) return false
  return ![headers, optionOf(client, 'defaultHeaders')].some((given) => namesHeader(given, name))
}

/** Whether the credential is not fixed: a function or a provider gives it, and may give another next time. */
function isRotating(client: object): boolean {
  if (typeof Reflect.get(client, 'apiKey') === 'string' || typeof Reflect.get(client, 'authToken') === 'string') return false
  const auth: unknown = Reflect.get(client, '_authState')
  const isTaken = ['provider', 'tokenCache', 'resolution'].some((name) => isPresent(memberOf(auth, name)))
  return isTaken || typeof optionOf(client, 'apiKey') === 'function'
}

/** Whether a method that is not the SDK's own may set the header of a credential. */
function isHooked(client: object): boolean {
  // The client for Foundry makes the header of its token in a method of its own.
  return isOverridden(client, Object.hasOwn(client, 'resource') ? hooks.filter((name) => name !== 'authHeaders') : hooks)
}

const hooks = ['prepareOptions', 'prepareRequest', 'buildRequest', 'buildHeaders', 'authHeaders', 'fetchWithTimeout']

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

const credentialHeaders = providerNamed('anthropic')?.credentialHeaders ?? []

function isCredential(name: string): boolean {
  return credentialHeaders.includes(name)
}

const laneMethods: LaneMethods = {
  resources: [['messages'], ['beta', 'messages']],
  ids: { _request_id: 'request-id', _workspace_id: 'anthropic-workspace-id' },
  events: {
    use: ({ event = '', data }) => (event === 'ping' ? 'leave out' : givenEvents.has(event) && data !== '' ? 'give' : 'other'),
    isGiven: () => true,
    form: eventForm,
  },
}

/** The events that every version of the SDK gives. */
const givenEvents = new Set([
  'message_start',
  'message_delta',
  'message_stop',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
])

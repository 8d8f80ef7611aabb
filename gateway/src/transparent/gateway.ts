/**
 * One call through the gateway: to which upstream, as which caller, by which rules, and what the client gets.
 * @module
 */
import { cacheInfo, type Fetch, type StoredAnswers, storedAnswers } from 'llmemo'
import type { Caller } from '../caller.ts'
import type { GatewayContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { type Body, BodyTooLarge, readBody, tooLarge } from './body.ts'
import { markForSigning, signer } from './aws-signature.ts'
import { CallerFetches, optionsFor } from './caller-fetches.ts'
import { requestHeaders } from './headers.ts'
import { ownedKey } from './owned-key.ts'
import { errorResponse, isOwnError, type Refusal } from './provider-errors.ts'
import { type Steering, steeringOf, withoutSteering } from './steering.ts'
import { toldHeaders } from './told-headers.ts'
import { givenFetch } from './given-fetch.ts'
import { upstreamFetch } from './upstream-fetch.ts'
import { type Protocol, routeOf, type Upstream, upstreamsOf } from './upstreams.ts'

/** The way to the upstreams. */
export interface TransparentGateway {
  /** Answers a request to an upstream; `undefined` for any other. */
  answer(request: Request, caller: Caller): Promise<Response | undefined>
  /** What the head of a request comes to; `undefined` if to no upstream. */
  prepare(head: Head, caller: Caller): Prepared | Response | undefined
  /** What finds the answers to a prepared call in memory; nothing if none can be there. */
  stored(prepared: Prepared): Promise<StoredAnswers | undefined>
  /** Makes a prepared call. Rejects only if the client is gone. */
  run(prepared: Prepared, body: Body, signal: AbortSignal): Promise<Response>
}

/** The head of a request. */
export interface Head {
  /** Absolute. */
  readonly url: string
  readonly method: string
  readonly headers: Headers
}

/** A call that may be made, with any body. */
export interface Prepared {
  readonly upstream: Upstream
  readonly caller: Caller
  readonly steering: Steering
  /** Whether the provider may be asked. */
  readonly mayAsk: boolean
  readonly url: string
  readonly method: string
  /** Those for the upstream. */
  readonly headers: Headers
}

/** One call on its way. */
interface Call {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: Body
  readonly signal: AbortSignal
}

/** Makes the gateway over the upstreams that the configuration names. */
export function transparentGateway(context: GatewayContext): TransparentGateway {
  const { cache, options, closing, log } = context
  const upstreams = upstreamsOf(options)
  const privateHosts = new Set(options.privateHosts.map((host) => host.toLowerCase()))
  const toUpstream = context.fetch === undefined ? upstreamFetch({ privateHosts }) : givenFetch(context.fetch, { privateHosts })
  closing.addEventListener('abort', () => toUpstream.close(), { once: true })
  const sign = signer({ ...(options.awsRegion !== undefined && { region: options.awsRegion }) })
  const sending: Fetch = async (input, init) => toUpstream.fetch(input, await sign(input, init))
  const writing = new CallerFetches(cache, sending)
  const reading = new CallerFetches(cache, () => Promise.reject(new MayNotAsk()))
  const deny = (protocol: Protocol, caller: Caller, refusal: Refusal): Response => {
    context.refusals.count('role')
    log('warn', 'refused', { reason: 'role', status: refusal.status, caller: caller.id })
    return errorResponse(protocol, refusal)
  }

  function prepare({ url: asked, method, headers: given }: Head, caller: Caller): Prepared | Response | undefined {
    const route = routeOf(upstreams, asked)
    if (route === undefined) return undefined
    const { upstream, url } = route
    const refuse = (refusal: Refusal): Response => errorResponse(upstream.protocol, refusal)
    if (/websocket/i.test(given.get('upgrade') ?? '')) return refuse(noWebSocket)
    if (url === undefined) return refuse(leadsOut)
    if (echoing.has(method)) return refuse(noTrace)
    const steering = steeringOf(given)
    if (!caller.roles.has('read')) return deny(upstream.protocol, caller, needsRead)
    if (steering.options['x-llmemo-scope'] !== undefined && !caller.roles.has('admin')) return deny(upstream.protocol, caller, notYourScope)
    const headers = requestHeaders(given, caller, ownedKey(options, upstream, caller))
    withoutSteering(headers)
    if (upstream.protocol === 'bedrock') markForSigning(headers, options.awsRegion)
    return { upstream, caller, steering, mayAsk: caller.roles.has('write') || isRead(method), url, method, headers }
  }

  async function run(
    { upstream, caller, steering, mayAsk, url, method, headers }: Prepared,
    body: Body,
    signal: AbortSignal,
  ): Promise<Response> {
    const { protocol, name } = upstream
    const call = { url, method, headers, body, signal }
    try {
      if (mayAsk) return await steered(writing.of(caller), call, steering)
      const response = await steered(reading.of(caller), call, onlyStored(steering))
      if (response.statusText !== 'Not Cached' || steering.options['x-llmemo-mode'] === 'only-if-cached') return response
      return deny(protocol, caller, needsWrite)
    } catch (error) {
      if (error instanceof MayNotAsk) return deny(protocol, caller, needsWrite)
      if (signal.aborted) throw error
      if (error instanceof BodyTooLarge) return errorResponse(protocol, bodyTooLarge)
      log('warn', 'upstream-failed', { upstream: name, code: codeOf(error) })
      return errorResponse(protocol, failed(upstream, error))
    }
  }

  return {
    prepare,
    stored: async ({ caller, url, headers }) => storedAnswers(cache, { url, headers }, optionsFor(caller)),
    run,
    async answer(request, caller) {
      const prepared = prepare(request, caller)
      if (prepared === undefined || prepared instanceof Response) return prepared
      const body = await readBody(request, { limit: options.limits.bodyBytes, isFormKept: keptForms.test(prepared.url) })
      if (body === tooLarge) return errorResponse(prepared.upstream.protocol, bodyTooLarge)
      return told(await run(prepared, body, request.signal))
    },
  }
}

/** The addresses of forms that the cache reads. All others only pass through. */
const keptForms = /\/audio\/transcriptions(?:\?|$)/

/** The call goes to the provider, which its caller may not ask. */
class MayNotAsk extends Error {
  override readonly name = 'MayNotAsk'
}

/** Whether a method only reads. Source: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1 */
function isRead(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS'].includes(method)
}

/** The same, but for answers that are stored. A request that goes past what is stored, does so. */
function onlyStored({ options, ...rest }: Steering): Steering {
  const mode = options['x-llmemo-mode']
  const isPast = mode === 'no-store' || mode === 'reload'
  return isPast ? { options, ...rest } : { ...rest, options: { ...options, 'x-llmemo-mode': 'only-if-cached' } }
}

/** Calls, and calls again where what is stored is too old for this request, or the provider is out of order and an old answer will do. */
async function steered(fetch: Fetch, call: Call, steering: Steering): Promise<Response> {
  const { maxAge, staleIfError } = steering
  const isReplayable = typeof call.body === 'string' || call.body instanceof FormData
  const response = await send(fetch, call, steering.options).catch((error: unknown) => {
    if (staleIfError && isReplayable && !call.signal.aborted) return undefined
    throw error
  })
  if (response === undefined || (staleIfError && isReplayable && (response.status === 429 || response.status >= 500))) {
    await response?.body?.cancel()
    return send(fetch, call, { ...steering.options, 'x-llmemo-mode': 'force-cache' })
  }
  const info = maxAge === Number.POSITIVE_INFINITY ? undefined : cacheInfo(response)
  if (info === undefined || !info.hit || info.age <= maxAge) return response
  await response.body?.cancel()
  return send(fetch, call, { ...steering.options, 'x-llmemo-mode': 'reload' })
}

async function send(fetch: Fetch, { url, method, headers, body, signal }: Call, options: Steering['options']): Promise<Response> {
  const steering = Object.entries(options)
  const given = steering.length === 0 ? headers : new Headers(headers)
  for (const [name, value] of steering) given.set(name, value)
  return fetch(url, { method, headers: given, signal, ...(body !== undefined && { body }) })
}

/** The answer for the client. One of the gateway's own stays as it is. */
function told(response: Response): Response {
  if (isOwnError(response)) return response
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers: toldHeaders(response) })
}

const noWebSocket: Refusal = {
  status: 501,
  code: 'websocket_not_supported',
  message: 'llmemo-gateway: WebSockets do not pass through the gateway. Connect to the provider itself for real-time calls.',
}

/** Methods by which an upstream would send back what it got, and so the key that the gateway owns. */
const echoing = new Set(['TRACE', 'TRACK'])

const noTrace: Refusal = {
  status: 405,
  code: 'method_not_allowed',
  message: 'llmemo-gateway: this method does not pass through the gateway, as the answer would hold the credential. Use another one.',
}

const leadsOut: Refusal = {
  status: 400,
  code: 'invalid_path',
  message: 'llmemo-gateway: the path holds "..", which may lead out of what the upstream is configured for. Send the path without it.',
}

const notYourScope: Refusal = {
  status: 403,
  code: 'scope_not_allowed',
  message:
    'llmemo-gateway: only an admin may choose a scope by x-llmemo-scope. Leave the header out: the scope is that of your credential.',
}

const needsRead: Refusal = {
  status: 403,
  code: 'role_not_allowed',
  message: 'llmemo-gateway: this needs a key with the role read.',
}

const needsWrite: Refusal = {
  status: 403,
  code: 'role_not_allowed',
  message: 'llmemo-gateway: no answer to this is stored, and asking the provider needs a key with the role write.',
}

const bodyTooLarge: Refusal = {
  status: 413,
  code: 'body_too_large',
  message: 'llmemo-gateway: the body is larger than limits.bodyBytes allows. Send less, or raise that limit.',
}

function failed({ name }: Upstream, error: unknown): Refusal {
  const isPrivate = error instanceof GatewayError && error.code === 'PRIVATE_ADDRESS'
  const why = isPrivate ? 'has a private address, which the configuration does not name' : 'cannot be reached'
  return {
    status: 502,
    code: 'upstream_failed',
    message: `llmemo-gateway: the upstream "${name}" ${why}. The log of the gateway says more.`,
  }
}

/** The code of an error, such as ECONNREFUSED. Its message may hold an address or more. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'unknown'
}

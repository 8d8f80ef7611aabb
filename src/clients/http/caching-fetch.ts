/**
 * The HTTP seam: a `fetch` that answers from the cache what it can, and calls the origin for the rest. It works for every SDK that takes a
 * `fetch`.
 * @module
 */
import { parseJsonObject } from '../../json/object.ts'
import type { CacheInfo } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import { exchange } from '../../engine/exchange.ts'
import type { FlightHead, Seam } from '../../engine/seam.ts'
import type { StoreOutcome } from '../../engine/cache-info.ts'
import type { Upstream } from '../../engine/flight/upstream.ts'
import { flightsByEngine } from '../../engine/flight/flights.ts'
import { fillInputs, findInputs, resolveInputs, type PerInputCalls } from '../../engine/per-input.ts'
import type { Bypass, Call, CachedCall } from '../../engine/cached-call.ts'
import { resolveFor } from '../../engine/resolve.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import { InvalidOptionError } from '../../errors.ts'
import { keptHeaders } from '../../providers/http-headers.ts'
import type { AddressedCall } from '../../providers/protocol.ts'
import { infoLater, noteInfo } from '../cache-info.ts'
import { LazyResponse } from '../lazy-response.ts'
import { type PassedOptions, isKeyable } from '../call-options.ts'
import { closeAfter, crowdOf, type Earlier, earlierOf, joinedOf, lookedUp } from './earlier.ts'
import { bodyOf, headersOf, headersWithType, optionsOf, signalOf, targetOf } from './request.ts'
import { comesFromWrapped, refusal } from './refusal.ts'
import { markBypassed } from './cache-status.ts'
import { noDefaults, optionsOfCall } from './fetch-options.ts'
import { headFor, lazyResponse, notCachedResponse, refusedResponse, type ResponseHead, storedResponse } from './response.ts'
import { isReadAsText, lazySharedResponse, sharedResponse } from './shared-response.ts'
import { credentialOf, headerParts, type HttpSeam, sourceOf } from './request-credential.ts'
import { uncompressed, withoutLength } from './sent-headers.ts'
import { withoutCallOptions, withoutOptions } from './sent-init.ts'
import { readInit, snapshotOf } from './snapshot.ts'
import { endpointOf, placeOf, readRequest, textFor } from './target.ts'
import { wholeResponse } from './whole-response.ts'
import { Chunks } from './chunks.ts'
import { draftOf } from './draft.ts'
import { isSigned, sendForUsage, withoutUsage } from './stream-usage.ts'
import { areFixed, type ResolvedCall, repeatedOf } from './repeated-requests.ts'

/** The type of `fetch`, for callers that pass one in. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** One call on its way through the seam. */
interface HttpCall extends Earlier {
  readonly call: Call
  readonly cachedCall: CachedCall
  /** The call's inputs one by one, if its endpoint answers each by itself. */
  readonly inputs?: PerInputCalls
  readonly url: string
  /** What the URL says of the call, if that is more than its endpoint. */
  readonly addressed: AddressedCall | undefined
  readonly signal: AbortSignal | undefined
  /** What else carries the facts besides the response: the signal that the caller gave, and that of the request. */
  readonly carriers: readonly (object | undefined)[]
  /** Notes that the call was answered from the cache. */
  readonly noteAnswered: () => void
  /** Whether the call comes from a wrapped client. */
  readonly isWrappedClient: boolean
  /** Whether its SDK is told by a header not to ask again. */
  readonly heedsRetryHeader: boolean
  /** The body as text, if it is one. */
  readonly text: string | undefined
  readonly headers: Headers
  /** The `fetch` and the credential: calls with the same ones fail alike. */
  readonly source: string
  /** Calls the origin, with this request or with another body. */
  readonly send: (signal: AbortSignal, body?: string) => Promise<Response>
}

const flightsOf = flightsByEngine<FlightHead<ResponseHead>, Uint8Array>()

/** A `fetch` over `upstream` that goes through the engine. */
export function fetchThrough(engine: Engine, upstream: Fetch, seam: HttpSeam): Fetch {
  const { endpoints, scopeOfCall, recordings } = engine.settings
  const failed = (error: unknown): void => engine.hookFailed(error)
  return async function cachingFetch(given, givenInit) {
    const own = readInit(givenInit)
    const { url, method } = targetOf(given, own)
    const named = method === 'POST' ? endpointOf(url, { ...seam, endpoints, failed }) : undefined
    const { input, init } = named === undefined ? { input: given, init: own } : snapshotOf(given, own, url)
    const found = named instanceof Promise ? await named : named
    if (found === undefined) {
      const place = placeOf(url)
      engine.pass({ method, ...place })
      return refusal(engine, { url, init, why: `${method} ${place.path}` }) ?? upstream(input, withoutOptions(init, input))
    }
    const { addressed, ...target } = found
    const asked = optionsOf(input, init)
    const sources = { own: asked.options, headers: headersOf(input, init), defaults: seam.defaults ?? noDefaults }
    const chosen = optionsOfCall(sources, engine.settings)
    if (chosen instanceof InvalidOptionError) return refusedResponse(url, chosen)
    const passed = chosen.options === asked.options ? asked : { ...asked, options: chosen.options }
    const isWrappedClient = comesFromWrapped(init)
    // A function of the caller's gives the scope by the request, which is not read here. Nor is what an event tells of it.
    const isSeen = scopeOfCall !== undefined || recordings !== undefined || engine.events.isHeard('bypass')
    if (passed.options.mode === 'no-store' && !isSeen) {
      const { options, headers: ofCaller } = passed
      const scope = options.scope ?? engine.settings.scope ?? credentialOf(seam, { headers: sources.headers, given: ofCaller, addressed })
      if (passed === asked && options.scope === undefined) passed.lesson?.bypassed(scope, target.endpoint.operation)
      const carriers = [passed.signal, signalOf(input, init)]
      const response = await upstream(input, withoutOptions(init, input))
      if (!isWrappedClient) markBypassed(response)
      const info = infoLater(engine.bypass({ operation: options.operation ?? target.endpoint.operation, scope, reason: 'no-store' }))
      return inform(response, info, carriers)
    }
    const signal = signalOf(input, init)
    const sent = chosen.hasHeaders ? withoutOptions(init, input) : withoutCallOptions(init)
    const headers = chosen.hasHeaders ? headersOf(input, sent) : sources.headers
    const origin = addressed?.originOf?.(headers) ?? target.origin
    const context = { ...target, origin, ...headerParts(engine, seam, { headers, given: passed.headers, addressed }) }
    const body = typeof init?.body === 'string' ? init.body : undefined
    const text = body !== undefined && isUsual(engine, chosen.hasHeaders ? passed : asked, passed) ? textFor(addressed, body) : undefined
    const earlier = chosen.hasHeaders ? undefined : earlierOf(asked, body, context)
    const repeated = text === undefined || earlier !== undefined ? undefined : repeatedOf(engine).find(text, context, passed.options)
    const done = earlier === undefined ? repeated : { call: earlier.call, cachedCall: earlier.cachedCall }
    const read = done?.call ?? readRequest({ ...target, addressed }, await bodyOf(input, init), { headers, text: body })
    signal?.throwIfAborted()
    const resolved =
      read === undefined || (earlier === undefined && !isKeyable(passed))
        ? { endpoint: target.endpoint, operation: target.endpoint.operation, scope: passed.options.scope ?? '', reason: 'not keyable' }
        : (done ??
          resolve(engine, headers, {
            ...context,
            endpoint: read.endpoint,
            request: read.request,
            headers: headersWithType({ ...context.headers, ...read.headers }, init),
            options: passed.options,
          }))
    // What a lane learns of a call it would do for others of the same shape, whatever their headers say to the cache.
    if ('cachedCall' in resolved && !chosen.hasHeaders) {
      passed.learn?.({ call: resolved.call, url, key: resolved.cachedCall.key })
      if (!('inputs' in resolved)) passed.lesson?.seen(resolved.cachedCall, url)
    }
    const carriers = [passed.signal, signal]
    if ('reason' in resolved) {
      const response = refusal(engine, { url, init, why: resolved.reason }) ?? (await upstream(input, sent))
      if (!isWrappedClient) markBypassed(response)
      return inform(response, infoLater(engine.bypass(resolved)), carriers)
    }
    const send: HttpCall['send'] = async (flightSignal, body) => {
      const changes = {
        ...uncompressed(target.endpoint, headers),
        signal: flightSignal,
        ...(body !== undefined && { body, ...withoutLength(headers) }),
      }
      return wholeResponse(await upstream(input, { ...sent, ...changes }))
    }
    const noteAnswered = (): void => {
      if (text !== undefined && !('inputs' in resolved)) repeatedOf(engine).note(text, resolved)
    }
    const isOne = !('inputs' in resolved)
    const earlierLookup = isOne ? (earlier?.lookup ?? lookedUp(passed, resolved.cachedCall)) : undefined
    const joined = joinedOf(passed, resolved.cachedCall)
    const crowd = crowdOf(passed)
    const heedsRetryHeader = isWrappedClient && seam.retriesByStatus !== true
    const result = exchange(
      engine,
      exchangeOf(engine, {
        ...resolved,
        url,
        addressed,
        signal,
        carriers,
        send,
        noteAnswered,
        isWrappedClient,
        heedsRetryHeader,
        earlierLookup,
        joined,
        crowd,
        text: body,
        headers,
        source: sourceOf(seam, upstream, resolved.call.credential),
      }),
    )
    if (crowd !== undefined) closeAfter(crowd, result)
    return result
  }
}

/** Whether a call has no options of its own, so that its text decides everything that its `fetch` does not. */
function isUsual({ settings }: Engine, own: PassedOptions, all: PassedOptions): boolean {
  return areCallsAlike(settings) && Object.keys(own.options).length === 0 && areFixed(all.options)
}

/** The call as the cache sees it, or why it bypasses the cache. An invalid option fails the call; a fault of ours does not. */
function resolve(engine: Engine, headers: Headers, call: Call): (ResolvedCall & { readonly inputs?: PerInputCalls }) | Bypass {
  try {
    const cachedCall = resolveFor(engine, call)
    if ('reason' in cachedCall) return cachedCall
    const inputs = resolveInputs(engine, call, cachedCall)
    // A signed request cannot be sent for the missing inputs alone.
    if (inputs === undefined || (inputs.calls.length > 1 && isSigned(headers))) return { call, cachedCall: undivided(cachedCall) }
    return { call, cachedCall, inputs }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    engine.hookFailed(error)
    return { endpoint: call.endpoint, operation: call.endpoint.operation, scope: '', reason: 'fault' }
  }
}

/** A call for many inputs that has one entry. */
function undivided(given: CachedCall): CachedCall {
  const { inputKeys: _, inputs: __, ...cachedCall } = given
  return cachedCall
}

function exchangeOf(engine: Engine, call: HttpCall): Seam<ResponseHead, Uint8Array, Response> {
  const { cachedCall, inputs, url, addressed, signal, send } = call
  const form = addressed?.stream?.type
  // The facts of a whole answer are on its response. Only a stream helper looks for them on the signal that it gave.
  const carriers = cachedCall.streamed ? call.carriers : call.carriers.slice(0, 1)
  return {
    cachedCall,
    signal,
    flights: flightsOf(engine),
    form,
    limits: { source: call.source },
    // Another call's `fetch` may go by another way, such as a proxy.
    isOthersFailure: (said, { alike }) => !alike && ('error' in said || [401, 403, 429].includes(said.head.status)),
    earlier: call.earlierLookup,
    joined: call.joined,
    crowd: call.crowd,
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      if (inputs !== undefined) return upstreamOf(await sendInputs(engine, { ...call, inputs }, { signal: flightSignal, outcome }))
      const { response, asksUsage } = await sendForUsage(engine, call, (body) => send(flightSignal, body))
      return upstreamOf(response, asksUsage)
    },
    // A `fetch` rejects only if it cannot get an answer.
    isOutage: (said) => 'error' in said || said.head.status === 429 || said.head.status >= 500,
    size: (chunk) => chunk.byteLength,
    draft: (recording) => (inputs !== undefined && recording.head.status === 200 ? undefined : draftOf(cachedCall, recording, addressed)),
    stored(found, info) {
      call.noteAnswered()
      // An SDK reads the text only, and its caller gets a real `Response`.
      const isLazy = call.isWrappedClient && addressed === undefined && !cachedCall.streamed && found.entry.head.kind === 'json'
      const response = isLazy
        ? lazyResponse(found, cachedCall, { url, info })
        : storedResponse(found, cachedCall, { url, addressed, replay: engine.settings.replay, signal })
      return inform(response, info, carriers)
    },
    shared(head, reader, info) {
      const usage = head.asksUsage === true ? cachedCall.endpoint.streaming?.usageOnRequest : undefined
      const facts = infoLater(info)
      const isPlain = addressed === undefined && call.isWrappedClient && !cachedCall.streamed && cachedCall.endpoint.binary !== true
      if (isPlain && isReadAsText(head)) return inform(lazySharedResponse(head, reader, info), facts, carriers)
      const read = usage === undefined ? reader : withoutUsage(reader, usage)
      return inform(sharedResponse(headFor(head, info), read, form === undefined ? 0 : 1), facts, carriers)
    },
    missing: (info, error) => inform(notCachedResponse(url, error, call.heedsRetryHeader), infoLater(info), carriers),
  }
}

async function sendInputs(
  engine: Engine,
  { cachedCall, inputs, send, addressed }: HttpCall & { readonly inputs: PerInputCalls },
  { signal, outcome }: { readonly signal: AbortSignal; readonly outcome: StoreOutcome },
): Promise<Response> {
  const { said, answer } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const response = await send(signal, request && JSON.stringify(addressed?.write?.(request) ?? request))
      if (response.status !== 200) return { response, answer: undefined, headers: {} }
      const text = await response.text()
      const headers = keptHeaders((name) => response.headers.get(name))
      const kept = addressed?.answers === undefined ? text : addressed.answers.keep(text, response.headers)
      return { response: new Response(text, response), answer: kept === undefined ? undefined : parseJsonObject(kept), headers }
    },
  })
  if (answer === undefined) return said.response
  const text = JSON.stringify(answer)
  return new Response(addressed?.answers?.give(text) ?? text, said.response)
}

function upstreamOf(response: Response, asksUsage = false): Upstream<ResponseHead, Uint8Array> {
  const { status, statusText, headers, url } = response
  return { head: { status, statusText, headers, url, asksUsage }, items: new Chunks(response.body), shareable: status === 200 }
}

/** Notes a response's facts. A stream keeps nothing of its response but the signals of its request, so these carry the facts too. */
function inform(response: Response, info: () => CacheInfo, carriers: readonly (object | undefined)[]): Response {
  // A lazy one has them itself: what lies in a `WeakMap` is collected late.
  if (!(response instanceof LazyResponse)) noteInfo(response, info)
  for (const carrier of carriers) if (carrier !== undefined) noteInfo(carrier, info)
  return response
}

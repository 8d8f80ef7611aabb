/**
 * The HTTP seam: a `fetch` that answers what it has and asks the origin for the rest. Every SDK that takes a `fetch` can be cached by it.
 * @module
 */
import { parseJsonObject } from '../../json/object.ts'
import type { CacheInfo } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import { exchange } from '../../engine/exchange.ts'
import type { EarlierLookup, FlightHead, Seam } from '../../engine/seam.ts'
import type { StoreOutcome } from '../../engine/cache-info.ts'
import type { Upstream } from '../../engine/flight/upstream.ts'
import { flightsByEngine } from '../../engine/flight/flights.ts'
import { fillInputs, findInputs, resolveInputs, type PerInputCalls } from '../../engine/per-input.ts'
import { type Call, type CachedCall, resolveCall, type Bypass } from '../../engine/cached-call.ts'
import { InvalidOptionError } from '../../errors.ts'
import { sha256 } from '../../base/digest.ts'
import { remembering } from '../../base/memo.ts'
import { type Endpoint } from '../../providers/endpoint.ts'
import { endpointOfPath } from '../../providers/catalogue.ts'
import { credentialText, keptHeaders, keyedHeaders } from '../../providers/http-headers.ts'
import { noteInfo } from '../cache-info.ts'
import { callOptions, type EarlierCall, type PassedOptions, isKeyable } from '../call-options.ts'
import { bodyOf, headersOf, optionsOf, signalOf, targetOf } from './request.ts'
import { notCachedResponse, type ResponseHead, sharedResponse, storedResponse } from './response.ts'
import { draftOf } from './draft.ts'
import { type Asker, isSameAsker, type ResolvedCall, repeatedOf } from './repeated-requests.ts'

/** What `fetch` is, for those who pass one in. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What the seam must know of its client. */
export interface HttpSeam {
  /** Whether the client's credential changes by itself, and so says nothing of who asks. */
  readonly rotating: boolean
}

/** One call on its way through the seam. */
interface HttpCall {
  readonly cachedCall: CachedCall
  /** The call's inputs one by one, when its endpoint answers each by itself. */
  readonly inputs?: PerInputCalls
  readonly url: string
  readonly signal: AbortSignal | undefined
  /** What may be asked for the facts besides the response: the signal that the caller gave, and that of the request. */
  readonly carriers: readonly (object | undefined)[]
  /** Takes note that the call was answered from the cache. */
  readonly repeats: () => void
  readonly earlier: EarlierLookup | undefined
  /** Asks the origin, for this request or for one with another body. */
  readonly send: (signal: AbortSignal, body?: string) => Promise<Response>
}

const flightsOf = flightsByEngine<FlightHead<ResponseHead>, Uint8Array>()

/** A `fetch` over `upstream` that goes through the engine. */
export function fetchThrough(engine: Engine, upstream: Fetch, seam: HttpSeam): Fetch {
  return async function cachingFetch(input, init) {
    const { url, method } = targetOf(input, init)
    const place = method === 'POST' ? placeOf(url) : undefined
    if (place === undefined) return upstream(input, withoutOptions(init))
    const passed = optionsOf(input, init)
    const signal = signalOf(input, init)
    const asker = askerOf(engine, seam, place, headersOf(input, init))
    const sent = typeof init?.body === 'string' ? init.body : undefined
    const text = isUsual(engine, passed) ? sent : undefined
    const earlier = earlierOf(passed, sent, asker)
    const known = earlier
      ? { call: earlier.call, cachedCall: earlier.cachedCall }
      : text === undefined
        ? undefined
        : repeatedOf(engine).find(text, asker)
    const request = known?.call.request ?? (await bodyOf(input, init))
    signal?.throwIfAborted()
    const decided =
      request === undefined || (earlier === undefined && !isKeyable(passed.body))
        ? { operation: place.endpoint.operation, scope: passed.options.scope ?? '', reason: 'not keyable' }
        : (known ?? decide(engine, { ...asker, request, options: passed.options }))
    if ('cachedCall' in decided) passed.learn?.({ call: decided.call, url, key: decided.cachedCall.key })
    const carriers = [passed.signal, signal]
    if ('reason' in decided) {
      const response = await upstream(input, withoutOptions(init))
      const info = engine.bypass(decided)
      return inform(response, () => info, carriers)
    }
    const send: HttpCall['send'] = (flightSignal, body) =>
      upstream(input, { ...withoutOptions(init), signal: flightSignal, ...(body !== undefined && { body }) })
    const repeats = (): void => {
      if (text !== undefined && !('inputs' in decided)) repeatedOf(engine).note(text, decided)
    }
    return exchange(engine, exchangeOf(engine, { ...decided, url, signal, carriers, send, repeats, earlier: earlier?.lookup }))
  }
}

/**
 * What the fast lane has made of the call. It holds only if the SDK sends the very text that the lane made its key of, to the same place
 * and with the same headers: then the seam would make the same key.
 */
function earlierOf(passed: PassedOptions, sent: string | undefined, asker: Asker): EarlierCall | undefined {
  const { earlier } = passed
  // The SDK may send the same request again, much later.
  passed.earlier = undefined
  return earlier !== undefined && sent === earlier.text && isSameAsker(earlier.call, asker) ? earlier : undefined
}

/** Whether a call asks for nothing of its own, so that its text decides everything. A life that is withJitter at random is drawn anew. */
function isUsual({ settings }: Engine, { options }: PassedOptions): boolean {
  return settings.jitter === 0 && Object.keys(options).length === 0
}

function askerOf(engine: Engine, seam: HttpSeam, place: { readonly endpoint: Endpoint; readonly origin: string }, headers: Headers): Asker {
  const credential = seam.rotating ? '' : credentialText((name) => headers.get(name))
  return {
    ...place,
    headers: keyedHeaders(headers, engine.settings.ignoredHeaders),
    credential: credential === '' ? '' : digestOf(credential),
  }
}

/** The digests of credentials, of which a process has few. */
const digestOf = remembering(100, sha256)

/** What is to be done with a call. A fault of ours is no reason to fail it; an option that cannot be is. */
function decide(engine: Engine, call: Call): (ResolvedCall & { readonly inputs?: PerInputCalls }) | Bypass {
  try {
    const cachedCall = resolveCall(call, engine.settings)
    if ('reason' in cachedCall) return cachedCall
    const inputs = resolveInputs(call, cachedCall, engine.settings)
    return { call, cachedCall, ...(inputs && { inputs }) }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    engine.hookFailed(error)
    return { operation: call.endpoint.operation, scope: '', reason: 'fault' }
  }
}

function exchangeOf(engine: Engine, asked: HttpCall): Seam<ResponseHead, Uint8Array, Response> {
  const { cachedCall, inputs, url, signal, send } = asked
  // A whole answer is told of by its response, and to a helper by the signal that this gave.
  const carriers = cachedCall.streamed ? asked.carriers : asked.carriers.slice(0, 1)
  return {
    cachedCall,
    signal,
    flights: flightsOf(engine),
    earlier: asked.earlier,
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      return upstreamOf(inputs === undefined ? await send(flightSignal) : await sendInputs(engine, asked, inputs, flightSignal, outcome))
    },
    // A `fetch` rejects for nothing but what keeps it from its answer.
    isOutage: (said) => 'error' in said || said.head.status === 429 || said.head.status >= 500,
    size: (chunk) => chunk.byteLength,
    draft: (recording) => (inputs !== undefined && recording.head.status === 200 ? undefined : draftOf(cachedCall, recording)),
    stored(found, info) {
      asked.repeats()
      return inform(storedResponse(found, cachedCall, url, engine.settings.replay, signal), info, carriers)
    },
    shared: (head, reader, info) => inform(sharedResponse(head, reader), () => info, carriers),
    missing: (info) => inform(notCachedResponse(url), () => info, carriers),
  }
}

async function sendInputs(
  engine: Engine,
  { cachedCall, send }: HttpCall,
  inputs: PerInputCalls,
  signal: AbortSignal,
  outcome: StoreOutcome,
): Promise<Response> {
  const { said, answer } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const response = await send(signal, request && JSON.stringify(request))
      if (response.status !== 200) return { response, answer: undefined, headers: {} }
      const text = await response.text()
      const headers = keptHeaders((name) => response.headers.get(name))
      return { response: new Response(text, response), answer: parseJsonObject(text), headers }
    },
  })
  return answer === undefined ? said.response : new Response(JSON.stringify(answer), said.response)
}

function upstreamOf(response: Response): Upstream<ResponseHead, Uint8Array> {
  const { status, statusText, headers, url } = response
  return { head: { status, statusText, headers, url }, items: chunksOf(response), shareable: status === 200 }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array, undefined> {
  if (response.body === null) return
  for await (const chunk of response.body) yield chunk
}

/** The endpoint that `url` is of, and what of the URL is not its path: where its answers come from. */
function placeOf(url: string): { readonly endpoint: Endpoint; readonly origin: string } | undefined {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const endpoint = endpointOfPath(path)
  if (endpoint === undefined) return undefined
  return { endpoint, origin: path.slice(0, -endpoint.path.length) + (query === -1 ? '' : url.slice(query)) }
}

/** The origin need not hear of our options. */
function withoutOptions(init: RequestInit | undefined): RequestInit | undefined {
  if (init === undefined || !Object.hasOwn(init, callOptions)) return init
  const plain = { ...init }
  Reflect.deleteProperty(plain, callOptions)
  return plain
}

/** Notes a response's facts. A stream knows nothing of its response but the signals of its request, so these carry them too. */
function inform(response: Response, info: () => CacheInfo, carriers: readonly (object | undefined)[]): Response {
  noteInfo(response, info)
  for (const carrier of carriers) if (carrier !== undefined) noteInfo(carrier, info)
  return response
}

/**
 * The HTTP seam: a `fetch` that answers what it has and asks the origin for the rest. Every SDK that takes a `fetch` can be cached by it.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { Engine, Found } from '../engine/engine.ts'
import type { Fate } from '../engine/facts.ts'
import { Flights, type Origin, type Recording } from '../engine/flight.ts'
import { type Call, type Plan, planCall, type Refusal } from '../engine/plan.ts'
import { InvalidOptionError } from '../errors.ts'
import { sha256 } from '../key/digest.ts'
import type { Endpoint } from '../providers/endpoint.ts'
import { credentialText, keyedHeaders } from '../providers/http-headers.ts'
import { openaiEndpoints } from '../providers/openai.ts'
import { noteInfo } from './cache-info.ts'
import { callOptions, type HttpRequest, optionsOf, readRequest, targetOf } from './http-request.ts'
import { notCachedResponse, type ResponseHead, serves, sharedResponse, storedResponse } from './http-response.ts'
import { findSingles, perInputOrigin, planSingles, type Singles } from './per-input.ts'
import { draftOf } from './recording.ts'

/** What `fetch` is, for those who pass one in. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What the seam must know of its client. */
export interface HttpSeam {
  /** Whether the client's credential changes by itself, and so says nothing of who asks. */
  readonly rotating: boolean
}

/** One call on its way through the seam. */
interface Asked {
  readonly plan: Plan
  /** The call's inputs one by one, when its endpoint answers each by itself. */
  readonly singles: Singles | undefined
  readonly url: string
  readonly signal: AbortSignal | undefined
  /** What will be asked for the facts besides the response: the signals of the call. */
  readonly carriers: readonly (object | undefined)[]
  /** Asks the origin, for this request or for one with another body. */
  readonly send: (signal: AbortSignal, body?: string) => Promise<Response>
}

/** The longest path first, as the path of one endpoint may end like another's. */
const endpoints = openaiEndpoints.toSorted((first, second) => second.path.length - first.path.length)

const flights = new WeakMap<Engine, Flights<ResponseHead, Uint8Array>>()

/** A `fetch` over `upstream` that goes through the engine. */
export function fetchThrough(engine: Engine, upstream: Fetch, seam: HttpSeam): Fetch {
  return async function cachingFetch(input, init) {
    const { url, method } = targetOf(input, init)
    const place = method === 'POST' ? placeOf(url) : undefined
    const plainInit = withoutOptions(init)
    if (place === undefined) return upstream(input, plainInit)
    const handed = optionsOf(input, init)
    const request = await readRequest(input, plainInit)
    const { signal } = request
    signal?.throwIfAborted()
    const decided =
      request.body === undefined || handed.unkeyable !== undefined
        ? { operation: place.endpoint.operation, scope: handed.options.scope ?? '', reason: handed.unkeyable ?? 'not keyable' }
        : decide(engine, callOf(engine, seam, place, request, request.body, handed.options))
    const carriers = [signal, handed.signal]
    if ('reason' in decided) return inform(await upstream(input, plainInit), engine.bypass(decided), carriers)
    const send: Asked['send'] = (flightSignal, body) =>
      upstream(input, { ...plainInit, signal: flightSignal, ...(body !== undefined && { body }) })
    return answer(engine, { ...decided, url, signal, carriers, send })
  }
}

function callOf(
  engine: Engine,
  seam: HttpSeam,
  place: { readonly endpoint: Endpoint; readonly origin: string },
  request: HttpRequest,
  body: Call['request'],
  options: Call['options'],
): Call {
  const credential = seam.rotating ? '' : credentialText((name) => request.headers.get(name))
  return {
    ...place,
    headers: keyedHeaders(request.headers, engine.settings.ignoredHeaders),
    request: body,
    credential: credential === '' ? '' : sha256(credential),
    options,
  }
}

/** What is to be done with a call. A fault of ours is no reason to fail it; an option that cannot be is. */
function decide(engine: Engine, call: Call): { plan: Plan; singles: Singles | undefined } | Refusal {
  try {
    const plan = planCall(call, engine.settings)
    return 'reason' in plan ? plan : { plan, singles: planSingles(call, plan, engine.settings) }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    engine.hookFailed(error)
    return { operation: call.endpoint.operation, scope: '', reason: 'fault' }
  }
}

async function answer(engine: Engine, asked: Asked): Promise<Response> {
  const { plan, singles, url, signal, carriers } = asked
  const { replay } = engine.settings
  if (plan.mode !== 'reload') {
    const found = singles === undefined ? await engine.find(plan) : await findSingles(engine, plan, singles)
    signal?.throwIfAborted()
    if (found !== undefined && isUsable(found, plan)) {
      const info = engine.hit(plan, found)
      return inform(storedResponse(found.entry, plan, info, url, replay, signal), info, carriers)
    }
    if (plan.mode === 'only-if-cached') {
      const { operation, scope } = plan
      return inform(notCachedResponse(url), engine.bypass({ operation, scope, reason: 'not cached' }), carriers)
    }
  }
  return fly(engine, asked)
}

/** Whether what was found may answer this call: fresh, or stale where that is good enough, and holding all that the call asks for. */
function isUsable(found: Found, plan: Plan): boolean {
  return (found.remaining > 0 || plan.mode === 'force-cache') && serves(found.entry, plan)
}

/** Asks the origin, together with whoever asks it for the same just now. */
async function fly(engine: Engine, asked: Asked): Promise<Response> {
  const { plan, singles, signal, carriers } = asked
  const fate: Fate = { stored: false, reason: undefined, usage: undefined, model: plan.model, latency: 0 }
  const beginning = engine.begin(plan)
  const joiners: Plan[] = []
  const start = (flightSignal: AbortSignal): Promise<Response> =>
    singles === undefined ? asked.send(flightSignal) : perInputOrigin(engine, plan, singles, fate, (body) => asked.send(flightSignal, body))
  const land = (recording: Recording<ResponseHead, Uint8Array>): void => {
    try {
      if (singles === undefined || recording.head.status !== 200) {
        const draft = draftOf(plan, recording)
        if (typeof draft === 'string') engine.skip(plan, draft, fate)
        else engine.store(plan, beginning, draft, fate)
      }
    } catch (error) {
      engine.hookFailed(error)
    }
    if (recording.head.status === 200) engine.spent(plan, fate)
    for (const joiner of joiners) engine.countHit(joiner, 'flight', false, fate)
  }
  const { passenger, joined } = flightsOf(engine).board(
    flightName(plan),
    originOf(start, { fate, joiners }),
    signal,
    plan.mode === 'reload',
    land,
  )
  if (!joined) engine.miss(plan)
  const head = await passenger.head()
  const hit = joined && head.status === 200
  if (hit) head.joiners.push(plan)
  const facts = { hit, source: joined ? 'flight' : 'origin', age: 0, ttl: plan.ttl, stale: false }
  return inform(sharedResponse(head, passenger), engine.info(plan, facts, head.fate), carriers)
}

/** Callers with one flight name get one upstream answer, byte for byte; so a stream and a whole answer are two flights. */
function flightName(plan: Plan): string {
  return JSON.stringify([plan.key, plan.streamed, plan.omits])
}

function flightsOf(engine: Engine): Flights<ResponseHead, Uint8Array> {
  let known = flights.get(engine)
  if (known === undefined) {
    const { maxEntryBytes, flightDeadline, clock } = engine.settings
    known = new Flights({ maxBytes: maxEntryBytes, deadline: flightDeadline }, clock)
    flights.set(engine, known)
  }
  return known
}

function originOf(
  start: (signal: AbortSignal) => Promise<Response>,
  shared: Pick<ResponseHead, 'fate' | 'joiners'>,
): Origin<ResponseHead, Uint8Array> {
  return {
    async start(signal) {
      const response = await start(signal)
      const { status, statusText, headers, url } = response
      return { head: { status, statusText, headers, url, ...shared }, items: chunksOf(response), shareable: status === 200 }
    },
    size: (chunk) => chunk.byteLength,
  }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array, undefined> {
  if (response.body === null) return
  for await (const chunk of response.body) yield chunk
}

/** The endpoint that `url` is of, and what of the URL is not its path: where its answers come from. */
function placeOf(url: string): { readonly endpoint: Endpoint; readonly origin: string } | undefined {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const endpoint = endpoints.find((each) => path.endsWith(each.path))
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
function inform(response: Response, info: CacheInfo, carriers: readonly (object | undefined)[]): Response {
  for (const carrier of [response, ...carriers]) if (carrier !== undefined) noteInfo(carrier, info)
  return response
}

/**
 * `call` of a cache: the stored answer to a call that its caller describes, or the one that the caller's own function fetches. It goes the way
 * of every call, so it has flights, stale answers, counts and prices as the calls of a wrapped client have.
 * @module
 */
import { formatEvents, type ServerEvent } from '../base/server-sent-events.ts'
import { callable, withMethods } from '../base/option-checks.ts'
import { sha256 } from '../base/digest.ts'
import type { CacheInfo } from '../call.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Call, CachedCall } from '../engine/cached-call.ts'
import { incompleteReason, type NewEntry, streamEntry, wholeEntry } from '../engine/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { exchange } from '../engine/exchange.ts'
import { flightsByEngine } from '../engine/flight/flights.ts'
import type { Recording } from '../engine/flight/upstream.ts'
import { fillInputs, findInputs, type PerInputCalls, resolveInputs } from '../engine/per-input.ts'
import { resolveFor } from '../engine/resolve.ts'
import type { FlightHead, Seam } from '../engine/seam.ts'
import { assertCallOptions, layered } from '../engine/settings/call-options.ts'
import { refusedCall } from '../engine/settings/recorded.ts'
import type { StoreOutcome } from '../engine/cache-info.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'
import { ownCopy } from '../json/own-copy.ts'
import { credentialText, keyedHeaders } from '../providers/http-headers.ts'
import { storedEvents, wholeAnswer } from '../providers/stored-answer.ts'
import type { AnswerRules, CallOrigin, OriginCall, OriginContext } from './origin-calls.ts'
import { fromStored, fromStoredText, originEndpoint, requestIn, storedBody, storedText } from './origin-endpoint.ts'
import { type GivenPart, ownParts, replayedParts, sharedParts } from './origin-parts.ts'

/** A whole answer as the origin gave it, and its text, if it can be stored. A stream has no head. */
interface Given {
  readonly value: unknown
  readonly text: string | undefined
}

interface Called {
  readonly answer?: unknown
  readonly parts?: AsyncIterableIterator<unknown, undefined>
  readonly info: CacheInfo
}

type Origin = (context: OriginContext) => unknown

const flightsOf = flightsByEngine<FlightHead<Given>, GivenPart>()
const noRules: AnswerRules = {}

/** `call` of a cache. */
export function originCaller(engine: Engine): CallOrigin {
  // The overloads say what an answer is. What is stored under a key is what the origin gave for it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return ((call: OriginCall, origin: Origin) => answer(engine, call, origin)) as CallOrigin
}

async function answer(engine: Engine, given: OriginCall, origin: Origin): Promise<Called> {
  const call = callOf(given, engine)
  callable('origin', origin)
  const rules = given.rules ?? noRules
  const { signal, request, stream = false } = given
  signal?.throwIfAborted()
  const cachedCall = resolveFor(engine, call)
  if ('reason' in cachedCall) {
    const refused = refusedCall(engine.settings, cachedCall.reason)
    const { info } = engine.bypass(cachedCall)
    if (refused !== undefined) throw refused
    const value = await origin({ signal: signal ?? new AbortController().signal, request })
    return stream ? { parts: ownParts(value), info } : { answer: value, info }
  }
  const inputs = stream ? undefined : inputsOf(engine, call, cachedCall)
  return exchange(engine, seamOf(engine, { cachedCall, inputs, rules, signal, origin, credential: call.credential }))
}

/** The inputs one by one. If the rules that take a request apart fail, it has one entry. */
function inputsOf(engine: Engine, call: Call, cachedCall: CachedCall): PerInputCalls | undefined {
  try {
    return resolveInputs(engine, call, cachedCall)
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    engine.hookFailed(error)
    return undefined
  }
}

/** @throws {InvalidOptionError} for what cannot be */
function callOf(given: OriginCall, { settings }: Engine): Call {
  if (!isJsonObject(given)) throw new InvalidOptionError('call', given, 'an object with provider, operation and request')
  const { provider, request, origin = '', headers = {}, credential, signal, stream = false, rules = noRules, model, ...rest } = given
  const { endpoint, defaults = {}, ...options } = rest
  assertCallOptions(options)
  assertCallOptions(defaults, 'defaults.')
  const name = endpoint ?? options.operation
  if (typeof stream !== 'boolean') throw new InvalidOptionError('stream', stream, 'true or false')
  if (signal !== undefined) withMethods('signal', signal, { methods: ['throwIfAborted', 'addEventListener'], allowed: 'an AbortSignal' })
  assertText('provider', provider)
  assertText(endpoint === undefined ? 'operation' : 'endpoint', name)
  assertText('origin', origin, true)
  if (model !== undefined) assertText('model', model, true)
  // Of a credential, an error shows its type only.
  if (credential !== undefined && typeof credential !== 'string') throw new InvalidOptionError('credential', undefined, 'a text')
  if (!isJsonObject(request)) throw new InvalidOptionError('request', undefined, 'an object')
  if (!isJsonObject(headers)) throw new InvalidOptionError('headers', undefined, 'an object')
  if (!isJsonObject(rules)) throw new InvalidOptionError('rules', undefined, 'an object')
  const sent = Object.entries(headers).filter((header): header is [string, string] => typeof header[1] === 'string')
  const asked = model ?? request['model']
  // The headers that prove who asks are no part of the key.
  const proof = credential ?? credentialOf(sent)
  return {
    endpoint: originEndpoint(provider, name, rules),
    origin,
    headers: keyedHeaders(sent, settings.ignoredHeaders),
    // The caller may change its own before the origin is asked.
    request: { ...(typeof asked === 'string' && { model: asked }), ...(stream && { stream }), request: ownCopy(request) },
    credential: proof === '' ? '' : sha256(proof),
    options: layered(options, layered(settings.ambient.current ?? {}, defaults)),
  }
}

function credentialOf(sent: readonly (readonly [string, string])[]): string {
  const headers = new Map(sent.map(([name, value]) => [name.toLowerCase(), value]))
  return credentialText((name) => headers.get(name) ?? null)
}

function assertText(name: string, value: unknown, mayBeEmpty = false): asserts value is string {
  if (typeof value !== 'string' || (value === '' && !mayBeEmpty)) {
    throw new InvalidOptionError(name, value, mayBeEmpty ? 'a text' : 'a text that is not empty')
  }
}

/** A call on its way to its origin. */
interface OutboundCall {
  readonly cachedCall: CachedCall
  readonly inputs: PerInputCalls | undefined
  readonly rules: AnswerRules
  readonly signal: AbortSignal | undefined
  readonly origin: Origin
  readonly credential: string
}

function seamOf(engine: Engine, call: OutboundCall): Seam<Given, GivenPart, Called> {
  const { cachedCall, inputs, rules, signal, origin, credential } = call
  const { streamed } = cachedCall
  return {
    cachedCall,
    signal,
    flights: flightsOf(engine),
    limits: { source: credential },
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      const context = { signal: flightSignal, request: requestIn(cachedCall.request) }
      if (streamed) return { head: { value: undefined, text: undefined }, items: givenParts(await origin(context)), shareable: true }
      const head =
        inputs === undefined ? givenBy(await origin(context)) : await fetchInputs(engine, { ...call, inputs }, { outcome, context })
      return { head, items: nothing(), shareable: true }
    },
    isOutage: (said) => 'error' in said && isOutage(said.error),
    // What the caller with another credential is told, such as that it is not valid, is not for this one.
    isOthersFailure: (said, { alike }) => 'error' in said && !alike,
    size: ({ text = '' }) => text.length,
    draft: (recording) => (inputs === undefined ? draftOf(cachedCall, rules, recording) : undefined),
    stored({ entry }, info) {
      if (streamed) return { parts: replayedParts(storedEvents(entry, cachedCall), engine.settings.replay, signal), info: info() }
      return { answer: fromStored(wholeAnswer(entry, cachedCall.endpoint) ?? {}), info: info() }
    },
    async shared({ value, text }, reader, { source, info }) {
      const isOwn = source === 'origin'
      if (streamed) return { parts: sharedParts(reader, isOwn), info }
      // The flight ends, and the answer is stored, once a caller has read it to its end.
      await reader.next()
      return { answer: isOwn || text === undefined ? value : fromStoredText(text), info }
    },
    missing(_, error) {
      throw error
    },
  }
}

function givenBy(value: unknown): Given {
  return { value, text: storedText(value) }
}

async function* givenParts(parts: unknown): AsyncGenerator<GivenPart, undefined> {
  for await (const part of ownParts(parts)) yield { part, text: storedText(part) }
}

/** Fetches the answers to those inputs that are not stored. */
async function fetchInputs(
  engine: Engine,
  { cachedCall, inputs, origin }: OutboundCall & { readonly inputs: PerInputCalls },
  { outcome, context }: { readonly outcome: StoreOutcome; readonly context: OriginContext },
): Promise<Given> {
  const { said, answer: joined } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const given = givenBy(await origin(request === undefined ? context : { ...context, request: requestIn(request) }))
      return { given, answer: given.text === undefined ? undefined : { answer: JSON.parse(given.text) }, headers: {} }
    },
  })
  return joined === undefined ? said.given : givenBy(fromStored(joined))
}

/** What a flight recorded as a new entry, or the reason why there is none. */
function draftOf(cachedCall: CachedCall, rules: AnswerRules, recording: Recording<Given, GivenPart>): NewEntry | string {
  const { head, items, end, unusable, latency } = recording
  if (unusable !== undefined) return unusable
  const arrival = { headers: {}, latency }
  if (!cachedCall.streamed) {
    if (head.text === undefined) return 'not JSON'
    const body = storedBody(head.text)
    const stored: JsonObject = JSON.parse(body)
    return named(wholeEntry(cachedCall, stored, { ...arrival, body }), rules, stored)
  }
  if (end !== 'complete' && rules.parts === undefined) return incompleteReason(end)
  const kept = items.filter(({ part }) => rules.parts?.isKept?.(part) !== false)
  const events = kept.flatMap(({ text }): ServerEvent[] => (text === undefined ? [] : [{ data: text }]))
  if (events.length < kept.length) return 'not JSON'
  const entry = streamEntry(cachedCall, events, { ...arrival, body: formatEvents(events) })
  if (entry === undefined || typeof entry === 'string') return entry ?? incompleteReason(end)
  return named(entry, rules, cachedCall.endpoint.streaming?.assemble(events))
}

/** The entry under the name of the model that answered. */
function named(entry: NewEntry, rules: AnswerRules, stored: JsonObject | undefined): NewEntry {
  const model = stored === undefined ? undefined : rules.model?.(fromStored(stored))
  return model === undefined ? entry : { ...entry, model }
}

/**
 * Whether the origin is out of order, rather than the call wrong. SDKs put the status of an answer on their errors; an error without one is
 * taken for an outage.
 */
function isOutage(error: unknown): boolean {
  const status: unknown = isJsonObject(error) ? (error['statusCode'] ?? error['status']) : undefined
  return typeof status !== 'number' || status === 408 || status === 429 || status >= 500
}

async function* nothing(): AsyncGenerator<never, undefined> {}

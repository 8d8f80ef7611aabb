/**
 * Requests that are described rather than sent through a client: they are looked up, explained, or given an answer to store.
 * @module
 */
import { assertCallOptions } from '../engine/settings/call-options.ts'
import { jsonText } from '../json/value.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../json/object.ts'
import { type CacheInfo, type CallOptions } from '../call.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import { differ, explainKey, type KeyDifference, type KeyExplanation } from '../key/explain.ts'
import type { KeyParts } from '../key/key.ts'
import { endpointsOf, protocolOf, providerNamed, providers } from '../providers/catalogue.ts'
import type { Endpoint } from '../providers/endpoint.ts'
import { keyedHeaders } from '../providers/http-headers.ts'
import { wholeAnswer } from '../providers/stored-answer.ts'
import { parseEvents } from '../base/server-sent-events.ts'
import { streamEntry, wholeEntry, type NewEntry } from '../engine/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { isRead, notCached, reuse } from '../engine/reuse.ts'
import type { LookupResult } from '../lookup-result.ts'
import { findInputs, type PerInputCalls, resolveInputs, storeInputs } from '../engine/per-input.ts'
import type { StoreOutcome } from '../engine/cache-info.ts'
import type { Settings } from '../engine/settings/options.ts'
import { answerIn, type LookedUpText, storedForm, textCall, textForms, type TextRequest } from './text-requests.ts'
import { type Call, canonicalOptions, inContext, keyParts, type CachedCall } from '../engine/cached-call.ts'
import { resolveFor } from '../engine/resolve.ts'

/**
 * A request as `lookup`, `store` and `explain` take it: what a wrapped client would send, and what the call would ask of the cache. To meet
 * the calls of a client, it needs their scope: `cache.scopeOf(client)`, unless the cache has a scope of its own.
 */
export interface CacheRequest extends CallOptions {
  /** `openai`, `anthropic`, `aws-bedrock`, `gemini`…. @default 'openai' */
  readonly provider?: string
  /** `chat.completions`, `responses`, `embeddings`… of OpenAI, `messages` of Anthropic, `converse` of Bedrock. */
  readonly endpoint: string
  /**
   * The request's body as it is sent; of Bedrock the command's input, with `model` for its `modelId`. For embeddings, OpenAI's SDK sends
   * `encoding_format: 'base64'` unless its caller gives another.
   */
  readonly body: object
  /**
   * The base URL that would be asked, or `bedrock-runtime.` and the region. Of Anthropic's clients for another cloud, its fragment names
   * the place that they ask: `#projects/p/locations/r` for Vertex, `#regions/r` for Bedrock and AWS.
   * @default OpenAI's `https://api.openai.com/v1`, Anthropic's `https://api.anthropic.com`; Bedrock has none
   */
  readonly origin?: string
  /** Request headers that can change the answer: of Anthropic's clients, the `anthropic-version` that the SDK sends. @default none */
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that was looked up, and its cache facts. */
export interface LookedUp {
  /** The whole answer, as the provider's JSON. */
  readonly answer: Record<string, unknown>
  readonly info: CacheInfo
}

/** The parts that a request's key is made of, or the first difference between two requests. */
export interface Explain {
  (request: CacheRequest | TextRequest): KeyExplanation
  (first: CacheRequest | TextRequest, second: CacheRequest | TextRequest): KeyDifference
}

/** `explain` of a cache: the parts of one request's key, or the first difference between two. */
export function explainer(engine: Engine): Explain {
  const { settings } = engine
  const parts = (call: Call): KeyParts => keyParts(inContext(call, settings), settings)
  function explain(first: CacheRequest | TextRequest): KeyExplanation
  function explain(first: CacheRequest | TextRequest, second: CacheRequest | TextRequest): KeyDifference
  function explain(first: CacheRequest | TextRequest, second?: CacheRequest | TextRequest): KeyExplanation | KeyDifference {
    const call = callOf(first, settings)
    const options = canonicalOptions(call.endpoint, settings)
    return second === undefined ? explainKey(parts(call), options) : differ(parts(call), parts(callOf(second, settings)), options)
  }
  return explain
}

/** The stored answer to a request, or `undefined`. */
export interface Lookup {
  (request: CacheRequest): Promise<LookedUp | undefined>
  (request: TextRequest): Promise<LookedUpText | undefined>
}

/** `lookup` of a cache. */
export function looker(engine: Engine): Lookup {
  function find(request: CacheRequest): Promise<LookedUp | undefined>
  function find(request: TextRequest): Promise<LookedUpText | undefined>
  async function find(request: CacheRequest | TextRequest): Promise<LookedUpText | undefined> {
    await ready(request)
    const found = await lookup(engine, callOf(request, engine.settings))
    return found && !isForEndpoint(request) ? { ...found, answer: answerIn(found.answer) } : found
  }
  return find
}

/** The stored answer to a call, or `undefined`. Counts as a client's call in the same mode does. */
async function lookup(engine: Engine, call: Call): Promise<LookedUp | undefined> {
  const cachedCall = resolveFor(engine, call)
  if ('reason' in cachedCall) {
    engine.bypass(cachedCall)
    return undefined
  }
  const { mode } = cachedCall
  const inputs = resolveInputs(engine, call, cachedCall)
  const found = isRead(mode) ? await find(engine, cachedCall, inputs) : undefined
  // There is no provider to fetch from, so an answer that a client would serve and refresh is only served.
  const isUsable = reuse(found, cachedCall, engine.settings) !== 'fetch'
  const answer = found !== undefined && isUsable ? wholeAnswer(found.entry, cachedCall.endpoint) : undefined
  if (found !== undefined && answer !== undefined) return { answer, info: engine.hit(cachedCall, found)() }
  if (mode === 'only-if-cached') engine.bypass({ ...cachedCall, reason: notCached })
  else engine.miss(cachedCall)
  return undefined
}

/** What is stored for a call. The answer to several inputs is put together of theirs, as a client's is; if it cannot be, there is none. */
async function find(engine: Engine, cachedCall: CachedCall, inputs: PerInputCalls | undefined): Promise<LookupResult | undefined> {
  if (inputs === undefined) return engine.tiers.get(cachedCall)
  try {
    return await findInputs(engine, cachedCall, inputs)
  } catch (error) {
    engine.hookFailed(error)
    return undefined
  }
}

/** Stores an answer that came from elsewhere, under the rules for answers of our own. */
export async function store(engine: Engine, request: CacheRequest | TextRequest, answer: unknown): Promise<CacheInfo> {
  await ready(request)
  const call = callOf(request, engine.settings)
  const cachedCall = resolveFor(engine, call)
  if ('reason' in cachedCall) return engine.bypass(cachedCall).info
  const inputs = resolveInputs(engine, call, cachedCall)
  const parts = inputs && jsonObjectOf(answer)
  const draft = draftOf(cachedCall, request, answer)
  const outcome: StoreOutcome = { stored: false, reason: undefined, metering: { usage: undefined, model: cachedCall.model, latency: 0 } }
  await engine.tiers.refresh(cachedCall)
  if (typeof draft === 'string') engine.skip(cachedCall, draft, outcome)
  else if (inputs !== undefined && parts !== undefined) storeInputs(engine, cachedCall, { inputs, answer: parts, outcome })
  else engine.store(cachedCall, draft, { snapshot: engine.tiers.snapshot(cachedCall), outcome })
  return engine.info(cachedCall, { hit: false, source: 'origin', age: 0, ttl: cachedCall.ttl, stale: false }, outcome).info
}

/** Whether this is a request for an endpoint, rather than one by its text. */
function isForEndpoint(request: CacheRequest | TextRequest): request is CacheRequest {
  return 'endpoint' in request || !textForms.some((form) => form in request)
}

function draftOf(cachedCall: CachedCall, request: CacheRequest | TextRequest, answer: unknown): NewEntry | string {
  if (!isForEndpoint(request)) return textDraft(cachedCall, answer)
  return typeof answer === 'string' ? streamDraft(cachedCall, answer) : wholeDraft(cachedCall, answer)
}

function textDraft(cachedCall: CachedCall, answer: unknown): NewEntry | string {
  try {
    const body = storedForm(jsonText(answer))
    return wholeEntry(cachedCall, JSON.parse(body), { body, headers: {}, latency: 0 })
  } catch (error) {
    if (error instanceof NotKeyableError) return 'not JSON'
    throw error
  }
}

function streamDraft(cachedCall: CachedCall, body: string): NewEntry | string {
  // Without a whole form of its streams, an endpoint's answers cannot be looked up.
  if (cachedCall.endpoint.streaming === undefined) return 'incomplete'
  const headers = { 'content-type': 'text/event-stream; charset=utf-8' }
  return streamEntry(cachedCall, parseEvents(body), { body, headers, latency: 0 }) ?? 'incomplete'
}

/** The JSON of an answer; of a value that JSON cannot hold, as one in a circle or nested too deeply, an empty text. */
function textOf(given: unknown): string {
  try {
    const text: unknown = JSON.stringify(given)
    return typeof text === 'string' ? text : ''
  } catch {
    return ''
  }
}

function jsonObjectOf(answer: unknown): JsonObject | undefined {
  return parseJsonObject(textOf(answer))
}

function wholeDraft(cachedCall: CachedCall, given: unknown): NewEntry | string {
  const body = textOf(given)
  const answer = parseJsonObject(body)
  return answer === undefined
    ? 'malformed'
    : wholeEntry(cachedCall, answer, { body, headers: { 'content-type': 'application/json' }, latency: 0 })
}

/** Waits until the endpoints of the request's provider are known. */
async function ready(request: unknown): Promise<void> {
  const name: unknown = isJsonObject(request) ? request['provider'] : undefined
  const provider = typeof name === 'string' ? providerNamed(name) : undefined
  if (provider !== undefined) await protocolOf(provider)
}

/** A request by its description. @throws {InvalidOptionError} when it names no endpoint that is known */
function callOf(request: CacheRequest | TextRequest, settings: Settings): Call {
  if (!isJsonObject(request)) throw new InvalidOptionError('request', request, 'an object with endpoint and body')
  if (!isForEndpoint(request)) return textCall(request)
  const { provider: name = 'openai', endpoint: endpointName, body, origin: given, headers = {}, ...options } = request
  const own = settings.endpoints.find((each) => each.provider === name && each.name === endpointName)
  const provider = providerNamed(name)
  if (own === undefined && provider === undefined)
    throw new InvalidOptionError(
      'provider',
      name,
      providers.map((each) => each.name),
    )
  const endpoints = provider === undefined ? [] : endpointsOf(provider)
  const endpoint = own?.endpoint ?? endpoints.find((each) => each.name === endpointName)
  if (endpoint === undefined)
    throw new InvalidOptionError(
      'endpoint',
      endpointName,
      endpoints.map((each) => each.name),
    )
  const origin = given ?? provider?.origin
  if (origin === undefined) throw new InvalidOptionError('origin', origin, "a region such as 'bedrock-runtime.eu-west-1'")
  if (!isJsonObject(body)) throw new InvalidOptionError('body', body, "the request's body as an object")
  assertCallOptions(options)
  const keyed = keyedHeaders(Object.entries(headers), settings.ignoredHeaders)
  return { endpoint, origin, headers: keyed, request: described(endpoint, body), credential: '', options }
}

function described(endpoint: Endpoint, body: JsonObject): JsonObject {
  try {
    return endpoint.described?.(body) ?? body
  } catch (error) {
    // No key can be made of the body itself either, which then says where it holds what JSON cannot.
    if (error instanceof NotKeyableError) return body
    throw error
  }
}

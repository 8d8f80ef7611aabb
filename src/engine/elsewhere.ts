/**
 * Requests by their description rather than through a client: looked up, explained, and answered from elsewhere.
 * @module
 */
import { assertCallOptions, type CacheInfo, type CallOptions } from '../call.ts'
import { InvalidOptionError } from '../errors.ts'
import { differ, explainKey, type KeyDifference, type KeyExplanation } from '../key/explain.ts'
import type { KeyParts } from '../key/key.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../providers/endpoint.ts'
import { openaiEndpoints } from '../providers/openai.ts'
import { parseEvents } from '../stream/server-sent-events.ts'
import type { Draft, Engine, Found } from './engine.ts'
import type { Fate } from './facts.ts'
import { type Call, keyParts, type Plan, planCall } from './plan.ts'

/** A request as `lookup`, `store` and `explain` take it: what a wrapped client would send, and what the call would ask of the cache. */
export interface CacheRequest extends CallOptions {
  /** @default 'openai' */
  readonly provider?: string
  /** `chat.completions`, `responses`, `embeddings`… */
  readonly endpoint: string
  /** The request's body. */
  readonly body: object
  /** The base URL that would be asked. @default 'https://api.openai.com/v1' */
  readonly origin?: string
  /** Request headers that can change the answer. @default none */
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
  (request: CacheRequest): KeyExplanation
  (first: CacheRequest, second: CacheRequest): KeyDifference
}

/** `explain` of a cache: the parts of one request's key, or the first difference between two. */
export function explainer(engine: Engine): Explain {
  const { canonical } = engine.settings
  const parts = (request: CacheRequest): KeyParts => keyParts(callOf(request), engine.settings)
  function explain(first: CacheRequest): KeyExplanation
  function explain(first: CacheRequest, second: CacheRequest): KeyDifference
  function explain(first: CacheRequest, second?: CacheRequest): KeyExplanation | KeyDifference {
    return second === undefined ? explainKey(parts(first), canonical) : differ(parts(first), parts(second), canonical)
  }
  return explain
}

/** The stored answer to a request, or `undefined`. Counts as a hit or a miss. */
export async function lookup(engine: Engine, request: CacheRequest): Promise<LookedUp | undefined> {
  const plan = planCall(callOf(request), engine.settings)
  if ('reason' in plan) {
    engine.bypass(plan)
    return undefined
  }
  const found = await engine.find(plan)
  const answer = found !== undefined && isUsable(found, plan) ? wholeOf(found, plan) : undefined
  if (found !== undefined && answer !== undefined) return { answer, info: engine.hit(plan, found) }
  engine.miss(plan)
  return undefined
}

/** Whether what was found is fresh, or stale where that is good enough, and holds all that the request asks for. */
function isUsable({ entry, remaining }: Found, plan: Plan): boolean {
  return (remaining > 0 || plan.mode === 'force-cache') && entry.head.omits.every((facet) => plan.omits.includes(facet))
}

function wholeOf({ entry: { head, body } }: Found, { endpoint }: Plan): JsonObject | undefined {
  if (typeof body !== 'string') return undefined
  return head.kind === 'sse' ? endpoint.streaming?.assemble(parseEvents(body)) : parseJsonObject(body)
}

/** Stores an answer that came from elsewhere, under the rules for answers of our own. */
export async function store(engine: Engine, request: CacheRequest, answer: object | string): Promise<CacheInfo> {
  const plan = planCall(callOf(request), engine.settings)
  if ('reason' in plan) return engine.bypass(plan)
  const { endpoint } = plan
  const streamed = typeof answer === 'string'
  const body = streamed ? answer : JSON.stringify(answer)
  const whole = streamed ? endpoint.streaming?.assemble(parseEvents(body)) : parseJsonObject(body)
  const fate: Fate = { stored: false, reason: undefined, usage: undefined, model: plan.model, latency: 0 }
  await engine.refresh(plan)
  if (whole === undefined) engine.skip(plan, streamed ? 'incomplete' : 'malformed', fate)
  else engine.store(plan, engine.begin(plan), draftOf(plan, whole, body, streamed), fate)
  return engine.info(plan, { hit: false, source: 'origin', age: 0, ttl: plan.ttl, stale: false }, fate)
}

function draftOf(plan: Plan, whole: JsonObject, body: string, streamed: boolean): Draft {
  const { model } = whole
  return {
    kind: streamed ? 'sse' : 'json',
    body,
    status: 200,
    headers: { 'content-type': streamed ? 'text/event-stream; charset=utf-8' : 'application/json' },
    model: typeof model === 'string' ? model : plan.model,
    usage: plan.endpoint.usage(whole),
    reason: plan.endpoint.judge(whole),
    latency: 0,
  }
}

/** A request by its description. @throws {InvalidOptionError} when it names no endpoint that is known */
function callOf(request: CacheRequest): Call {
  if (!isJsonObject(request)) throw new InvalidOptionError('request', request, 'an object with endpoint and body')
  const { provider = 'openai', endpoint: name, body, origin = 'https://api.openai.com/v1', headers = {}, ...options } = request
  const endpoint = openaiEndpoints.find((each) => each.provider === provider && each.name === name)
  if (endpoint === undefined) throw new InvalidOptionError('endpoint', name, openaiEndpoints.map((each) => each.name).join(', '))
  if (!isJsonObject(body)) throw new InvalidOptionError('body', body, "the request's body as an object")
  assertCallOptions(options)
  return { endpoint, origin, headers, request: body, credential: '', options }
}

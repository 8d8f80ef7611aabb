/**
 * Requests by their description rather than through a client: looked up, explained, and answered from elsewhere.
 * @module
 */
import { assertCallOptions, type CacheInfo, type CallOptions } from '../call.ts'
import { InvalidOptionError } from '../errors.ts'
import { differ, explainKey, type KeyDifference, type KeyExplanation } from '../key/explain.ts'
import type { KeyParts } from '../key/key.ts'
import { anthropicEndpoints } from '../providers/anthropic/endpoints.ts'
import { bedrockEndpoints } from '../providers/bedrock/endpoints.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../providers/endpoint.ts'
import { keyedHeaders } from '../providers/http-headers.ts'
import { openaiEndpoints } from '../providers/openai/endpoints.ts'
import { parseEvents } from '../base/server-sent-events.ts'
import type { Draft, Engine, Found } from '../engine/engine.ts'
import type { Fate } from '../engine/cache-info.ts'
import type { Settings } from '../engine/settings/options.ts'
import { type Call, keyParts, type Plan, planCall } from '../engine/cached-call.ts'

/** A request as `lookup`, `store` and `explain` take it: what a wrapped client would send, and what the call would ask of the cache. */
export interface CacheRequest extends CallOptions {
  /** `openai`, `anthropic` or `aws-bedrock`. @default 'openai' */
  readonly provider?: string
  /** `chat.completions`, `responses`, `embeddings`… of OpenAI, `messages` of Anthropic, `converse` of Bedrock. */
  readonly endpoint: string
  /** The request's body; of Bedrock the command's input, with `model` for its `modelId`. */
  readonly body: object
  /**
   * The base URL that would be asked, or `bedrock-runtime.` and the region.
   * @default OpenAI's `https://api.openai.com/v1`, Anthropic's `https://api.anthropic.com`; Bedrock has none
   */
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
  const parts = (request: CacheRequest): KeyParts => keyParts(callOf(request, engine.settings), engine.settings)
  function explain(first: CacheRequest): KeyExplanation
  function explain(first: CacheRequest, second: CacheRequest): KeyDifference
  function explain(first: CacheRequest, second?: CacheRequest): KeyExplanation | KeyDifference {
    return second === undefined ? explainKey(parts(first), canonical) : differ(parts(first), parts(second), canonical)
  }
  return explain
}

/** The stored answer to a request, or `undefined`. Counts as a hit or a miss. */
export async function lookup(engine: Engine, request: CacheRequest): Promise<LookedUp | undefined> {
  const plan = planCall(callOf(request, engine.settings), engine.settings)
  if ('reason' in plan) {
    engine.bypass(plan)
    return undefined
  }
  const found = await (engine.recall(plan) ?? engine.find(plan))
  const answer = found !== undefined && isUsable(found, plan) ? wholeOf(found, plan) : undefined
  if (found !== undefined && answer !== undefined) return { answer, info: engine.hit(plan, found)() }
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
  const plan = planCall(callOf(request, engine.settings), engine.settings)
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

const endpoints = [...openaiEndpoints, ...anthropicEndpoints, ...bedrockEndpoints]
/** Where a bare client of the provider asks, when its user names no other place. */
const origins: ReadonlyMap<string, string> = new Map([
  ['openai', 'https://api.openai.com/v1'],
  ['anthropic', 'https://api.anthropic.com'],
])

/** A request by its description. @throws {InvalidOptionError} when it names no endpoint that is known */
function callOf(request: CacheRequest, settings: Settings): Call {
  if (!isJsonObject(request)) throw new InvalidOptionError('request', request, 'an object with endpoint and body')
  const { provider = 'openai', endpoint: name, body, origin = origins.get(provider), headers = {}, ...options } = request
  const offered = endpoints.filter((each) => each.provider === provider)
  const endpoint = offered.find((each) => each.name === name)
  if (offered.length === 0) throw new InvalidOptionError('provider', provider, 'openai, anthropic or aws-bedrock')
  if (endpoint === undefined) throw new InvalidOptionError('endpoint', name, offered.map((each) => each.name).join(', '))
  if (origin === undefined) throw new InvalidOptionError('origin', origin, "a region such as 'bedrock-runtime.eu-west-1'")
  if (!isJsonObject(body)) throw new InvalidOptionError('body', body, "the request's body as an object")
  assertCallOptions(options)
  const keyed = keyedHeaders(Object.entries(headers), settings.ignoredHeaders)
  return { endpoint, origin, headers: keyed, request: body, credential: '', options }
}

/**
 * Requests for many inputs at once, each cached by itself: only the inputs that are missing go upstream.
 * @module
 */
import { parseJsonObject, type JsonObject } from '../json/object.ts'
import type { Usage } from '../entry.ts'
import { type PerInput } from '../providers/endpoint.ts'
import type { InvalidationSnapshot, Engine, LookupResult } from './engine.ts'
import type { StoreOutcome } from './cache-info.ts'
import type { Settings } from './settings/options.ts'
import { type Call, type CachedCall, resolveCall } from './cached-call.ts'

/** A request's inputs, each with the cachedCall of a call for it alone. */
export interface PerInputCalls {
  readonly perInput: PerInput
  readonly calls: readonly CachedCall[]
}

/** What an origin said to a request for some of the inputs. */
export interface InputsReply {
  /** The whole answer; `undefined` when it is an error, or not JSON. */
  readonly answer: JsonObject | undefined
  /** Those of its headers that are kept. */
  readonly headers: Readonly<Record<string, string>>
}

/** The calls of a call's single inputs, or `undefined` when its endpoint or its request knows no such thing. */
export function resolveInputs(call: Call, cachedCall: CachedCall, settings: Settings): PerInputCalls | undefined {
  const { perInput } = call.endpoint
  const calls = perInput?.split(cachedCall.request)?.map((request) => resolveCall({ ...call, request }, settings))
  if (perInput === undefined || calls === undefined) return undefined
  const kept = calls.filter((single): single is CachedCall => !('reason' in single))
  return kept.length === calls.length ? { perInput, calls: kept } : undefined
}

/** The answer to all inputs, when each of them is stored. */
export async function findInputs(
  engine: Engine,
  cachedCall: CachedCall,
  { perInput, calls }: PerInputCalls,
): Promise<LookupResult | undefined> {
  const found = (await engine.getMany(calls)).filter((each) => each !== undefined)
  const [first] = found
  if (first === undefined || found.length < calls.length) return undefined
  const answer = perInput.join(found.map(answerOf))
  const usage = cachedCall.endpoint.usage(answer)
  const latency = Math.max(...found.map(({ entry }) => entry.head.latency))
  return {
    entry: { head: { ...first.entry.head, key: cachedCall.key, latency, ...(usage && { usage }) }, body: JSON.stringify(answer) },
    source: found.find(({ source }) => source !== 'memory')?.source ?? 'memory',
    age: Math.max(...found.map(({ age }) => age)),
    freshFor: Math.min(...found.map(({ freshFor }) => freshFor)),
  }
}

/**
 * Asks the origin for the inputs that are missing, and stores each answer by itself.
 * @param ask asks the origin with this request in place of the caller's own, or with the caller's own
 * @returns what the origin said last and, where that is not the caller's whole answer already, the answer put together
 */
export async function fillInputs<Reply extends InputsReply>(
  engine: Engine,
  cachedCall: CachedCall,
  { perInput, calls }: PerInputCalls,
  outcome: StoreOutcome,
  ask: (request?: JsonObject) => Promise<Reply>,
): Promise<{ readonly said: Reply; readonly answer?: JsonObject }> {
  const stored = cachedCall.mode === 'reload' ? [] : await engine.getMany(calls)
  const answers = new Map<string, JsonObject>()
  const missing = new Map<string, CachedCall>()
  calls.forEach((single, index) => {
    const found = stored[index]
    if (found !== undefined && (found.freshFor > 0 || cachedCall.mode === 'force-cache')) answers.set(single.key, answerOf(found))
    else missing.set(single.key, single)
  })
  // All of them may have come in since they were looked up, and no origin answers a request for nothing.
  const asked = missing.size > 0 ? [...missing.values()] : calls
  const all = asked.length === calls.length
  const begun = engine.settings.clock.monotonic()
  const snapshots = asked.map((single) => engine.snapshot(single))
  const requests = asked.map((single) => single.request)
  const said = await ask(all ? undefined : perInput.unite(cachedCall.request, requests))
  if (said.answer === undefined) return { said }
  const shares = perInput.share(said.answer, requests)
  if (shares === undefined) {
    engine.skip(cachedCall, 'malformed', outcome)
    // What the origin says to a request that is not the caller's own would be no answer to him.
    return { said: all ? said : await ask() }
  }
  outcome.metering.usage = cachedCall.endpoint.usage(said.answer)
  outcome.metering.latency = engine.settings.clock.monotonic() - begun
  asked.forEach((single, index) => {
    const share = shares[index]
    const snapshot = snapshots[index]
    if (share === undefined || snapshot === undefined) return
    answers.set(single.key, share)
    storeInput(engine, single, snapshot, share, said.headers, outcome)
  })
  return all ? { said } : { said, answer: perInput.join(calls.map((single) => answers.get(single.key) ?? {})) }
}

function storeInput(
  engine: Engine,
  single: CachedCall,
  snapshot: InvalidationSnapshot,
  answer: JsonObject,
  headers: Readonly<Record<string, string>>,
  outcome: StoreOutcome,
): void {
  const own: StoreOutcome = { ...outcome }
  const usage: Usage | undefined = single.endpoint.usage(answer)
  const { model } = answer
  const draft = {
    kind: 'json',
    body: JSON.stringify(answer),
    status: 200,
    headers,
    model: typeof model === 'string' ? model : single.model,
    usage,
    reason: single.endpoint.skipReason(answer),
    latency: outcome.metering.latency,
  } as const
  engine.store(single, snapshot, draft, own)
  outcome.stored = own.stored
  outcome.reason = own.reason
  outcome.metering.model = own.metering.model
}

function answerOf({ entry }: LookupResult): JsonObject {
  return typeof entry.body === 'string' ? (parseJsonObject(entry.body) ?? {}) : {}
}

/**
 * Requests for many inputs at once. Each input is cached by itself, and only the missing inputs go to the provider.
 * @module
 */
import type { LookupResult } from '../lookup-result.ts'
import type { JsonObject } from '../json/object.ts'
import { type PerInput } from '../providers/endpoint.ts'
import { wholeAnswer } from '../providers/stored-answer.ts'
import { type Call, type CachedCall, resolveCall } from './cached-call.ts'
import type { StoreOutcome } from './cache-info.ts'
import { wholeEntry } from './draft.ts'
import type { Engine, Filling } from './engine.ts'
import { forBatch, reuse } from './reuse.ts'
import type { Settings } from './settings/options.ts'

/** A request's inputs, each with the call for it alone. */
export interface PerInputCalls {
  readonly perInput: PerInput
  readonly calls: readonly CachedCall[]
  /** What was found for each input, once it was looked up. The provider is asked for the rest without another look-up. */
  found?: readonly (LookupResult | undefined)[]
}

/** What the provider said to a request for some of the inputs. */
export interface InputsReply {
  /** The whole answer; `undefined` if it is an error, or not JSON. */
  readonly answer: JsonObject | undefined
  /** Those of its headers that are kept. */
  readonly headers: Readonly<Record<string, string>>
}

/** The calls for a call's single inputs, or `undefined` if its endpoint or its request has no such thing. */
export function resolveInputs(call: Call, cachedCall: CachedCall, settings: Settings): PerInputCalls | undefined {
  const { perInput } = call.endpoint
  const calls = perInput?.split(cachedCall.request)?.map((request) => resolveCall({ ...call, request }, settings))
  if (perInput === undefined || calls === undefined) return undefined
  const kept = calls.filter((single): single is CachedCall => !('reason' in single))
  return kept.length === calls.length ? { perInput, calls: kept } : undefined
}

/** The answer to all inputs, if each of them is stored. */
export async function findInputs(engine: Engine, cachedCall: CachedCall, inputs: PerInputCalls): Promise<LookupResult | undefined> {
  const { perInput, calls } = inputs
  inputs.found = await engine.tiers.getMany(calls)
  const found = inputs.found.filter((each) => each !== undefined)
  const [first] = found
  if (first === undefined || found.length < calls.length) return undefined
  const answer = perInput.join(found.map((each) => answerIn(each, cachedCall)))
  const usage = cachedCall.endpoint.usage(answer)
  const latency = Math.max(...found.map(({ entry }) => entry.head.latency))
  return {
    entry: { head: { ...first.entry.head, key: cachedCall.key, latency, ...(usage && { usage }) }, body: JSON.stringify(answer) },
    source: found.find(({ source }) => source !== 'memory')?.source ?? 'memory',
    age: Math.max(...found.map(({ age }) => age)),
    freshFor: Math.min(...found.map(({ freshFor }) => freshFor)),
  }
}

/** A call for many inputs on its way to the provider. */
export interface InputsFilling<Reply extends InputsReply> {
  readonly inputs: PerInputCalls
  /** Takes what the call cost. */
  readonly outcome: StoreOutcome
  /** Sends this request in place of the caller's own, or the caller's own. */
  readonly ask: (request?: JsonObject) => Promise<Reply>
}

/**
 * Asks the provider for the inputs that are missing, and stores each answer by itself.
 * @returns what the provider said last and, unless that is already the caller's whole answer, the answer put together
 */
export async function fillInputs<Reply extends InputsReply>(
  engine: Engine,
  cachedCall: CachedCall,
  { inputs, outcome, ask }: InputsFilling<Reply>,
): Promise<{ readonly said: Reply; readonly answer?: JsonObject }> {
  const { perInput, calls } = inputs
  const answers = usableAnswers(engine, inputs)
  const missing = new Map(calls.filter(({ key }) => !answers.has(key)).map((single) => [single.key, single]))
  // If no input is missing by now, ask for all: no provider answers a request for nothing.
  const asked = missing.size > 0 ? [...missing.values()] : calls
  const all = asked.length === calls.length
  const begun = engine.settings.clock.monotonic()
  const snapshots = asked.map((single) => engine.tiers.snapshot(single))
  const requests = asked.map((single) => single.request)
  const said = await ask(all ? undefined : perInput.unite(cachedCall.request, requests))
  if (said.answer === undefined) return { said }
  const shares = perInput.share(said.answer, requests)
  if (shares === undefined) {
    engine.skip(cachedCall, 'malformed', outcome)
    // The reply to another request is no answer to the caller's own.
    return { said: all ? said : await ask() }
  }
  outcome.metering.usage = cachedCall.endpoint.usage(said.answer)
  outcome.metering.latency = engine.settings.clock.monotonic() - begun
  asked.forEach((single, index) => {
    const share = shares[index]
    const snapshot = snapshots[index]
    if (share === undefined || snapshot === undefined) return
    answers.set(single.key, share)
    storeInput(engine, single, { answer: share, headers: said.headers, snapshot, outcome })
  })
  return all ? { said } : { said, answer: perInput.join(calls.map((single) => answers.get(single.key) ?? {})) }
}

/** The stored answers that serve the call, by the keys of its inputs. */
function usableAnswers({ settings }: Engine, { calls, found = [] }: PerInputCalls): Map<string, JsonObject> {
  const answers = new Map<string, JsonObject>()
  calls.forEach((single, index) => {
    const stored = found[index]
    if (stored !== undefined && reuse(stored, single, forBatch(settings)) === 'serve') answers.set(single.key, answerIn(stored, single))
  })
  return answers
}

function storeInput(
  engine: Engine,
  single: CachedCall,
  given: Filling & { readonly answer: JsonObject; readonly headers: Readonly<Record<string, string>> },
): void {
  const { answer, headers, snapshot, outcome } = given
  const own: StoreOutcome = { ...outcome }
  const entry = wholeEntry(single, answer, { body: JSON.stringify(answer), headers, latency: outcome.metering.latency })
  engine.store(single, entry, { snapshot, outcome: own })
  outcome.stored = own.stored
  outcome.reason = own.reason
  outcome.metering.model = own.metering.model
}

function answerIn({ entry }: LookupResult, { endpoint }: CachedCall): JsonObject {
  return wholeAnswer(entry, endpoint) ?? {}
}

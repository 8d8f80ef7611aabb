/**
 * Requests for many inputs at once. Each input is cached by itself, and only the missing inputs go to the provider.
 * @module
 */
import { shortName } from '../base/short-name.ts'
import type { Source } from '../call.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { JsonObject } from '../json/object.ts'
import { LongValues } from '../json/long-values.ts'
import { type PerInput } from '../providers/endpoint.ts'
import { wholeAnswer } from '../providers/stored-answer.ts'
import type { Call, CachedCall } from './cached-call.ts'
import { resolveFor } from './resolve.ts'
import type { StoreOutcome } from './cache-info.ts'
import { type NewEntry, wholeEntry } from './draft.ts'
import type { Engine, Filling } from './engine.ts'
import { forBatch, patienceOf, reuse } from './reuse.ts'
import { watchedInputs } from './shadow.ts'

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
export function resolveInputs(engine: Engine, call: Call, cachedCall: CachedCall): PerInputCalls | undefined {
  const { perInput } = call.endpoint
  // A function of the user's gives the scope of a call once.
  const options = { ...call.options, scope: cachedCall.scope }
  const calls = perInput?.split(cachedCall.request)?.map((request) => resolveFor(engine, { ...call, request, options }))
  if (perInput === undefined || calls === undefined) return undefined
  const kept = calls.filter((single): single is CachedCall => !('reason' in single))
  if (kept.length < calls.length) return undefined
  cachedCall.inputKeys = kept.map(({ key }) => key)
  cachedCall.inputs = { hits: 0, misses: kept.length }
  return { perInput, calls: kept }
}

/** The answer to all inputs, if each of them is stored. */
export async function findInputs(engine: Engine, cachedCall: CachedCall, inputs: PerInputCalls): Promise<LookupResult | undefined> {
  const { perInput, calls } = inputs
  inputs.found = await engine.tiers.getMany(calls, patienceOf(cachedCall))
  const found = inputs.found.filter((each) => each !== undefined)
  const [first] = found
  const hits = usable(engine, inputs).length
  cachedCall.inputs = { hits, misses: calls.length - hits }
  if (first === undefined || found.length < calls.length) return undefined
  const aside = cachedCall.endpoint.joinsUnread === true ? new LongValues() : undefined
  const answer = perInput.join(found.map((each) => answerIn(each, cachedCall, aside)))
  const usage = cachedCall.endpoint.usage(answer)
  const latency = Math.max(...found.map(({ entry }) => entry.head.latency))
  const { usage: _, ...head } = first.entry.head
  return {
    entry: {
      head: { ...head, key: cachedCall.key, latency, ...(usage && { usage }) },
      body: aside?.putBack(JSON.stringify(answer)) ?? JSON.stringify(answer),
    },
    source: sourceOf(found),
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
  const stored = usable(engine, inputs)
  const answers = new Map(stored.map(({ single, found }) => [single.key, answerIn(found, single)]))
  const missing = new Map(calls.filter(({ key }) => !answers.has(key)).map((single) => [single.key, single]))
  // If no input is missing by now, ask for all: no provider answers a request for nothing.
  const server = shortName(JSON.stringify([cachedCall.origin, cachedCall.model]))
  const asked = missing.size > 0 && !isWhole(engine, server) ? [...missing.values()] : calls
  const all = asked.length === calls.length
  const comparing = cachedCall.shadow === true ? await watchedInputs(engine, asked) : []
  const begun = engine.settings.clock.monotonic()
  const snapshots = asked.map((single) => engine.tiers.snapshot(single))
  const requests = asked.map((single) => single.request)
  const united = all ? undefined : safely(engine, () => perInput.unite(cachedCall.request, requests))
  if (!all && united === undefined) return { said: await ask() }
  const said = await ask(united)
  const { answer: given } = said
  if (given === undefined) return { said }
  const shares = safely(engine, () => perInput.share(given, requests))
  if (shares === undefined) {
    const reason = safely(engine, () => cachedCall.endpoint.skipReason(given)) ?? 'malformed'
    engine.skip(cachedCall, reason, outcome)
    // An error says nothing about the answers that will come.
    if (!all && reason !== 'error') noteWhole(engine, server)
    // The reply to another request is no answer to the caller's own.
    return { said: all ? said : await ask() }
  }
  outcome.metering.usage = safely(engine, () => cachedCall.endpoint.usage(given))
  outcome.metering.latency = engine.settings.clock.monotonic() - begun
  asked.forEach((single, index) => {
    const share = shares[index]
    const snapshot = snapshots[index]
    if (share === undefined || snapshot === undefined) return
    answers.set(single.key, share)
    safely(engine, () =>
      storeInput(engine, single, { answer: share, headers: said.headers, snapshot, outcome, beforeStore: comparing[index] }),
    )
  })
  if (all) return { said }
  const answer = safely(engine, () => {
    if (stored.length > 0) countReused(engine, cachedCall, { perInput, stored, outcome })
    return perInput.join(calls.map((single) => answers.get(single.key) ?? {}))
  })
  return answer === undefined ? { said: await ask() } : { said, answer }
}

/** What code says that may fail, as that of an endpoint of the user may: `undefined` then, for which the caller must not pay. */
function safely<T>(engine: Engine, say: () => T): T | undefined {
  try {
    return say()
  } catch (error) {
    engine.hookFailed(error)
    return undefined
  }
}

/** Stores the answers to all inputs of a call that came from elsewhere, each by itself. */
export function storeInputs(
  engine: Engine,
  cachedCall: CachedCall,
  { inputs, answer, outcome }: { readonly inputs: PerInputCalls; readonly answer: JsonObject; readonly outcome: StoreOutcome },
): void {
  const { perInput, calls } = inputs
  const headers = { 'content-type': 'application/json' }
  const shares = perInput.share(
    answer,
    calls.map((single) => single.request),
  )
  if (shares === undefined) return engine.skip(cachedCall, 'malformed', outcome)
  outcome.metering.usage = cachedCall.endpoint.usage(answer)
  calls.forEach((single, index) => {
    const share = shares[index]
    if (share !== undefined)
      storeInput(engine, single, { answer: share, headers, snapshot: engine.tiers.snapshot(single), outcome, beforeStore: undefined })
  })
}

/** An input whose stored answer serves the call. */
interface StoredInput {
  readonly single: CachedCall
  readonly found: LookupResult
}

/** The inputs whose stored answers serve the call. */
function usable({ settings }: Engine, { calls, found = [] }: PerInputCalls): StoredInput[] {
  return calls.flatMap((single, index) => {
    const stored = found[index]
    return stored !== undefined && reuse(stored, single, forBatch(settings)) === 'serve' ? [{ single, found: stored }] : []
  })
}

/** Counts what the stored inputs saved, of a call that the provider answered for the rest. */
function countReused(
  engine: Engine,
  cachedCall: CachedCall,
  { perInput, stored, outcome }: { readonly perInput: PerInput; readonly stored: readonly StoredInput[]; readonly outcome: StoreOutcome },
): void {
  const usage = cachedCall.endpoint.usage(perInput.join(stored.map(({ single, found }) => answerIn(found, single))))
  const founds = stored.map(({ found }) => found)
  const answered = founds[0]?.entry.head.model ?? cachedCall.model
  outcome.reused = { usage }
  engine.countReused(cachedCall, { source: sourceOf(founds), usage, answered, inputs: stored.length })
}

function sourceOf(found: readonly LookupResult[]): Source {
  return found.find(({ source }) => source !== 'memory')?.source ?? 'memory'
}

/**
 * Servers and models, by their names, whose answers cannot be taken apart by input. They get each call as it is: to ask them for the missing
 * inputs first would make two calls of one.
 */
const wholeServers = new WeakMap<Engine, Set<string>>()

/** How many of them are remembered for one cache. */
const maxWholeServers = 1_000

function isWhole(engine: Engine, server: string): boolean {
  return wholeServers.get(engine)?.has(server) === true
}

function noteWhole(engine: Engine, server: string): void {
  const servers = wholeServers.get(engine) ?? new Set<string>()
  if (servers.size >= maxWholeServers) servers.clear()
  wholeServers.set(engine, servers.add(server))
}

function storeInput(
  engine: Engine,
  single: CachedCall,
  given: Filling & {
    readonly answer: JsonObject
    readonly headers: Readonly<Record<string, string>>
    /** Says why the answer is not stored. */
    readonly beforeStore: ((draft: NewEntry) => string | undefined) | undefined
  },
): void {
  const { answer, headers, snapshot, outcome, beforeStore } = given
  // What the whole call cost must stay as it is.
  const own: StoreOutcome = { stored: false, reason: undefined, metering: { ...outcome.metering } }
  // The whole is stored once each part is. The store may say later that it did not take one.
  outcome.stored = true
  outcome.parts ??= []
  outcome.parts.push(own)
  const entry = wholeEntry(single, answer, { body: JSON.stringify(answer), headers, latency: outcome.metering.latency })
  const reason = beforeStore?.(entry)
  if (reason === undefined) engine.store(single, entry, { snapshot, outcome: own })
  else engine.skip(single, reason, own)
  outcome.metering.model = own.metering.model
}

/** The answer that was found. @param aside takes its long values out */
function answerIn({ entry }: LookupResult, { endpoint }: CachedCall, aside?: LongValues): JsonObject {
  const { head, body } = entry
  const short = aside === undefined || typeof body !== 'string' ? entry : { head, body: aside.setAside(body) }
  return wholeAnswer(short, endpoint) ?? {}
}

/**
 * Requests for many inputs at once, each cached by itself: only the inputs that are missing go upstream.
 * @module
 */
import type { Usage } from '../entry.ts'
import { type JsonObject, parseJsonObject, type PerInput } from '../providers/endpoint.ts'
import type { Beginning, Engine, Found } from './engine.ts'
import type { Fate } from './cache-info.ts'
import type { Settings } from './settings/options.ts'
import { type Call, type Plan, planCall } from './cached-call.ts'

/** A request's inputs, each with the plan of a call for it alone. */
export interface Singles {
  readonly perInput: PerInput
  readonly plans: readonly Plan[]
}

/** What an origin said to a request for some of the inputs. */
export interface Said {
  /** The whole answer; `undefined` when it is an error, or not JSON. */
  readonly answer: JsonObject | undefined
  /** Those of its headers that are kept. */
  readonly headers: Readonly<Record<string, string>>
}

/** The plans of a call's single inputs, or `undefined` when its endpoint or its request knows no such thing. */
export function planSingles(call: Call, plan: Plan, settings: Settings): Singles | undefined {
  const { perInput } = call.endpoint
  const plans = perInput?.split(plan.request)?.map((request) => planCall({ ...call, request }, settings))
  if (perInput === undefined || plans === undefined) return undefined
  const kept = plans.filter((single): single is Plan => !('reason' in single))
  return kept.length === plans.length ? { perInput, plans: kept } : undefined
}

/** The answer to all inputs, when each of them is stored. */
export async function findSingles(engine: Engine, plan: Plan, { perInput, plans }: Singles): Promise<Found | undefined> {
  const found = (await engine.findAll(plans)).filter((each) => each !== undefined)
  const [first] = found
  if (first === undefined || found.length < plans.length) return undefined
  const answer = perInput.join(found.map(answerOf))
  const usage = plan.endpoint.usage(answer)
  const latency = Math.max(...found.map(({ entry }) => entry.head.latency))
  return {
    entry: { head: { ...first.entry.head, key: plan.key, latency, ...(usage && { usage }) }, body: JSON.stringify(answer) },
    source: found.find(({ source }) => source !== 'memory')?.source ?? 'memory',
    age: Math.max(...found.map(({ age }) => age)),
    remaining: Math.min(...found.map(({ remaining }) => remaining)),
  }
}

/**
 * Asks the origin for the inputs that are missing, and stores each answer by itself.
 * @param ask asks the origin with this request in place of the caller's own, or with the caller's own
 * @returns what the origin said last and, where that is not the caller's whole answer already, the answer put together
 */
export async function fillSingles<Reply extends Said>(
  engine: Engine,
  plan: Plan,
  { perInput, plans }: Singles,
  fate: Fate,
  ask: (request?: JsonObject) => Promise<Reply>,
): Promise<{ readonly said: Reply; readonly answer?: JsonObject }> {
  const stored = plan.mode === 'reload' ? [] : await engine.findAll(plans)
  const answers = new Map<string, JsonObject>()
  const missing = new Map<string, Plan>()
  plans.forEach((single, index) => {
    const found = stored[index]
    if (found !== undefined && (found.remaining > 0 || plan.mode === 'force-cache')) answers.set(single.key, answerOf(found))
    else missing.set(single.key, single)
  })
  // All of them may have come in since they were looked up, and no origin answers a request for nothing.
  const asked = missing.size > 0 ? [...missing.values()] : plans
  const all = asked.length === plans.length
  const begun = engine.settings.clock.monotonic()
  const beginnings = asked.map((single) => engine.begin(single))
  const requests = asked.map((single) => single.request)
  const said = await ask(all ? undefined : perInput.unite(plan.request, requests))
  if (said.answer === undefined) return { said }
  const shares = perInput.share(said.answer, requests)
  if (shares === undefined) {
    engine.skip(plan, 'malformed', fate)
    // What the origin says to a request that is not the caller's own would be no answer to him.
    return { said: all ? said : await ask() }
  }
  fate.usage = plan.endpoint.usage(said.answer)
  fate.latency = engine.settings.clock.monotonic() - begun
  asked.forEach((single, index) => {
    const share = shares[index]
    const beginning = beginnings[index]
    if (share === undefined || beginning === undefined) return
    answers.set(single.key, share)
    storeSingle(engine, single, beginning, share, said.headers, fate)
  })
  return all ? { said } : { said, answer: perInput.join(plans.map((single) => answers.get(single.key) ?? {})) }
}

function storeSingle(
  engine: Engine,
  single: Plan,
  beginning: Beginning,
  answer: JsonObject,
  headers: Readonly<Record<string, string>>,
  fate: Fate,
): void {
  const own: Fate = { ...fate }
  const usage: Usage | undefined = single.endpoint.usage(answer)
  const { model } = answer
  const draft = {
    kind: 'json',
    body: JSON.stringify(answer),
    status: 200,
    headers,
    model: typeof model === 'string' ? model : single.model,
    usage,
    reason: single.endpoint.judge(answer),
    latency: fate.latency,
  } as const
  engine.store(single, beginning, draft, own)
  fate.stored = own.stored
  fate.reason = own.reason
  fate.model = own.model
}

function answerOf({ entry }: Found): JsonObject {
  return typeof entry.body === 'string' ? (parseJsonObject(entry.body) ?? {}) : {}
}

/**
 * Requests for many inputs at once, each cached by itself: only the inputs that are missing go upstream.
 * @module
 */
import type { Beginning, Engine, Found } from '../engine/engine.ts'
import type { Fate } from '../engine/facts.ts'
import type { Settings } from '../engine/options.ts'
import { type Call, type Plan, planCall } from '../engine/plan.ts'
import type { Usage } from '../entry.ts'
import { type JsonObject, parseJsonObject, type PerInput } from '../providers/endpoint.ts'
import { keptHeaders } from '../providers/http-headers.ts'

/** A request's inputs, each with the plan of a call for it alone. */
export interface Singles {
  readonly perInput: PerInput
  readonly plans: readonly Plan[]
}

/** The plans of a call's single inputs, or `undefined` when its endpoint or its request knows no such thing. */
export function planSingles(call: Call, plan: Plan, settings: Settings): Singles | undefined {
  const { perInput } = call.endpoint
  const plans = perInput?.split(plan.request)?.map((request) => planCall({ ...call, request }, settings))
  if (perInput === undefined || plans === undefined) return undefined
  return { perInput, plans: plans.filter((single): single is Plan => !('reason' in single)) }
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
 * Asks the origin for the inputs that are missing, stores each answer by itself, and answers for all.
 * @param send asks the origin with this body in place of the caller's own, or with the caller's own
 */
export async function perInputOrigin(
  engine: Engine,
  plan: Plan,
  { perInput, plans }: Singles,
  fate: Fate,
  send: (body?: string) => Promise<Response>,
): Promise<Response> {
  const stored = plan.mode === 'reload' ? [] : await engine.findAll(plans)
  const answers = new Map<string, JsonObject>()
  const missing = new Map<string, Plan>()
  plans.forEach((single, index) => {
    const found = stored[index]
    if (found !== undefined && (found.remaining > 0 || plan.mode === 'force-cache')) answers.set(single.key, answerOf(found))
    else missing.set(single.key, single)
  })
  const asked = [...missing.values()]
  const all = asked.length === plans.length
  const begun = engine.settings.clock.monotonic()
  const beginnings = asked.map((single) => engine.begin(single))
  const requests = asked.map((single) => single.request)
  const response = await send(all ? undefined : JSON.stringify(perInput.unite(plan.request, requests)))
  if (response.status !== 200) return response
  const text = await response.text()
  const answer = parseJsonObject(text)
  const shares = answer === undefined ? undefined : perInput.share(answer, requests)
  if (answer === undefined || shares === undefined) {
    engine.skip(plan, 'malformed', fate)
    // What the origin says to a request that is not the caller's own would be no answer to him.
    return all ? new Response(text, response) : send()
  }
  fate.usage = plan.endpoint.usage(answer)
  fate.latency = engine.settings.clock.monotonic() - begun
  asked.forEach((single, index) => {
    const share = shares[index]
    const beginning = beginnings[index]
    if (share === undefined || beginning === undefined) return
    answers.set(single.key, share)
    storeSingle(engine, single, beginning, share, response, fate)
  })
  return new Response(all ? text : JSON.stringify(perInput.join(plans.map((single) => answers.get(single.key) ?? {}))), response)
}

function storeSingle(engine: Engine, single: Plan, beginning: Beginning, answer: JsonObject, response: Response, fate: Fate): void {
  const own: Fate = { ...fate }
  const usage: Usage | undefined = single.endpoint.usage(answer)
  const { model } = answer
  engine.store(
    single,
    beginning,
    {
      kind: 'json',
      body: JSON.stringify(answer),
      status: response.status,
      headers: keptHeaders((name) => response.headers.get(name)),
      model: typeof model === 'string' ? model : single.model,
      usage,
      reason: single.endpoint.judge(answer),
      latency: fate.latency,
    },
    own,
  )
  fate.stored = own.stored
  fate.reason = own.reason
  fate.model = own.model
}

function answerOf({ entry }: Found): JsonObject {
  return typeof entry.body === 'string' ? (parseJsonObject(entry.body) ?? {}) : {}
}

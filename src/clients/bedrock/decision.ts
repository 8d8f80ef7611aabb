/**
 * A Bedrock command, decided: its key, and how it may use the cache.
 * @module
 */
import type { CallOptions } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import { planSingles, type Singles } from '../../engine/per-input.ts'
import { type Plan, planCall, type Refusal } from '../../engine/cached-call.ts'
import { InvalidOptionError, NotKeyableError } from '../../errors.ts'
import type { JsonObject } from '../../providers/endpoint.ts'
import type { Shape } from './commands.ts'

/** One call, decided. */
export interface Decided {
  readonly plan: Plan
  /** The call's inputs one by one, when its endpoint answers each by itself. */
  readonly singles: Singles | undefined
}

/** What is to be done with a call. A fault of ours is no reason to fail it; an option that cannot be is. */
export function decide(
  engine: Engine,
  shape: Shape,
  streamed: boolean,
  input: JsonObject,
  origin: string,
  options: CallOptions,
): Decided | Refusal {
  const refused = { operation: options.operation ?? shape.operation, scope: options.scope ?? engine.settings.scope ?? '' }
  try {
    const request = shape.request(input)
    if (request === undefined) return { ...refused, reason: 'not keyable' }
    const endpoint = shape.endpoint(request)
    const call = { endpoint, origin, headers: {}, request: { ...request, stream: streamed }, credential: '', options }
    const plan = planCall(call, engine.settings)
    return 'reason' in plan ? plan : { plan, singles: planSingles(call, plan, engine.settings) }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    if (!(error instanceof NotKeyableError)) engine.hookFailed(error)
    return { ...refused, reason: error instanceof NotKeyableError ? 'not keyable' : 'fault' }
  }
}

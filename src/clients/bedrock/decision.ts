/**
 * A Bedrock command, decided: its key, and how it may use the cache.
 * @module
 */
import type { JsonObject } from '../../json/object.ts'
import type { CallOptions } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import { resolveInputs, type PerInputCalls } from '../../engine/per-input.ts'
import { type CachedCall, resolveCall, type Bypass } from '../../engine/cached-call.ts'
import { InvalidOptionError, NotKeyableError } from '../../errors.ts'
import type { CommandCodec } from './commands.ts'

/** One call, decided. */
export interface ResolvedCall {
  readonly cachedCall: CachedCall
  /** The call's inputs one by one, when its endpoint answers each by itself. */
  readonly inputs: PerInputCalls | undefined
}

/** What is to be done with a call. A fault of ours is no reason to fail it; an option that cannot be is. */
export function decide(
  engine: Engine,
  codec: CommandCodec,
  streamed: boolean,
  input: JsonObject,
  origin: string,
  options: CallOptions,
): ResolvedCall | Bypass {
  const refused = { operation: options.operation ?? codec.operation, scope: options.scope ?? engine.settings.scope ?? '' }
  try {
    const request = codec.request(input)
    if (request === undefined) return { ...refused, reason: 'not keyable' }
    const endpoint = codec.endpoint(request)
    const call = { endpoint, origin, headers: {}, request: { ...request, stream: streamed }, credential: '', options }
    const cachedCall = resolveCall(call, engine.settings)
    return 'reason' in cachedCall ? cachedCall : { cachedCall, inputs: resolveInputs(call, cachedCall, engine.settings) }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    if (!(error instanceof NotKeyableError)) engine.hookFailed(error)
    return { ...refused, reason: error instanceof NotKeyableError ? 'not keyable' : 'fault' }
  }
}

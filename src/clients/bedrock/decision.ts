/**
 * What the cache makes of a Bedrock command: its key and how it may use the cache, or why it bypasses the cache.
 * @module
 */
import type { JsonObject } from '../../json/object.ts'
import type { CallOptions } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EarlierLookup } from '../../engine/seam.ts'
import { resolveInputs, type PerInputCalls } from '../../engine/per-input.ts'
import type { Bypass, CachedCall } from '../../engine/cached-call.ts'
import { resolveFor } from '../../engine/resolve.ts'
import { InvalidOptionError, NotKeyableError } from '../../errors.ts'
import { bedrockConverse } from '../../providers/bedrock/converse.ts'
import type { CachedCommand } from './commands.ts'

/** A call that uses the cache. */
export interface ResolvedCall {
  readonly cachedCall: CachedCall
  /** The call's inputs one by one, if its endpoint answers each by itself. */
  readonly inputs: PerInputCalls | undefined
}

/** A call that the fast lane decided and could not answer, for the documented way. */
export interface DecidedCall extends ResolvedCall {
  /** The very input that the key was made of. */
  readonly input: JsonObject
  readonly command: CachedCommand
  readonly origin: string
  /** The input as it was then. */
  readonly own: () => JsonObject
  /** @default the documented way looks the call up itself */
  readonly earlier?: EarlierLookup
}

/** What a command is sent with. */
export interface CommandCall {
  readonly input: JsonObject
  readonly origin: string
  readonly options: CallOptions
}

/** The call as the cache sees it, or why it bypasses the cache. An invalid option fails the call; a fault of ours does not. */
export function resolve(
  engine: Engine,
  { codec, streamed }: CachedCommand,
  { input, origin, options }: CommandCall,
): ResolvedCall | Bypass {
  const bypass = {
    endpoint: { provider: bedrockConverse.provider, name: codec.operation },
    operation: options.operation ?? codec.operation,
    scope: options.scope ?? engine.settings.scope ?? '',
    streamed,
  }
  try {
    const request = codec.request(input)
    if (request === undefined) return { ...bypass, reason: options.mode === 'no-store' ? 'no-store' : 'not keyable' }
    const endpoint = codec.endpoint(request)
    const call = { endpoint, origin, headers: {}, request: { ...request, stream: streamed }, credential: '', options }
    const cachedCall = resolveFor(engine, call)
    return 'reason' in cachedCall ? cachedCall : { cachedCall, inputs: resolveInputs(engine, call, cachedCall) }
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error
    if (!(error instanceof NotKeyableError)) engine.hookFailed(error)
    return { ...bypass, reason: error instanceof NotKeyableError ? 'not keyable' : 'fault' }
  }
}

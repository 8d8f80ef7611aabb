/**
 * The Bedrock seam: the initialize step of the middleware stack, before a request is signed or sent, so that a hit needs no credentials and
 * no network. The caller's own client and stack are not changed: each `send` runs over a copy of the stack with our step at its end.
 * Source: https://github.com/smithy-lang/smithy-typescript/tree/main/packages/middleware-stack
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { Engine } from '../../engine/engine.ts'
import { exchange } from '../../engine/exchange.ts'
import type { FlightHead, Seam } from '../../engine/seam.ts'
import type { StoreOutcome } from '../../engine/cache-info.ts'
import { flightsByEngine } from '../../engine/flight/flights.ts'
import { fillInputs, findInputs, type PerInputCalls } from '../../engine/per-input.ts'
import { NotCachedError } from '../../errors.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { draftOf, informed, isStream, keptHeaders, keptText, type OutputHead, sharedOutput, storedOutput, upstreamOf } from './response.ts'
import { isOutage } from './outage.ts'
import {
  type BedrockClient,
  isBedrock,
  type Middleware,
  type Next,
  type Origin,
  originOf,
  protocolOf,
  type Result,
  type Step,
} from './sdk-client.ts'
import { type ResolvedCall, resolve } from './decision.ts'
import { openFastLane } from './fast-lane.ts'
import { cachedCommands, type CommandCodec } from './commands.ts'
import { abortError, type Caller, follow, isAborted, signalOf } from './signals.ts'
import { bare, readCallOptions } from '../call-options.ts'

export { isBedrock } from './sdk-client.ts'

/** One `send` on its way through the seam. */
interface SendContext extends Caller {
  /** The caller's options, not yet checked. Our step reads them, so that an error for them rejects the call. */
  readonly cache: unknown
  readonly bypassCache: unknown
  /** Aborts the SDK's own request. Only the flight may do so, as other callers may wait for the same answer. */
  readonly upstream: AbortController
  /** Called with the SDK's name for the command. */
  readonly named: (commandName: string) => void
}

const flightsOf = flightsByEngine<FlightHead<OutputHead>, ServerEvent>()

/** A client of the same class and configuration that goes through the engine. The caller's own client is not changed. */
export function wrapBedrock(client: BedrockClient, engine: Engine): BedrockClient {
  const beneath: unknown = Reflect.get(client, bare)
  const own = typeof beneath === 'object' && beneath !== null && isBedrock(beneath) ? beneath : client
  const origin = originOf(own.config)
  const send = (command: unknown, optionsOrCallback?: unknown, callback?: unknown): unknown => {
    const [given, done] = typeof optionsOrCallback === 'function' ? [undefined, optionsOrCallback] : [optionsOrCallback, callback]
    const { cache, bypassCache, abortSignal, ...rest }: JsonObject = isJsonObject(given) ? given : {}
    const caller = { signal: signalOf(abortSignal), protocol: protocolOf(own.config) }
    const output = done === undefined ? lane.answer(command, { cache, bypassCache }, caller) : undefined
    if (output !== undefined) return Promise.resolve().then(output)
    const named = (commandName: string): void => lane.learn(command, commandName)
    const context: SendContext = { cache, bypassCache, ...caller, upstream: new AbortController(), named }
    const stack = wrapped.middlewareStack.clone()
    stack.add(cachingStep(engine, origin, context), { step: 'initialize', priority: 'low', name: 'llmemo' })
    // A client for this call only: a client may keep handlers, which must not be shared with another call, nor may the stack.
    const single: object = Object.create(wrapped, {
      middlewareStack: { value: stack },
      handlers: { value: undefined, configurable: true, writable: true },
    })
    const options = { ...rest, abortSignal: context.upstream.signal }
    // `send` finds the stack and the handlers on its `this`.
    return Reflect.apply(Reflect.get(own, 'send'), single, done === undefined ? [command, options] : [command, options, done])
  }
  const wrapped: BedrockClient = Object.create(Object.getPrototypeOf(own), {
    ...Object.getOwnPropertyDescriptors(own),
    [bare]: { value: own },
    middlewareStack: { value: own.middlewareStack.clone(), enumerable: true, configurable: true, writable: true },
    send: { value: send, configurable: true, writable: true },
  })
  const lane = openFastLane(own, wrapped, { engine, origin })
  return wrapped
}

function cachingStep(engine: Engine, origin: Origin, context: SendContext): Middleware {
  return (next, { commandName = '' }) =>
    async (step) => {
      context.named(commandName)
      const options = readCallOptions(context.cache, context.bypassCache)
      const command = cachedCommands.get(commandName)
      const from = command === undefined || isAborted(context.signal) ? undefined : await origin.find()
      if (command === undefined || from === undefined) return bypass(next, step, context)
      const { codec } = command
      const resolved = resolve(engine, command, { input: step.input, origin: from, options })
      if ('reason' in resolved) {
        const result = await bypass(next, step, context)
        const info = engine.bypass(resolved)
        return { ...result, output: informed(result.output, () => info) }
      }
      try {
        const own = codec.snapshot(step.input, resolved.cachedCall.request)
        const send = async (input = own()): Promise<JsonObject> => (await next({ ...step, input })).output
        return { output: await exchange(engine, exchangeOf(engine, { ...resolved, codec, send }, context)) }
      } catch (error) {
        // The signal may have fired during the call.
        throw isAborted(context.signal) ? abortError(context.signal) : error
      }
    }
}

/** Makes a call that bypasses the cache. The caller's signal then aborts the SDK's request. */
async function bypass(next: Next, step: Step, { signal, upstream }: SendContext): Promise<Result> {
  const unfollow = signal === undefined ? undefined : follow(upstream, signal)
  let streamed = false
  try {
    const result = await next(step)
    streamed = ['stream', 'body'].some((name) => isStream(Reflect.get(result.output, name)))
    return result
  } finally {
    // The caller's signal may live much longer than the call. Only a stream can still be aborted.
    if (!streamed) unfollow?.()
  }
}

/** One call that uses the cache, and how to make it. */
interface BedrockCall extends ResolvedCall {
  readonly codec: CommandCodec
  /** Calls the service, with another input or with the caller's own. */
  readonly send: (input?: JsonObject) => Promise<JsonObject>
}

function exchangeOf(engine: Engine, call: BedrockCall, context: SendContext): Seam<OutputHead, ServerEvent, JsonObject> {
  const { cachedCall, inputs, codec, send } = call
  const { signal, upstream } = context
  return {
    cachedCall,
    signal,
    flights: flightsOf(engine),
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      follow(upstream, flightSignal)
      return upstreamOf(
        inputs === undefined ? await send() : await sendInputs(engine, { ...call, inputs }, outcome),
        codec,
        cachedCall.streamed,
      )
    },
    isOutage: (said) => 'error' in said && isOutage(said.error),
    size: ({ data }) => data.length,
    draft: (recording) => (inputs === undefined ? draftOf(cachedCall, recording) : undefined),
    stored: ({ entry }, info) => storedOutput(entry, cachedCall, { codec, info, replay: engine.settings.replay, caller: context }),
    shared: (head, reader, info) => sharedOutput(head, reader, { cachedCall, codec, info, caller: context }),
    missing() {
      throw new NotCachedError()
    },
  }
}

async function sendInputs(
  engine: Engine,
  { cachedCall, codec, inputs, send }: BedrockCall & { readonly inputs: PerInputCalls },
  outcome: StoreOutcome,
): Promise<JsonObject> {
  const { said, answer } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const output = await send(request && codec.input(request))
      const text = keptText(output, codec)
      return { output, answer: text === undefined ? undefined : parseJsonObject(text), headers: keptHeaders(output) }
    },
  })
  return answer === undefined ? said.output : { ...said.output, ...codec.output(codec.assembled(answer)) }
}

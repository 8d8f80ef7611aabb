/**
 * The Bedrock seam: the middleware stack's initialize step, before anything is signed or context, so that a hit needs no credentials and no
 * network. The caller's own client and stack are not changed: each `send` runs over a copy of the stack with our step at its end.
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
import { type ResolvedCall, decide } from './decision.ts'
import { FastSend } from './fast-lane.ts'
import { cachedCommands, type CommandCodec } from './commands.ts'
import { abortError, type Caller, follow, isAborted, signalOf } from './signals.ts'
import { bare, readCallOptions } from '../call-options.ts'

export { isBedrock } from './sdk-client.ts'

/** One `send` on its way through the seam. */
interface SendContext extends Caller {
  /** The caller's options as he gave them. They are read where an error of ours is one of the call. */
  readonly cache: unknown
  readonly bypassCache: unknown
  /** What the SDK's own request listens to. It is the flight's to abort, as others may wait for the same answer. */
  readonly upstream: AbortController
  /** Told what the SDK says that the command is called. */
  readonly named: (commandName: string) => void
}

const flightsOf = flightsByEngine<FlightHead<OutputHead>, ServerEvent>()

/** A client like the caller's, of the same class and configuration, that goes through the engine. */
export function wrapBedrock(client: BedrockClient, engine: Engine): BedrockClient {
  const beneath: unknown = Reflect.get(client, bare)
  const own = typeof beneath === 'object' && beneath !== null && isBedrock(beneath) ? beneath : client
  const origin = originOf(own.config)
  const send = (command: unknown, optionsOrCallback?: unknown, callback?: unknown): unknown => {
    const [given, done] = typeof optionsOrCallback === 'function' ? [undefined, optionsOrCallback] : [optionsOrCallback, callback]
    const { cache, bypassCache, abortSignal, ...rest }: JsonObject = isJsonObject(given) ? given : {}
    const caller = { signal: signalOf(abortSignal), protocol: protocolOf(own.config) }
    const output = done === undefined ? fast.output(command, cache, bypassCache, caller) : undefined
    if (output !== undefined) return Promise.resolve().then(output)
    const named = (commandName: string): void => fast.learn(command, commandName)
    const context: SendContext = { cache, bypassCache, ...caller, upstream: new AbortController(), named }
    const stack = wrapped.middlewareStack.clone()
    stack.add(cachingStep(engine, origin, context), { step: 'initialize', priority: 'low', name: 'llmemo' })
    // A client for this call alone, so that neither the stack nor the handlers that a client may keep are shared with another call.
    const single: object = Object.create(wrapped, {
      middlewareStack: { value: stack },
      handlers: { value: undefined, configurable: true, writable: true },
    })
    const options = { ...rest, abortSignal: context.upstream.signal }
    // `send` finds the stack and the handlers by its `this`.
    return Reflect.apply(Reflect.get(own, 'send'), single, done === undefined ? [command, options] : [command, options, done])
  }
  const wrapped: BedrockClient = Object.create(Object.getPrototypeOf(own), {
    ...Object.getOwnPropertyDescriptors(own),
    [bare]: { value: own },
    middlewareStack: { value: own.middlewareStack.clone(), enumerable: true, configurable: true, writable: true },
    send: { value: send, configurable: true, writable: true },
  })
  const fast = new FastSend(engine, own, wrapped, origin)
  return wrapped
}

function cachingStep(engine: Engine, origin: Origin, context: SendContext): Middleware {
  return (next, { commandName = '' }) =>
    async (step) => {
      context.named(commandName)
      const options = readCallOptions(context.cache, context.bypassCache)
      const command = cachedCommands.get(commandName)
      const from = command === undefined || isAborted(context.signal) ? undefined : await origin.find()
      if (command === undefined || from === undefined) return pass(next, step, context)
      const { codec, streamed } = command
      const decided = decide(engine, codec, streamed, step.input, from, options)
      if ('reason' in decided) {
        const result = await pass(next, step, context)
        const info = engine.bypass(decided)
        return { ...result, output: informed(result.output, () => info) }
      }
      try {
        const own = codec.snapshot(step.input, decided.cachedCall.request)
        const ask = async (input = own()): Promise<JsonObject> => (await next({ ...step, input })).output
        return { output: await exchange(engine, exchangeOf(engine, { ...decided, codec, ask }, context)) }
      } catch (error) {
        // The signal may have fired meanwhile.
        throw isAborted(context.signal) ? abortError(context.signal) : error
      }
    }
}

/** Past the cache. The caller's signal is then the request's own. */
async function pass(next: Next, step: Step, { signal, upstream }: SendContext): Promise<Result> {
  const unfollow = signal === undefined ? undefined : follow(upstream, signal)
  let streamed = false
  try {
    const result = await next(step)
    streamed = ['stream', 'body'].some((name) => isStream(Reflect.get(result.output, name)))
    return result
  } finally {
    // The caller's signal may outlive the call by far. A stream can still be aborted.
    if (!streamed) unfollow?.()
  }
}

/** One call, decided, and how to make it. */
interface BedrockCall extends ResolvedCall {
  readonly codec: CommandCodec
  /** Asks the service, with another input or with the caller's own. */
  readonly ask: (input?: JsonObject) => Promise<JsonObject>
}

function exchangeOf(engine: Engine, asked: BedrockCall, context: SendContext): Seam<OutputHead, ServerEvent, JsonObject> {
  const { cachedCall, inputs, codec, ask } = asked
  const { signal, upstream } = context
  return {
    cachedCall,
    signal,
    flights: flightsOf(engine),
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      follow(upstream, flightSignal)
      return upstreamOf(inputs === undefined ? await ask() : await askInputs(engine, asked, inputs, outcome), codec, cachedCall.streamed)
    },
    isOutage: (said) => 'error' in said && isOutage(said.error),
    size: ({ data }) => data.length,
    draft: (recording) => (inputs === undefined ? draftOf(cachedCall, recording) : undefined),
    stored: ({ entry }, info) => storedOutput(entry, cachedCall, codec, info, engine.settings.replay, context),
    shared: (head, reader, info) => sharedOutput(head, reader, cachedCall, codec, info, context),
    missing() {
      throw new NotCachedError()
    },
  }
}

async function askInputs(
  engine: Engine,
  { cachedCall, codec, ask }: BedrockCall,
  inputs: PerInputCalls,
  outcome: StoreOutcome,
): Promise<JsonObject> {
  const { said, answer } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const output = await ask(request && codec.input(request))
      const text = keptText(output, codec)
      return { output, answer: text === undefined ? undefined : parseJsonObject(text), headers: keptHeaders(output) }
    },
  })
  return answer === undefined ? said.output : { ...said.output, ...codec.output(codec.assembled(answer)) }
}

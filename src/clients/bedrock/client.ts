/**
 * The Bedrock seam: the middleware stack's initialize step, before anything is signed or sent, so that a hit needs no credentials and no
 * network. The caller's own client and stack are not changed: each `send` runs over a copy of the stack with our step at its end.
 * Source: https://github.com/smithy-lang/smithy-typescript/tree/main/packages/middleware-stack
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { exchange, type Exchange, type Shared } from '../../engine/exchange.ts'
import type { Fate } from '../../engine/cache-info.ts'
import { flightsByEngine } from '../../engine/flight/flights.ts'
import { fillSingles, findSingles, type Singles } from '../../engine/per-input.ts'
import { NotCachedError } from '../../errors.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../../providers/endpoint.ts'
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
import { type Decided, decide } from './decision.ts'
import { FastSend } from './fast-lane.ts'
import { cachedCommands, type Shape } from './commands.ts'
import { abortError, type Caller, follow, isAborted, signalOf } from './signals.ts'
import { bare, readCallOptions } from '../call-options.ts'

export { isBedrock } from './sdk-client.ts'

/** One `send` on its way through the seam. */
interface Sent extends Caller {
  /** The caller's options as he gave them. They are read where an error of ours is one of the call. */
  readonly cache: unknown
  readonly bypassCache: unknown
  /** What the SDK's own request listens to. It is the flight's to abort, as others may wait for the same answer. */
  readonly upstream: AbortController
  /** Told what the SDK says that the command is called. */
  readonly named: (commandName: string) => void
}

const flightsOf = flightsByEngine<Shared<OutputHead>, ServerEvent>()

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
    const sent: Sent = { cache, bypassCache, ...caller, upstream: new AbortController(), named }
    const stack = wrapped.middlewareStack.clone()
    stack.add(cachingStep(engine, origin, sent), { step: 'initialize', priority: 'low', name: 'llmemo' })
    // A client for this call alone, so that neither the stack nor the handlers that a client may keep are shared with another call.
    const single: object = Object.create(wrapped, {
      middlewareStack: { value: stack },
      handlers: { value: undefined, configurable: true, writable: true },
    })
    const options = { ...rest, abortSignal: sent.upstream.signal }
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

function cachingStep(engine: Engine, origin: Origin, sent: Sent): Middleware {
  return (next, { commandName = '' }) =>
    async (step) => {
      sent.named(commandName)
      const options = readCallOptions(sent.cache, sent.bypassCache)
      const command = cachedCommands.get(commandName)
      const from = command === undefined || isAborted(sent.signal) ? undefined : await origin.find()
      if (command === undefined || from === undefined) return pass(next, step, sent)
      const { shape, streamed } = command
      const decided = decide(engine, shape, streamed, step.input, from, options)
      if ('reason' in decided) {
        const result = await pass(next, step, sent)
        const info = engine.bypass(decided)
        return { ...result, output: informed(result.output, () => info) }
      }
      try {
        const own = shape.snapshot(step.input, decided.plan.request)
        const ask = async (input = own()): Promise<JsonObject> => (await next({ ...step, input })).output
        return { output: await exchange(engine, exchangeOf(engine, { ...decided, shape, ask }, sent)) }
      } catch (error) {
        // The signal may have fired meanwhile.
        throw isAborted(sent.signal) ? abortError(sent.signal) : error
      }
    }
}

/** Past the cache. The caller's signal is then the request's own. */
async function pass(next: Next, step: Step, { signal, upstream }: Sent): Promise<Result> {
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
interface Asked extends Decided {
  readonly shape: Shape
  /** Asks the service, with another input or with the caller's own. */
  readonly ask: (input?: JsonObject) => Promise<JsonObject>
}

function exchangeOf(engine: Engine, asked: Asked, sent: Sent): Exchange<OutputHead, ServerEvent, JsonObject> {
  const { plan, singles, shape, ask } = asked
  const { signal, upstream } = sent
  return {
    plan,
    signal,
    flights: flightsOf(engine),
    ...(singles && { find: () => findSingles(engine, plan, singles) }),
    async start(flightSignal, fate) {
      follow(upstream, flightSignal)
      return upstreamOf(singles === undefined ? await ask() : await askSingles(engine, asked, singles, fate), shape, plan.streamed)
    },
    isOutage: (said) => 'error' in said && isOutage(said.error),
    size: ({ data }) => data.length,
    draft: (recording) => (singles === undefined ? draftOf(plan, recording) : undefined),
    stored: ({ entry }, tell) => storedOutput(entry, plan, shape, tell, engine.settings.replay, sent),
    shared: (head, passenger, info) => sharedOutput(head, passenger, plan, shape, info, sent),
    missing() {
      throw new NotCachedError()
    },
  }
}

async function askSingles(engine: Engine, { plan, shape, ask }: Asked, singles: Singles, fate: Fate): Promise<JsonObject> {
  const { said, answer } = await fillSingles(engine, plan, singles, fate, async (request) => {
    const output = await ask(request && shape.input(request))
    const text = keptText(output, shape)
    return { output, answer: text === undefined ? undefined : parseJsonObject(text), headers: keptHeaders(output) }
  })
  return answer === undefined ? said.output : { ...said.output, ...shape.output(shape.assembled(answer)) }
}

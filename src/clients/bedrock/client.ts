/**
 * The Bedrock seam: the initialize step of the middleware stack, before a request is signed or sent, so that a hit needs no credentials and
 * no network. The caller's own client and stack are not changed: each `send` sends a copy of the command, with our step in the command's stack.
 * Source: https://github.com/smithy-lang/smithy-typescript/tree/main/packages/middleware-stack
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { Engine } from '../../engine/engine.ts'
import { exchange } from '../../engine/exchange.ts'
import type { CallLimits, EarlierLookup, FlightHead, Seam } from '../../engine/seam.ts'
import type { Bypass } from '../../engine/cached-call.ts'
import type { StoreOutcome } from '../../engine/cache-info.ts'
import { flightsByEngine } from '../../engine/flight/flights.ts'
import { refusedCall } from '../../engine/settings/recorded.ts'
import { fillInputs, findInputs, type PerInputCalls } from '../../engine/per-input.ts'
import {
  draftOf,
  informed,
  keptHeaders,
  keptText,
  type OutputHead,
  sharedOutput,
  sizeOf,
  storedOutput,
  type StreamItem,
  upstreamOf,
} from './response.ts'
import { isOutage } from './outage.ts'
import {
  type BedrockClient,
  type BedrockCommand,
  isBedrock,
  isCommand,
  type Middleware,
  type MiddlewareStack,
  type Next,
  protocolOf,
  type Result,
  type Step,
} from './sdk-client.ts'
import { type Origin, Origins, wentTo } from './origin.ts'
import { isOthersFailure, limitsOf, noteUnsent } from './limits.ts'
import { bypassOf } from './bypass.ts'
import { layeredStack } from './middleware-stack.ts'
import { hasPrivateState, wrappedClient } from './wrapped-client.ts'
import { type DecidedCall, type ResolvedCall, resolve } from './decision.ts'
import { openFastLane } from './fast-lane.ts'
import { cachedCommands, type CommandCodec } from './commands.ts'
import { abortError, type Caller, follow, followWhileUsed, isAborted, signalOf } from './signals.ts'
import { ownOptions } from '../../engine/settings/call-options.ts'
import { infoLater } from '../cache-info.ts'
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
  readonly limits: CallLimits
  /** What the fast lane decided of the call. */
  readonly decided: DecidedCall | undefined
  /** The origin of the call; `undefined` if there is none. */
  readonly origin: (input: JsonObject) => Promise<Origin | undefined>
}

const flightsOf = flightsByEngine<FlightHead<OutputHead>, StreamItem>()

/** A client of the same class and configuration that goes through the engine. The caller's own client is not changed. */
export function wrapBedrock(client: BedrockClient, engine: Engine): BedrockClient {
  const beneath: unknown = Reflect.get(client, bare)
  const own = typeof beneath === 'object' && beneath !== null && isBedrock(beneath) ? beneath : client
  const origins = new Origins()
  const layered = layeredStack(own)
  const send = (...parameters: unknown[]): unknown => {
    const [command, optionsOrCallback, callback] = parameters
    if (!isCommand(command)) return sendOn(parameters)
    const [options, done] = typeof optionsOrCallback === 'function' ? [undefined, optionsOrCallback] : [optionsOrCallback, callback]
    const { cache: given, bypassCache, abortSignal, ...rest }: JsonObject = isJsonObject(options) ? options : {}
    // They are read later, when the caller may have changed them.
    const cache = ownOptions(given)
    const { config } = wrapped
    const caller = { signal: signalOf(abortSignal), protocol: protocolOf(config) }
    const documented = (decided?: DecidedCall): unknown => {
      const stack = command.middlewareStack.clone()
      const named = (commandName: string): void => lane.learn(command, commandName)
      const origin = (input: JsonObject): Promise<Origin | undefined> => origins.find(config, stack, input)
      const context: SendContext = {
        cache,
        bypassCache,
        ...caller,
        upstream: new AbortController(),
        named,
        origin,
        decided,
        limits: limitsOf(own, rest),
      }
      stack.add(cachingStep(engine, context), { step: 'initialize', priority: 'low', name: 'llmemo' })
      const sdkOptions = { ...rest, abortSignal: context.upstream.signal }
      return sendOn([withStack(command, stack), sdkOptions, ...(done === undefined ? [] : [done])])
    }
    const known = done === undefined ? lane.commandOf(command) : undefined
    const bypassed = known && bypassOf(engine, known, { cache, bypassCache })
    if (bypassed !== undefined) return sendPast([command, { ...rest, abortSignal }], bypassed)
    const quick = done === undefined ? lane.answer(command, { cache, bypassCache }, caller) : undefined
    return quick === undefined ? documented() : quick.then(({ output, decided }) => output ?? documented(decided))
  }
  /** Calls the client's own `send`, which finds the stack and the handlers on its `this`. */
  const sendOn = (given: readonly unknown[]): unknown => {
    const method: Function = Reflect.get(own, 'send')
    const changed = changes()
    const isAsGiven = !layered.isChanged() && Object.keys(changed).length === 0
    if (isAsGiven && hasPrivateState(method)) return Reflect.apply(method, own, given)
    // A client for this call only: the SDK's `send` writes to the handlers that a client may keep.
    const single: object = Object.create(own, {
      ...(layered.isChanged() && { middlewareStack: { value: layered.current() } }),
      ...changed,
      handlers: { value: undefined, configurable: true, writable: true },
    })
    return Reflect.apply(method, single, given)
  }
  const sendPast = async (given: readonly unknown[], bypassed: Bypass): Promise<unknown> => {
    const output = await sendOn(given)
    return isJsonObject(output) ? informed(output, infoLater(engine.bypass(bypassed))) : output
  }
  const members = new Map<PropertyKey, unknown>([
    [bare, own],
    ['middlewareStack', layered.stack],
    ['send', send],
  ])
  const { client: wrapped, changes } = wrappedClient(own, members)
  const isAsGiven = (): boolean => !layered.isChanged() && Reflect.get(wrapped, 'config') === own.config
  const lane = openFastLane(own, { engine, origins, isAsGiven })
  return wrapped
}

/** The same command with another stack. The caller may send its own again, and at the same time. */
function withStack(command: BedrockCommand, stack: MiddlewareStack): object {
  return Object.create(Object.getPrototypeOf(command), {
    ...Object.getOwnPropertyDescriptors(command),
    middlewareStack: { value: stack, enumerable: true, configurable: true, writable: true },
  })
}

function cachingStep(engine: Engine, context: SendContext): Middleware {
  return (next, execution) => async (step) => {
    const { commandName = '' } = execution
    context.named(commandName)
    const options = readCallOptions(context.cache, context.bypassCache)
    const command = cachedCommands.get(commandName)
    const origin = command === undefined || isAborted(context.signal) ? undefined : await context.origin(step.input)
    if (command === undefined) engine.pass({ method: 'send', host: 'bedrock-runtime', path: commandName })
    if (command === undefined || origin === undefined) {
      refuse(engine, commandName)
      return bypass(next, step, context)
    }
    const { codec } = command
    const decided = decidedOf(context, { input: step.input, command, origin: origin.text })
    const resolved = decided ?? resolve(engine, command, { input: step.input, origin: origin.text, options })
    if ('reason' in resolved) {
      refuse(engine, resolved.reason)
      const result = await bypass(next, step, context)
      return { ...result, output: informed(result.output, infoLater(engine.bypass(resolved))) }
    }
    try {
      const own = decided?.own ?? codec.snapshot(step.input, resolved.cachedCall.request)
      const send = async (input = own()): Promise<JsonObject> => {
        try {
          return (await next({ ...step, input })).output
        } catch (error) {
          noteUnsent(error, execution)
          throw error
        }
      }
      const isElsewhere = (): boolean => !wentTo(origin, execution)
      return {
        output: await exchange(engine, exchangeOf(engine, { ...resolved, codec, send, isElsewhere, earlier: decided?.earlier }, context)),
      }
    } catch (error) {
      // The signal may have fired during the call.
      throw isAborted(context.signal) ? abortError(context.signal) : error
    }
  }
}

/** What the fast lane decided, if it is of this very call: its middleware may have changed the input since, or the origin. */
function decidedOf({ decided }: SendContext, now: Pick<DecidedCall, 'input' | 'command' | 'origin'>): DecidedCall | undefined {
  const isSame = decided?.input === now.input && decided.command === now.command && decided.origin === now.origin
  return isSame ? decided : undefined
}

/** @throws {NotCachedError} for a call past the cache, if the cache only replays recordings */
function refuse({ settings }: Engine, why: string): void {
  const refused = refusedCall(settings, why)
  if (refused !== undefined) throw refused
}

/** Makes a call that bypasses the cache. The caller's signal then aborts the SDK's request. */
async function bypass(next: Next, step: Step, { signal, upstream }: SendContext): Promise<Result> {
  // The caller's signal may live much longer than the call.
  const answered = signal && followWhileUsed(upstream, signal)
  try {
    return await next(step)
  } finally {
    answered?.()
  }
}

/** One call that uses the cache, and how to make it. */
interface BedrockCall extends ResolvedCall {
  readonly codec: CommandCodec
  /** Calls the service, with another input or with the caller's own. */
  readonly send: (input?: JsonObject) => Promise<JsonObject>
  /** Whether the SDK has sent the call to another origin than that of the key. */
  readonly isElsewhere: () => boolean
  readonly earlier: EarlierLookup | undefined
}

function exchangeOf(engine: Engine, call: BedrockCall, context: SendContext): Seam<OutputHead, StreamItem, JsonObject> {
  const { cachedCall, inputs, codec, send, isElsewhere, earlier } = call
  const { signal } = context
  return {
    cachedCall,
    signal,
    earlier,
    flights: flightsOf(engine),
    limits: context.limits,
    isOthersFailure: (said, joining) => 'error' in said && isOthersFailure(said.error, joining),
    ...(inputs && { find: () => findInputs(engine, cachedCall, inputs) }),
    async start(flightSignal, outcome) {
      follow(context.upstream, flightSignal)
      const output = inputs === undefined ? await send() : await sendInputs(engine, { ...call, inputs }, outcome)
      const upstream = upstreamOf(output, codec, cachedCall.streamed)
      return isElsewhere() ? { ...upstream, shareable: false } : upstream
    },
    isOutage: (said) => 'error' in said && isOutage(said.error),
    size: sizeOf,
    draft(recording) {
      if (isElsewhere()) return 'other origin'
      return inputs === undefined ? draftOf(cachedCall, recording) : undefined
    },
    stored: ({ entry }, info) => storedOutput(entry, cachedCall, { codec, info, replay: engine.settings.replay, caller: context }),
    shared: (head, reader, { info }) => sharedOutput(head, reader, { cachedCall, codec, info, caller: context }),
    missing(_, error) {
      throw error
    },
  }
}

async function sendInputs(
  engine: Engine,
  { cachedCall, codec, inputs, send, isElsewhere }: BedrockCall & { readonly inputs: PerInputCalls },
  outcome: StoreOutcome,
): Promise<JsonObject> {
  const { said, answer } = await fillInputs(engine, cachedCall, {
    inputs,
    outcome,
    async ask(request) {
      const output = await send(request && codec.input(request))
      // An answer of another origin is for this caller alone, and whole.
      if (isElsewhere()) return { output: request === undefined ? output : await send(), answer: undefined, headers: {} }
      const text = keptText(output, codec)
      return { output, answer: text === undefined ? undefined : parseJsonObject(text), headers: keptHeaders(output) }
    },
  })
  return answer === undefined ? said.output : { ...said.output, ...codec.output(codec.assembled(answer)) }
}

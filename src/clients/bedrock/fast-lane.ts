/**
 * The fast lane of `send`: it gives a fresh answer from memory before the SDK makes a chain of its middleware, which takes longer than the
 * answer. It is open only if a hit skips nothing of the caller's: no middleware in the first step, no logger.
 *
 * The fast lane of the clients that call a `fetch` has the same four steps: open, learn, answer, close.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isRead, reuse } from '../../engine/reuse.ts'
import type { Engine } from '../../engine/engine.ts'
import type { BedrockClient, MiddlewareStack, Origin } from './sdk-client.ts'
import { resolve } from './decision.ts'
import { storedOutput } from './response.ts'
import { cachedCommands } from './commands.ts'
import { type Caller, isAborted } from './signals.ts'
import { readCallOptions } from '../call-options.ts'

/** The only middleware of the SDK's own that runs on a hit. It writes to the client's logger. */
const loggingMiddleware = 'loggerMiddleware'

/** The methods that change a stack. */
const changingMethods = ['add', 'addRelativeTo', 'remove', 'removeByTag', 'use']

/** What the lane needs besides the two clients. */
interface LaneSettings {
  readonly engine: Engine
  readonly origin: Origin
}

/** The caller's cache options of a call, not yet checked. */
interface UncheckedOptions {
  readonly cache: unknown
  readonly bypassCache: unknown
}

/**
 * Opens the lane for a wrapped client. It stays closed for a client whose `send` or logger it does not know.
 * @param own the caller's own client
 * @param wrapped the client that goes through the engine
 */
export function openFastLane(own: BedrockClient, wrapped: BedrockClient, settings: LaneSettings): FastLane {
  return new FastLane(own, wrapped, settings)
}

/** The fast lane of one wrapped client. */
export class FastLane {
  readonly #engine: Engine
  readonly #client: BedrockClient
  readonly #origin: Origin
  readonly #stack: MiddlewareStack
  readonly #send: unknown
  readonly #logger: unknown
  /** The SDK's names for its commands, by their classes. */
  readonly #names = new WeakMap<object, string>()
  #closed = false

  constructor(own: BedrockClient, wrapped: BedrockClient, { engine, origin }: LaneSettings) {
    this.#engine = engine
    this.#client = own
    this.#origin = origin
    this.#stack = wrapped.middlewareStack
    this.#send = Reflect.get(own, 'send')
    this.#logger = Reflect.get(own.config, 'logger')
    // A function that replaces the SDK's own method, to watch calls, takes other parameters.
    const isSdkMethod = typeof this.#send === 'function' && this.#send.length === 3
    if (isSdkMethod && isSilent(this.#logger) && isBare(this.#stack)) for (const name of changingMethods) this.#closeOn(name)
    else this.close()
  }

  /** Closes the lane for good. */
  close(): void {
    this.#closed = true
  }

  /** Notes the SDK's name for a command. */
  learn(command: unknown, name: string): void {
    if (isJsonObject(command)) this.#names.set(command.constructor, name)
  }

  /**
   * A function that gives the output of a command, if the lane can give the output of the SDK at once; else `undefined`, and the call goes
   * the documented way. Call the function in a later turn: a listener for hits may make the same call.
   */
  answer(command: unknown, { cache, bypassCache }: UncheckedOptions, caller: Caller): (() => JsonObject) | undefined {
    const { current: from } = this.#origin
    if (this.#closed || from === undefined || isAborted(caller.signal) || !isJsonObject(command) || !this.#isAsBefore()) return undefined
    const { input, middlewareStack: stack } = command
    const named = cachedCommands.get(this.#names.get(command.constructor) ?? '')
    if (named === undefined || !isJsonObject(input) || !isStack(stack) || !isPlain(stack)) return undefined
    if (Object.hasOwn(command, 'resolveMiddleware')) return undefined
    try {
      const options = readCallOptions(cache, bypassCache)
      const resolved = resolve(this.#engine, named, { input, origin: from, options })
      if ('reason' in resolved || resolved.inputs !== undefined || !isRead(resolved.cachedCall.mode)) return undefined
      const { cachedCall } = resolved
      const found = this.#engine.tiers.getFromMemory(cachedCall)
      if (found === undefined || reuse(found, cachedCall, this.#engine.settings) !== 'serve') return undefined
      const { replay } = this.#engine.settings
      return () => storedOutput(found.entry, cachedCall, { codec: named.codec, info: this.#engine.hit(cachedCall, found), replay, caller })
    } catch {
      // The documented way meets the same fault and reports it.
      return undefined
    }
  }

  #isAsBefore(): boolean {
    const { config } = this.#client
    return Reflect.get(this.#client, 'send') === this.#send && Reflect.get(config, 'logger') === this.#logger
  }

  /** Closes the lane when the caller changes the stack of the wrapped client by this method. */
  #closeOn(name: string): void {
    const change: unknown = Reflect.get(this.#stack, name)
    if (typeof change !== 'function') return
    const value = (...given: unknown[]): unknown => {
      this.close()
      return Reflect.apply(change, this.#stack, given)
    }
    Object.defineProperty(this.#stack, name, { value, enumerable: true, configurable: true, writable: true })
  }
}

/** Whether a logger does nothing, as the default one of the SDK. */
function isSilent(logger: unknown): boolean {
  const info: unknown = typeof logger === 'object' && logger !== null ? Reflect.get(logger, 'info') : undefined
  return typeof info === 'function' && /^[\w$]*\s*\([\w$, ]*\)\s*\{\s*\}$/.test(Function.prototype.toString.call(info))
}

function isStack(value: unknown): value is MiddlewareStack {
  return isJsonObject(value) && typeof value['identify'] === 'function'
}

/** Whether the first step of a client's stack holds only the SDK's own logging. */
function isBare(stack: MiddlewareStack): boolean {
  return isStack(stack) && isPlain(stack, `${loggingMiddleware} - initialize`)
}

/** Whether the first step of a stack is empty, except for the entry `allowed`. */
function isPlain(stack: MiddlewareStack, allowed?: string): boolean {
  const entries = stack.identify?.() ?? []
  return entries.every((entry) => entry === allowed || !(entry.endsWith(' - initialize') || entry.endsWith(` ${loggingMiddleware}`)))
}

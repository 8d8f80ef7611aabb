/**
 * The fast lane of `send`: a fresh answer in memory is given before the SDK makes a chain of its middleware, which takes longer than the
 * answer. Only where nobody else has a part in the first step, which a hit goes through: no middleware of the user's own, no logger.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isRead, reuse } from '../../engine/reuse.ts'
import type { Engine } from '../../engine/engine.ts'
import type { BedrockClient, MiddlewareStack, Origin } from './sdk-client.ts'
import { decide } from './decision.ts'
import { storedOutput } from './response.ts'
import { cachedCommands } from './commands.ts'
import { type Caller, isAborted } from './signals.ts'
import { readCallOptions } from '../call-options.ts'

/** The only middleware of the SDK's own that a hit goes through. It writes to the client's logger. */
const logging = 'loggerMiddleware'

/** What changes a stack. */
const changes = ['add', 'addRelativeTo', 'remove', 'removeByTag', 'use']

/** Answers what can be answered at once. */
export class FastSend {
  readonly #engine: Engine
  readonly #client: BedrockClient
  readonly #origin: Origin
  readonly #stack: MiddlewareStack
  readonly #send: unknown
  readonly #logger: unknown
  /** What the SDK calls its commands, by their classes. */
  readonly #names = new WeakMap<object, string>()
  #isOpen: boolean

  /**
   * @param own the caller's own client
   * @param wrapped the one that goes through the engine
   */
  constructor(engine: Engine, own: BedrockClient, wrapped: BedrockClient, origin: Origin) {
    this.#engine = engine
    this.#client = own
    this.#origin = origin
    this.#stack = wrapped.middlewareStack
    this.#send = Reflect.get(own, 'send')
    this.#logger = Reflect.get(own.config, 'logger')
    // What stands in for the SDK's own method, to watch over calls, takes other parameters.
    this.#isOpen = typeof this.#send === 'function' && this.#send.length === 3 && isSilent(this.#logger) && isBare(this.#stack)
    if (this.#isOpen) for (const name of changes) this.#watch(name)
  }

  /** Takes note of what the SDK says that a command is called. */
  learn(command: unknown, name: string): void {
    if (isJsonObject(command)) this.#names.set(command.constructor, name)
  }

  /**
   * What gives the output of a command, when it can be given at once and as the SDK would; else the documented way knows what to do. It is
   * to be called in a turn of its own, as a listener may ask the same.
   */
  output(command: unknown, cache: unknown, bypassCache: unknown, caller: Caller): (() => JsonObject) | undefined {
    const { known: from } = this.#origin
    if (!this.#isOpen || from === undefined || isAborted(caller.signal) || !isJsonObject(command) || !this.#isAsBefore()) return undefined
    const { input, middlewareStack: stack } = command
    const named = cachedCommands.get(this.#names.get(command.constructor) ?? '')
    if (named === undefined || !isJsonObject(input) || !isStack(stack) || !isPlain(stack)) return undefined
    if (Object.hasOwn(command, 'resolveMiddleware')) return undefined
    try {
      const { codec, streamed } = named
      const decided = decide(this.#engine, codec, streamed, input, from, readCallOptions(cache, bypassCache))
      if ('reason' in decided || decided.inputs !== undefined || !isRead(decided.cachedCall.mode)) return undefined
      const { cachedCall } = decided
      const found = this.#engine.tiers.getFromMemory(cachedCall)
      if (found === undefined || reuse(found, cachedCall, this.#engine.settings) !== 'serve') return undefined
      return () => storedOutput(found.entry, cachedCall, codec, this.#engine.hit(cachedCall, found), this.#engine.settings.replay, caller)
    } catch {
      // Whatever it was, the documented way will come upon it and say so.
      return undefined
    }
  }

  #isAsBefore(): boolean {
    const { config } = this.#client
    return Reflect.get(this.#client, 'send') === this.#send && Reflect.get(config, 'logger') === this.#logger
  }

  /** Closes the lane for good when the caller changes the stack of the wrapped client. */
  #watch(name: string): void {
    const change: unknown = Reflect.get(this.#stack, name)
    if (typeof change !== 'function') return
    const value = (...given: unknown[]): unknown => {
      this.#isOpen = false
      return Reflect.apply(change, this.#stack, given)
    }
    Object.defineProperty(this.#stack, name, { value, enumerable: true, configurable: true, writable: true })
  }
}

/** Whether a logger does nothing, as that of a client for which none was given. */
function isSilent(logger: unknown): boolean {
  const info: unknown = typeof logger === 'object' && logger !== null ? Reflect.get(logger, 'info') : undefined
  return typeof info === 'function' && /^[\w$]*\s*\([\w$, ]*\)\s*\{\s*\}$/.test(Function.prototype.toString.call(info))
}

function isStack(value: unknown): value is MiddlewareStack {
  return isJsonObject(value) && typeof value['identify'] === 'function'
}

/** Whether nothing but the SDK's own logging is in the first step of a client's stack. */
function isBare(stack: MiddlewareStack): boolean {
  return isStack(stack) && isPlain(stack, `${logging} - initialize`)
}

/** Whether nothing is in the first step of a stack, save for what is `known`. */
function isPlain(stack: MiddlewareStack, known?: string): boolean {
  const entries = stack.identify?.() ?? []
  return entries.every((entry) => entry === known || !(entry.endsWith(' - initialize') || entry.endsWith(` ${logging}`)))
}

/**
 * The fast lane of `send`: it gives a fresh answer from memory before the SDK makes a chain of its middleware, which takes longer than the
 * answer. It is open only if a hit skips nothing of the caller's: no middleware in the first step, no logger.
 *
 * The fast lane of the clients that call a `fetch` has the same four steps: open, learn, answer, close.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import { type JsonObject } from '../../json/object.ts'
import { Reading } from '../../json/reading.ts'
import { isRead, reuse } from '../../engine/reuse.ts'
import type { Engine } from '../../engine/engine.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import type { BedrockClient, BedrockCommand, EntryOptions, MiddlewareStack } from './sdk-client.ts'
import type { Origin, Origins } from './origin.ts'
import { type CommandCall, type DecidedCall, type ResolvedCall, resolve } from './decision.ts'
import { memoByEngine, type ReadingMemo } from '../http/call-memo.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import { isInertJson } from '../../json/plain.ts'
import { storedOutput } from './response.ts'
import { type CachedCommand, cachedCommands } from './commands.ts'
import { type Caller, isAborted } from './signals.ts'
import { readCallOptions } from '../call-options.ts'
import { hasPrivateState } from './wrapped-client.ts'

/** The only middleware of the SDK's own that runs on a hit. It writes to the client's logger. */
const loggingMiddleware = 'loggerMiddleware'

/** What the lane needs besides the client. */
interface LaneSettings {
  readonly engine: Engine
  readonly origins: Origins
  /** Whether the wrapped client has the middleware and the configuration of the given one. */
  readonly isAsGiven: () => boolean
}

/** The caller's cache options of a call, not yet checked. */
export interface UncheckedOptions {
  readonly cache: unknown
  readonly bypassCache: unknown
}

/**
 * Opens the lane over the caller's own client. It stays closed for a client whose `send` or logger it does not know.
 */
export function openFastLane(own: BedrockClient, settings: LaneSettings): FastLane {
  return new FastLane(own, settings)
}

/** The fast lane of one wrapped client. */
export class FastLane {
  readonly #client: BedrockClient
  readonly #settings: LaneSettings
  readonly #send: unknown
  /** The logger that was last found to be silent. */
  #silent: unknown
  /** The SDK's names for its commands, by their classes. */
  readonly #names = new WeakMap<object, string>()
  /** The calls that came before. */
  readonly #known: ReadingMemo<KnownCall>
  #closed = false

  constructor(own: BedrockClient, settings: LaneSettings) {
    this.#client = own
    this.#settings = settings
    this.#send = Reflect.get(own, 'send')
    this.#known = memoOf(settings.engine)
    // A function that replaces the SDK's own method, to watch calls, takes other parameters.
    if (typeof this.#send !== 'function' || this.#send.length !== 3 || hasPrivateState(this.#send)) this.close()
  }

  /** Closes the lane for good. */
  close(): void {
    this.#closed = true
  }

  /** Notes the SDK's name for a command. */
  learn(command: object, name: string): void {
    this.#names.set(command.constructor, name)
  }

  /** What is known of a command; `undefined` if its answers are not cached, or none of its kind was sent. */
  commandOf(command: object): CachedCommand | undefined {
    return cachedCommands.get(this.#names.get(command.constructor) ?? '')
  }

  /**
   * The output of a command, or `undefined` if the call must go the documented way. The lane answers only if it can give the output of the
   * SDK at once. No listener is called before the caller has its promise.
   */
  answer(command: BedrockCommand, unchecked: UncheckedOptions, caller: Caller): Promise<LaneResult> | undefined {
    if (this.#closed || isAborted(caller.signal) || !this.#isAsBefore()) return undefined
    const named = this.commandOf(command)
    if (named === undefined || !isPlain(command.middlewareStack) || Object.hasOwn(command, 'resolveMiddleware')) return undefined
    const origin = this.#settings.origins.quick(this.#client.config)
    return origin && this.#answer(command, { named, origin, unchecked, caller })
  }

  async #answer({ input }: BedrockCommand, { named, origin, unchecked, caller }: LaneCall): Promise<LaneResult> {
    const { engine } = this.#settings
    try {
      const { text } = await origin
      const call = { input, origin: text, options: readCallOptions(unchecked.cache, unchecked.bypassCache) }
      const reading = this.#readingOf(call)
      const known = this.#knownCall(reading, named)
      const resolved = known === undefined ? this.#resolve(call, named) : undefined
      const cachedCall = known ?? resolved?.cachedCall
      if (cachedCall === undefined || !isRead(cachedCall.mode)) return {}
      const { changes } = engine.tiers
      const found = engine.tiers.getFromMemory(cachedCall)
      if (found === undefined || reuse(found, cachedCall, engine.settings) !== 'serve') {
        // Parts of the request are sent, and a middleware may change them, so what is known is not handed on.
        const decided = resolved ?? this.#resolve(call, named)
        if (decided === undefined) return {}
        const own = named.codec.snapshot(input, decided.cachedCall.request)
        const isMiss = found === undefined && engine.settings.store === undefined
        return { decided: { ...decided, input, command: named, origin: text, own, ...(isMiss && { earlier: { found, changes } }) } }
      }
      const { replay } = engine.settings
      let facts: (() => CacheInfo) | undefined
      const info = (): CacheInfo => (facts ??= engine.hit(cachedCall, found))()
      const output = storedOutput(engine.usageView.of(found).entry, cachedCall, { codec: named.codec, info, replay, caller })
      // An output that cannot be made is no hit.
      facts ??= engine.hit(cachedCall, found)
      if (reading !== undefined && known === undefined && isInertJson(input)) this.#known.set(reading, { named, cachedCall })
      return { output }
    } catch {
      // The documented way meets the same fault and reports it.
      return {}
    }
  }

  /** The call as the cache sees it; `undefined` if it bypasses the cache, or if its inputs are cached one by one. */
  #resolve(call: CommandCall, named: CachedCommand): ResolvedCall | undefined {
    const resolved = resolve(this.#settings.engine, named, call)
    return 'reason' in resolved || resolved.inputs !== undefined ? undefined : resolved
  }

  /** What the cache made of a call that reads the same and was answered before. */
  #knownCall(reading: Reading | undefined, named: CachedCommand): CachedCall | undefined {
    const known = reading && this.#known.get(reading)
    return known?.named === named ? known.cachedCall : undefined
  }

  /** All that a call says; `undefined` if it may say more. */
  #readingOf({ input, origin, options }: CommandCall): Reading | undefined {
    const { settings } = this.#settings.engine
    if (!areCallsAlike(settings) || Object.keys(options).length > 0) return undefined
    const reading = new Reading()
    if (!reading.addRecord(input)) return undefined
    reading.addScalar(origin)
    return reading
  }

  #isAsBefore(): boolean {
    if (Reflect.get(this.#client, 'send') !== this.#send || !this.#settings.isAsGiven()) return false
    const logger: unknown = Reflect.get(this.#client.config, 'logger')
    if (logger !== this.#silent && !isSilent(logger)) return false
    this.#silent = logger
    return isPlain(this.#client.middlewareStack)
  }
}

/** What the cache made of a call. */
interface KnownCall {
  readonly named: CachedCommand
  readonly cachedCall: CachedCall
}

/** The known calls of a cache. */
const memoOf = memoByEngine<KnownCall>()

/** What the lane makes of a call: its output, or what the documented way need not do again. */
interface LaneResult {
  readonly output?: JsonObject
  readonly decided?: DecidedCall | undefined
}

/** A call that the lane may answer. */
interface LaneCall {
  readonly named: CachedCommand
  readonly origin: Promise<Origin>
  readonly unchecked: UncheckedOptions
  readonly caller: Caller
}

/** Whether a logger does nothing, as the default one of the SDK. */
function isSilent(logger: unknown): boolean {
  const info: unknown = typeof logger === 'object' && logger !== null ? Reflect.get(logger, 'info') : undefined
  return typeof info === 'function' && /^[\w$]*\s*\([\w$, ]*\)\s*\{\s*\}$/.test(Function.prototype.toString.call(info))
}

/** Whether the first step of a stack holds nothing but the SDK's own logging. */
function isPlain(stack: MiddlewareStack): boolean {
  let plain = true
  const visit = (_: unknown, { step, name, toMiddleware }: EntryOptions): void => {
    // A middleware that names no step is in the first one.
    if (
      ((step ?? 'initialize') === 'initialize' && toMiddleware === undefined && name !== loggingMiddleware) ||
      toMiddleware === loggingMiddleware
    )
      plain = false
  }
  stack.applyToStack({ add: visit, addRelativeTo: visit })
  return plain
}

/**
 * A call of a wrapped client that bypasses the cache by its own options: the given client makes it, as if it were not wrapped.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import type { Bypass } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { infoLater, noteInfo } from '../cache-info.ts'
import { type Lesson, lessonOption, validCallOptions } from '../call-options.ts'
import { isSameClient, type Lane, noLesson } from './lane.ts'
import { isMethod, type Method } from './own-code.ts'
import { informedBy, type SdkPromise } from './sdk-promise.ts'

/** A call with request options. */
interface OptionedCall {
  /** The operation of a call that names none. */
  readonly operation: string
  /** The scope of a call that names none. */
  readonly scope: string
  readonly options: JsonObject
  /** Makes the call by the given client. */
  readonly make: (options: object) => unknown
}

/** Whether these options may say that the call bypasses the cache. */
export function mayBypass(options: unknown): options is JsonObject {
  if (!isJsonObject(options)) return false
  const { cache, bypassCache } = options
  return bypassCache === true || (isJsonObject(cache) && cache['mode'] === 'no-store')
}

/** A call whose options say that it bypasses the cache. */
export interface BypassingCall {
  readonly name: string
  readonly method: Method
  readonly body: unknown
  readonly options: JsonObject
  /** The resource of the given client. */
  readonly given: object
  /** The resource of the wrapped one. */
  readonly resource: object
}

/** Makes a call that bypasses the cache by the given client, once it is known what its facts are. */
export function withoutCache(lane: Lane, { name, method, body, options, given, resource }: BypassingCall): unknown {
  const documented = (own: object): unknown => Reflect.apply(method, resource, [body, own])
  const { events, settings } = lane.engine
  // The given client would send headers that are the cache's. An event tells what the documented way finds out.
  const isUsual = options['headers'] === undefined && areCallsAlike(settings) && !events.isHeard('bypass')
  if (!isUsual || !lane.isUnchanged() || !isSameClient(lane)) return documented(options)
  const { generation, bypasses } = lane
  const known = bypasses.get(name)
  const make = (own: object): unknown => Reflect.apply(method, given, [body, own])
  if (known?.generation === generation) return bypassed(lane.engine, { ...known, options, make }) ?? documented(options)
  const lesson: Lesson = {
    ...noLesson,
    bypassed: (scope, operation) => void bypasses.set(name, { generation, scope, operation }),
  }
  return documented({ ...options, [lessonOption]: lesson })
}

/** The promise of a call that bypasses the cache by its own options; `undefined` for any other call, and if the options are not valid. */
function bypassed(engine: Engine, { operation, scope, options, make }: OptionedCall): SdkPromise | undefined {
  const { cache, bypassCache, ...rest } = options
  const own = validCallOptions(cache, bypassCache)
  if (own?.mode !== 'no-store') return undefined
  const promise = make(rest)
  if (!isSdkPromise(promise)) return undefined
  const facts = new BypassFacts(engine, { operation: own.operation ?? operation, scope: own.scope ?? scope, reason: 'no-store' })
  const answered = (): void => {
    const { info } = facts
    const { signal } = rest
    // A stream helper looks for the facts on the signal that it gave.
    if (typeof signal === 'object' && signal !== null) noteInfo(signal, info)
  }
  // Code that awaits the promise sees the SDK's error.
  promise.asResponse().then(answered, () => undefined)
  return informedBy(promise, facts)
}

/** The facts of one call. */
class BypassFacts {
  readonly #engine: Engine
  readonly #bypass: Bypass
  #info: (() => CacheInfo) | undefined

  constructor(engine: Engine, bypass: Bypass) {
    this.#engine = engine
    this.#bypass = bypass
  }

  /** Makes the facts. The call counts when they are first asked for: it has been answered then. */
  get info(): () => CacheInfo {
    return (this.#info ??= infoLater(this.#engine.bypass(this.#bypass)))
  }
}

function isSdkPromise(value: unknown): value is SdkPromise {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['asResponse', 'withResponse', '_thenUnwrap'].every((name) => isMethod(Reflect.get(value, name)))
  )
}

/**
 * The lane of the SDKs' methods: it answers a call that was made before, word for word, where the SDK's own method begins. What the SDK
 * would make of such a call is known then: its key, and what its helpers do with the result. So a hit costs one reading of the body, one
 * look-up, one parse of the answer, and the SDK's own promise.
 *
 * It takes nothing for granted. It learns each call from one that goes the documented way, and it is open only while all that takes part
 * in a request is the SDK's own, as shipped, and the client is as it was when the call was learnt.
 * @module
 */
import { isInertJson } from '../../json/plain.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Reading } from '../../json/reading.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import { charactersOf } from '../../engine/characters.ts'
import type { Engine } from '../../engine/engine.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import { mayBypass, withoutCache } from './bypass.ts'
import { readBody, type ReadCall } from './call-context.ts'
import { memoByEngine } from './call-memo.ts'
import { type Lesson, lessonOption } from '../call-options.ts'
import { isInertOptions, optionsNow } from './lane-options.ts'
import { isSameClient, type KnownCall, type Lane, type LaneMethods, nextGeneration, noLesson } from './lane.ts'
import { learntForm, type MadePromise, madePromise } from './result-form.ts'
import { isMethod, type Method } from './own-code.ts'
import { Leaders } from './leaders.ts'
import { isShippedMethod } from './sdk-class.ts'
import { isServable } from './servable.ts'
import { shippedSteps } from './shipped-steps.ts'
import { storedPromise } from './stored-promise.ts'
import { waitingPromise } from './waiting-promise.ts'
import type { Twin } from './twin.ts'

/**
 * Opens the lane on the resources of a twin that has all members that the cache puts on it.
 * @param isSeamOurs whether the documented seam is still as it was made
 */
export function openMethodLane(
  { client, own, view }: Twin<object>,
  engine: Engine,
  { resources, ids, events, isSeamOurs }: LaneMethods & { readonly isSeamOurs: () => boolean },
): void {
  const isAsShipped = shippedSteps(client, view)
  if (isAsShipped === undefined) return
  const [post, makeRequest] = ownSteps(client)
  const isOpen = (): boolean => {
    const [postNow, makeRequestNow] = ownSteps(client)
    return postNow === post && makeRequestNow === makeRequest && isAsShipped() && isSeamOurs()
  }
  // As long as nothing was set on the twin, the given client makes the same requests.
  const isUnchanged = (): boolean => Object.getPrototypeOf(view) === own && Reflect.ownKeys(view).length === 0
  const memo = memoOf(engine)
  const lane: Lane = {
    client,
    engine,
    ids,
    events,
    memo,
    isOpen,
    isUnchanged,
    facts: [],
    generation: nextGeneration(),
    bypasses: new Map(),
    leaders: new Leaders({ engine, client, events }),
  }
  for (const path of resources) {
    const resource = path.reduce<unknown>((parent, name) => (isJsonObject(parent) ? parent[name] : undefined), client)
    // Any other object is the caller's own.
    if (isJsonObject(resource) && Object.getOwnPropertyDescriptor(resource, '_client')?.value === client) {
      openMethod(lane, resource, path.join('.'))
    }
  }
}

/** The members that the cache puts on a client. The caller may put others in their places. */
function ownSteps({ post, makeRequest }: { readonly post?: unknown; readonly makeRequest?: unknown }): readonly [unknown, unknown] {
  return [post, makeRequest]
}

/** The methods of lanes, and the SDK's own below them. A client that is wrapped twice inherits ours. */
const originals = new WeakMap<Method, () => unknown>()

/** Puts the lane before the method `create` of one resource of the twin. */
function openMethod(lane: Lane, resource: JsonObject, name: string): void {
  const given: unknown = Object.getPrototypeOf(resource)
  if (!isJsonObject(given)) return
  const below = (): unknown => {
    const { create } = given
    return isMethod(create) ? (originals.get(create)?.() ?? create) : create
  }
  const shipped = below()
  if (!isMethod(shipped) || !isShippedMethod(given, 'create', shipped)) return
  const create: Method = function create(this: unknown, ...parameters) {
    const method = below()
    if (!isMethod(method)) throw new TypeError(`${name}.create is not a function`)
    if (this !== resource || method !== shipped || parameters.length > 2) return Reflect.apply(method, this, parameters)
    const [body, options] = parameters
    if (mayBypass(options)) {
      return withoutCache(lane, { name, method, body, options, given, resource })
    }
    const call = readCall(lane, name, parameters)
    if (call === undefined) return Reflect.apply(method, this, parameters.length > 1 ? [body, optionsNow(options)] : parameters)
    const known = lane.memo.get(call.reading)
    return (known && answered(lane, known, call)) ?? fetched({ lane, name, resource, method }, known, call)
  }
  originals.set(create, below)
  Object.defineProperty(resource, 'create', { value: create, configurable: true, writable: true })
}

/** A method that a lane stands at. */
interface LaneMethod {
  readonly lane: Lane
  readonly name: string
  readonly resource: JsonObject
  /** The method below the lane. */
  readonly method: Method
}

/** The SDK's promise of a call that memory cannot answer. It is apart from the method, as its functions would be made for each hit too. */
function fetched({ lane, name, resource, method }: LaneMethod, known: KnownCall | undefined, call: ReadCall): unknown {
  const making = (of: JsonObject, by: JsonObject | undefined): Teaching => ({
    again: () => readCall(lane, name, [of, by]),
    make: (own) => Reflect.apply(method, resource, [of, own]),
  })
  return (
    joined(lane, call, making) ??
    (known &&
      waitingPromise(lane.engine, { ...known, ...call, client: lane.client, events: lane.events }, (looked, of, own) => {
        const then = { ...call, body: of, options: own }
        return joined(lane, then, making) ?? taught(lane, then, { ...making(of, own), looked })
      })) ??
    taught(lane, call, making(call.body, call.options))
  )
}

/** A call that the lane may answer; `undefined` for any other, of which no code of the caller's was called. */
function readCall(lane: Lane, method: string, [body, options]: readonly unknown[]): ReadCall | undefined {
  if (!areCallsAlike(lane.engine.settings)) return undefined
  if (!(options === undefined || isInertOptions(options)) || !isSameClient(lane)) return undefined
  const context = { generation: lane.generation, method, options: options === undefined ? '' : JSON.stringify(options) }
  const read = readBody(body, context)
  return read && { ...read, options, context }
}

/** The SDK's promise of a stored answer; `undefined` if there is none that serves the call as it is. */
function answered({ engine, client, events }: Lane, { cachedCall, url, form }: KnownCall, { body, options }: ReadCall): object | undefined {
  const found = engine.tiers.getFromMemory(cachedCall)
  if (found === undefined || !isServable(engine, cachedCall, found)) return undefined
  // The documented way waits between the events.
  if (cachedCall.streamed && engine.settings.replay.delay !== undefined) return undefined
  return storedPromise(engine, { client, form, found: engine.usageView.of(found), cachedCall, url, body, options, events })
}

/** The SDK's promise of a call that waits for an equal one; `undefined` if there is none. */
function joined(lane: Lane, call: ReadCall, making: (body: JsonObject, options: JsonObject | undefined) => Teaching): object | undefined {
  return lane.leaders.join(call, (body, options, part) => {
    const then = { ...call, body, options }
    const known = part === undefined ? lane.memo.get(call.reading) : undefined
    return (known && answered(lane, known, then)) ?? taught(lane, then, { ...making(body, options), joined: part })
  })
}

/** A call that is to be learnt. */
interface Teaching {
  /** Reads it again. */
  readonly again: () => ReadCall | undefined
  /** Makes it the documented way. */
  readonly make: (options: JsonObject) => unknown
  /** What was looked up for it already. */
  readonly looked?: Lesson['looked']
  /** The part that it has in a flight, if it has waited for an equal call. */
  readonly joined?: Lesson['joined']
}

/** Makes the call the documented way, and learns what becomes of it. */
function taught(lane: Lane, { body, reading, context, options }: ReadCall, { again, make, looked, joined: part }: Teaching): unknown {
  const { generation } = lane
  const crowd = body['stream'] === true ? undefined : lane.leaders.crowdFor(reading, context)
  // One whose body is not sent as it was given, or the caller changed it.
  const isAlike = lane.memo.hasRecent(reading)
  let isRead = false
  let comesAgain = false
  let call: CachedCall | undefined
  let address = ''
  let made: MadePromise | undefined
  const lesson: Lesson = {
    ...noLesson,
    looked,
    joined: part,
    crowd,
    // Some versions of the SDK read the body later, when the caller may have changed it.
    read: () => void (isRead = isAlike && isInertJson(body) && again()?.reading.isSame(reading) === true),
    seen(cachedCall, url, found) {
      call = cachedCall
      address = url
      comesAgain = found !== undefined
      if (found !== undefined) crowd?.answered({ cachedCall, found, url })
    },
    parsed(data, props) {
      // The caller may have changed the client since the call began.
      if (call === undefined || !isSameClient(lane) || lane.generation !== generation) return
      const form = made && learntForm(made, { data, props, ids: lane.ids, isStream: call.streamed })
      if (form !== undefined) {
        if (!call.streamed) lane.leaders.learn(context, form)
        const seen = call
        const read = (): Reading | undefined => readBody(seen.request, context)?.reading
        const known = (): KnownCall => ({ cachedCall: keptCall(seen), url: address, form })
        if (isRead || (comesAgain && read()?.isSame(reading) === true)) lane.memo.set(reading, known())
        else lane.memo.note(reading, { known, read })
      }
      call = undefined
    },
  }
  const promise = make({ ...optionsNow(options), [lessonOption]: lesson })
  made = madePromise(promise)
  if (crowd !== undefined && made !== undefined) lane.leaders.note({ reading, context }, crowd, made)
  return promise
}

/** A call as it is kept. A whole answer is given without the request, which is a prompt and shares its texts with the caller. */
function keptCall(call: CachedCall): CachedCall {
  return call.streamed ? { ...call } : { ...call, request: {}, characters: charactersOf(call) ?? 0 }
}

/** The known calls of a cache. */
const memoOf = memoByEngine<KnownCall>()

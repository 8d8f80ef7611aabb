/**
 * The fast lane of the clients that end in a `fetch`: a fresh answer is given before the SDK makes its request, which takes
 * several times longer than the answer. The point is `makeRequest`, through which all methods and helpers of the SDKs go and whose result
 * they all read. It is not documented, so nothing is taken for granted: a call goes the documented way, and is watched there, until it is
 * known what the SDK would make of another call of the same shape; and whenever anything is not as it was.
 * Source: `makeRequest` in `client.ts` of openai and @anthropic-ai/sdk
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { CacheInfo } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { LookupResult } from '../../lookup-result.ts'
import { type Call, type CachedCall, resolveCall } from '../../engine/cached-call.ts'
import { isRead, reuse } from '../../engine/reuse.ts'
import { copiedJson, isPlainJson } from '../../json/plain.ts'
import { noteInfo } from '../cache-info.ts'
import { type EarlierCall, passedOptionsIn, type PassedOptions, type SeamObservation } from '../call-options.ts'
import { lazyResponse, storedResponse } from './response.ts'
import { isOfSdkItself, isSameShape, type RequestFingerprint, shapeOf } from './request-shape.ts'

/** What the documented seam saw of a call, and so will see of any other of the same shape. */
interface KnownShape {
  readonly shape: RequestFingerprint
  readonly call: Omit<Call, 'request' | 'options'>
  readonly url: string
  /** Whether this version of the SDK says in its result what signal the request had. */
  readonly tellsSignal: boolean
}

/** Goes the documented way. */
type Ask = (options: unknown) => unknown

/** What the lane works with. */
interface Lane {
  readonly client: object
  readonly engine: Engine
  readonly knownShapes: Map<string, KnownShape>
  /** Whether the documented seam is still as we made it. */
  readonly isSeamOurs: () => boolean
  /** Set for good when the seam made another key of a call than the lane. */
  closed: boolean
}

/** Kinds of call that are remembered for a client, at the most. */
const mostKinds = 50

/**
 * Opens the lane on `client`, a wrapped one, where the SDK is of a make that is known; else nothing is changed.
 * @param isSeamOurs whether the documented seam is still as it was made
 */
export function openFastLane(client: object, engine: Engine, isSeamOurs: () => boolean): void {
  const makeRequest: unknown = Reflect.get(client, 'makeRequest')
  if (typeof makeRequest !== 'function' || !isOfSdkItself(client)) return
  const lane: Lane = { client, engine, isSeamOurs, knownShapes: new Map(), closed: false }
  const value = async (given: unknown, retriesRemaining: unknown, ...rest: unknown[]): Promise<unknown> => {
    const options = await given
    const isFirstTry = retriesRemaining === null && rest.every(isUndefined)
    const ask: Ask = (asked) => Reflect.apply(makeRequest, client, [asked, retriesRemaining, ...rest])
    return isFirstTry && isJsonObject(options) ? answer(lane, options, ask) : ask(options)
  }
  Object.defineProperty(client, 'makeRequest', { value, configurable: true, writable: true })
}

function isUndefined(value: unknown): boolean {
  return value === undefined
}

/** What the SDK's `makeRequest` would resolve to, or the promise that it gives. */
function answer(lane: Lane, options: JsonObject, ask: Ask): unknown {
  const { body, fetchOptions } = options
  const passed = isJsonObject(fetchOptions) ? passedOptionsIn(fetchOptions) : undefined
  if (lane.closed || passed === undefined || !lane.isSeamOurs()) return ask(options)
  const shape = shapeOf(lane.client, options)
  if (shape === undefined || !isJsonObject(body) || !isPlainJson(body)) return ask(options)
  const known = lane.knownShapes.get(shape.kind)
  if (known === undefined || !isSameShape(known.shape, shape)) return learn(lane, shape, options, body, passed, ask)
  const cachedCall = planOf(lane, known, body, passed)
  if (cachedCall === undefined) return ask(options)
  // What the seam makes of the call tells whether the lane is still right.
  passed.learn = (seen) => void (lane.closed ||= seen.key !== cachedCall.key)
  if (!isUsual(cachedCall, options)) return ask(options)
  const { tiers } = lane.engine
  const { changes } = tiers
  // A promise only if there is a store, which is asked only for a caller that leaves time for it.
  const looked = mayWait(lane, options) ? tiers.get(cachedCall) : tiers.getFromMemory(cachedCall)
  if (looked !== undefined && !(looked instanceof Promise) && isServable(lane, cachedCall, looked)) {
    return served(lane, known, cachedCall, looked, options, passed)
  }
  // The caller may change the body while the SDK or the store is waited for.
  const own = copiedJson(body)
  if (!isJsonObject(own)) return ask(options)
  const earlier = earlierCall(known, cachedCall, own, passed)
  if (looked instanceof Promise) return fromStore(lane, known, earlier, looked, { ...options, body: own }, passed, ask)
  passed.earlier = {
    ...earlier,
    ...(lane.engine.settings.store === undefined && looked === undefined && { lookup: { found: undefined, changes } }),
  }
  return ask(options)
}

/** What the lane has made of a call, for the seam. */
function earlierCall({ call }: KnownShape, cachedCall: CachedCall, request: JsonObject, { options }: PassedOptions): EarlierCall {
  return { call: { ...call, request, options }, cachedCall: { ...cachedCall, request }, text: JSON.stringify(request) }
}

/** Whether there is a store to be asked, for which the caller leaves time. */
function mayWait({ client, engine }: Lane, options: JsonObject): boolean {
  const { store, readDeadline } = engine.settings
  const timeout: unknown = options['timeout'] ?? Reflect.get(client, 'timeout')
  return store !== undefined && typeof timeout === 'number' && timeout >= 10 * readDeadline
}

/**
 * What the SDK's `makeRequest` would resolve to, after a look into the store.
 * @param options the call's own, with a body that nobody changes while the store is waited for
 */
async function fromStore(
  lane: Lane,
  known: KnownShape,
  earlier: EarlierCall,
  looked: Promise<LookupResult | undefined>,
  options: JsonObject,
  passed: PassedOptions,
  ask: Ask,
): Promise<unknown> {
  const { cachedCall } = earlier
  const { changes } = lane.engine.tiers
  const found = await looked
  const { signal } = options
  const isLeft = signal instanceof AbortSignal && signal.aborted
  if (!isLeft && found !== undefined && isServable(lane, cachedCall, found)) return served(lane, known, cachedCall, found, options, passed)
  passed.body = options['body']
  passed.earlier = { ...earlier, lookup: { found, changes } }
  return ask(options)
}

/** A fault of ours is the seam's to deal with. */
function planOf(lane: Lane, { call }: Pick<KnownShape, 'call'>, request: JsonObject, { options }: PassedOptions): CachedCall | undefined {
  try {
    const cachedCall = resolveCall({ ...call, request, options }, lane.engine.settings)
    return 'reason' in cachedCall ? undefined : cachedCall
  } catch {
    return undefined
  }
}

/** Whether a stored answer will do, and the SDK expects of it what the body asks for. A stream is to heed the signal that its caller gave. */
function isUsual({ mode, streamed }: CachedCall, { stream = false, signal }: JsonObject): boolean {
  return isRead(mode) && streamed === stream && (!streamed || signal === undefined || signal === null)
}

/** Whether a stored answer serves the call as it is, in a form that the lane can give, with no refresh in the background. */
function isServable({ engine }: Lane, cachedCall: CachedCall, found: LookupResult): boolean {
  const { kind, status } = found.entry.head
  if (status !== 200 || reuse(found, cachedCall, engine.settings) !== 'serve') return false
  return cachedCall.streamed ? cachedCall.endpoint.streaming !== undefined : kind === 'json'
}

/** What the SDK's `makeRequest` would resolve to after a hit. */
function served(
  lane: Lane,
  known: KnownShape,
  cachedCall: CachedCall,
  found: LookupResult,
  options: JsonObject,
  { signal }: PassedOptions,
): object {
  const info = lane.engine.hit(cachedCall, found)
  if (signal !== undefined) noteInfo(signal, info)
  const controller = new AbortController()
  return {
    response: cachedCall.streamed
      ? streamed(lane, known, cachedCall, found, info, controller)
      : lazyResponse(found, cachedCall, info, known.url),
    options,
    controller,
    ...(known.tellsSignal && { requestSignal: options['signal'] }),
    requestLogID: 'log_llmemo',
    retryOfRequestLogID: undefined,
    startTime: Date.now(),
  }
}

/** A replayed stream. It knows nothing of its response but the signal of its controller, which is asked for its facts. */
function streamed(
  lane: Lane,
  { url }: KnownShape,
  cachedCall: CachedCall,
  found: LookupResult,
  info: () => CacheInfo,
  { signal }: AbortController,
): Response {
  const response = storedResponse(found, cachedCall, url, lane.engine.settings.replay, signal)
  for (const carrier of [response, signal]) noteInfo(carrier, info)
  return response
}

/** Goes the documented way, and takes note of what comes of it. */
async function learn(
  lane: Lane,
  shape: RequestFingerprint,
  options: JsonObject,
  body: JsonObject,
  passed: PassedOptions,
  ask: Ask,
): Promise<unknown> {
  let seen: SeamObservation | undefined
  passed.learn = (told) => {
    // The client may have been changed since the call began.
    const now = shapeOf(lane.client, options)
    seen = now !== undefined && isSameShape(now, shape) ? told : undefined
  }
  const props = await ask(options)
  if (seen === undefined || !isKnownForm(props) || seen.call.endpoint.perInput !== undefined) return props
  const known = { shape, call: seen.call, url: seen.url, tellsSignal: Object.hasOwn(props, 'requestSignal') }
  const isRight = planOf(lane, known, body, passed)?.key === seen.key
  if (isRight && (lane.knownShapes.size < mostKinds || lane.knownShapes.has(shape.kind))) lane.knownShapes.set(shape.kind, known)
  return props
}

/** The members of what `makeRequest` resolves to. A version that has others reads them too. */
const forms: ReadonlyMap<string, (value: unknown) => boolean> = new Map<string, (value: unknown) => boolean>([
  ['response', (value) => value instanceof Response],
  ['options', (value) => typeof value === 'object'],
  ['controller', (value) => value instanceof AbortController],
  ['requestSignal', (value) => value === undefined || value instanceof AbortSignal],
  ['requestLogID', (value) => typeof value === 'string'],
  ['retryOfRequestLogID', (value) => value === undefined || typeof value === 'string'],
  ['startTime', (value) => typeof value === 'number'],
])

function isKnownForm(props: unknown): props is object {
  if (!isJsonObject(props)) return false
  const isComplete = ['response', 'options', 'controller', 'requestLogID', 'startTime'].every((name) => Object.hasOwn(props, name))
  return isComplete && Object.entries(props).every(([name, value]) => forms.get(name)?.(value) === true)
}

/**
 * The fast lane of the clients that call a `fetch`: it gives a fresh answer before the SDK makes its request, which takes several times
 * longer than the answer. It stands at `makeRequest`: all methods and helpers of the SDKs go through it and read its result.
 *
 * `makeRequest` is not documented, so the lane takes nothing for granted. It learns from a call that goes the documented way what the SDK
 * makes of calls of that shape. It answers later calls of the same shape, and lets a call proceed the documented way whenever anything
 * differs. It closes for good when the seam makes another key than the lane.
 *
 * The fast lane of Bedrock has the same four steps: open, learn, answer, close.
 * Source: `makeRequest` in `client.ts` of openai and @anthropic-ai/sdk
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { CacheInfo } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { LookupResult } from '../../lookup-result.ts'
import type { Call, CachedCall } from '../../engine/cached-call.ts'
import { resolveFor } from '../../engine/resolve.ts'
import { isRead } from '../../engine/reuse.ts'
import { noteInfo } from '../cache-info.ts'
import { type EarlierCall, passedOptionsIn, type PassedOptions, type SeamObservation } from '../call-options.ts'
import { holdCrowd } from './earlier.ts'
import { lazyResponse, storedResponse } from './response.ts'
import { fingerprintOf, isSameFingerprint, type RequestFingerprint } from './request-shape.ts'
import { isMethod } from './own-code.ts'
import { isServable } from './servable.ts'
import { shippedSteps } from './shipped-steps.ts'
import type { Twin } from './twin.ts'

/** What the documented seam saw of one call. It will see the same of any other call with the same fingerprint. */
interface KnownShape {
  readonly fingerprint: RequestFingerprint
  readonly call: Omit<Call, 'request' | 'options'>
  readonly url: string
  /** Whether this version of the SDK returns the request's signal in its result. */
  readonly returnsSignal: boolean
}

/** Makes the call the documented way. */
type Proceed = (options: unknown) => unknown

/** A call of the SDK's `makeRequest` with cache options. */
interface LaneCall {
  readonly options: JsonObject
  readonly body: JsonObject
  readonly passed: PassedOptions
  readonly proceed: Proceed
}

/** A call whose shape is known. */
interface KnownCall extends LaneCall {
  readonly shape: KnownShape
  readonly cachedCall: CachedCall
}

/** What the lane works with. */
interface Lane {
  readonly client: object
  readonly engine: Engine
  /** By the kind of the call. */
  readonly knownShapes: Map<string, KnownShape>
  /** Whether the documented seam is still as we made it, and the SDK makes requests as it was shipped. */
  readonly isOpen: () => boolean
  closed: boolean
}

/** How many kinds of call are remembered for one client. */
const maxKinds = 50

/**
 * Opens the lane on the client of a twin. It changes nothing on a client whose SDK it does not know.
 * @param isSeamOurs whether the documented seam is still as it was made
 */
export function openFastLane({ client, view }: Twin<object>, engine: Engine, isSeamOurs: () => boolean): void {
  const isAsShipped = shippedSteps(client, view)
  if (isAsShipped === undefined) return
  const lane: Lane = { client, engine, isOpen: () => isAsShipped() && isSeamOurs(), knownShapes: new Map(), closed: false }
  const value = async (given: unknown, retriesRemaining: unknown, ...rest: unknown[]): Promise<unknown> => {
    const options = await given
    const isFirstTry = retriesRemaining === null && rest.every(isUndefined)
    const proceed: Proceed = (current) => {
      const makeRequest: unknown = Reflect.get(view, 'makeRequest')
      return isMethod(makeRequest) ? Reflect.apply(makeRequest, client, [current, retriesRemaining, ...rest]) : undefined
    }
    return isFirstTry && isJsonObject(options) ? answer(lane, options, proceed) : proceed(options)
  }
  Object.defineProperty(client, 'makeRequest', { value, configurable: true, writable: true })
}

function isUndefined(value: unknown): boolean {
  return value === undefined
}

/** Closes the lane for good. */
function close(lane: Lane): void {
  lane.closed = true
}

/** What the SDK's `makeRequest` would resolve to, or its promise. */
function answer(lane: Lane, options: JsonObject, proceed: Proceed): unknown {
  const { body, fetchOptions } = options
  const passed = isJsonObject(fetchOptions) ? passedOptionsIn(fetchOptions) : undefined
  if (lane.closed || passed === undefined || passed.options.mode === 'no-store' || !lane.isOpen()) return proceed(options)
  const fingerprint = fingerprintOf(lane.client, options)
  if (fingerprint === undefined || !isJsonObject(body) || !isPlainBody(body, passed)) return proceed(options)
  const shape = lane.knownShapes.get(fingerprint.kind)
  const call: LaneCall = { options, body, passed, proceed }
  if (shape === undefined || !isSameFingerprint(shape.fingerprint, fingerprint)) return learn(lane, fingerprint, call)
  const cachedCall = cachedCallOf(lane, shape, call)
  if (cachedCall === undefined) return proceed(options)
  // The seam's own key for this call shows whether the lane is still right.
  passed.learn = ({ key }) => {
    if (key !== cachedCall.key) close(lane)
  }
  if (!isUsual(cachedCall, options)) return proceed(options)
  const known: KnownCall = { ...call, shape, cachedCall }
  const { tiers, settings } = lane.engine
  const { changes } = tiers
  // A promise only if there is a store, which is read only for a caller that leaves time for it.
  const isAsked = passed.lesson?.looked?.key === cachedCall.key
  const lookup =
    !isAsked && cachedCall.mode !== 'only-if-cached' && mayWait(lane, options) ? tiers.get(cachedCall) : tiers.getFromMemory(cachedCall)
  const atOnce = lookup instanceof Promise ? undefined : served(lane, known, lookup)
  if (atOnce !== undefined) return atOnce
  const earlier = earlierCall(known)
  if (lookup instanceof Promise) {
    const result = fromStore(lane, { ...known, earlier, lookup })
    holdCrowd(passed, result)
    return result
  }
  const isMiss = settings.store === undefined && lookup === undefined
  passed.earlier = { ...earlier, ...(isMiss && { lookup: { found: undefined, changes } }) }
  return proceed(options)
}

/** Whether a body is plain, and a copy that the caller cannot change while the SDK or the store works. */
function isPlainBody(body: JsonObject, passed: PassedOptions): boolean {
  return passed.isPlain === true && passed.body === body
}

/** What the lane has made of a call, for the seam. */
function earlierCall({ shape, cachedCall, body, passed }: KnownCall): EarlierCall {
  return { call: { ...shape.call, request: body, options: passed.options }, cachedCall, text: JSON.stringify(body) }
}

/** Whether there is a store, and the caller's time-out leaves time to ask it. */
export function mayWait({ client, engine }: Pick<Lane, 'client' | 'engine'>, options: JsonObject): boolean {
  const { store, readDeadline } = engine.settings
  const timeout: unknown = options['timeout'] ?? Reflect.get(client, 'timeout')
  return store !== undefined && typeof timeout === 'number' && timeout >= 10 * readDeadline
}

/** A call that waits for the store. */
interface WaitingCall extends KnownCall {
  readonly earlier: EarlierCall
  readonly lookup: Promise<LookupResult | undefined>
}

/** What the SDK's `makeRequest` would resolve to, after a look-up in the store. */
async function fromStore(lane: Lane, call: WaitingCall): Promise<unknown> {
  const { earlier, lookup, options, passed, proceed } = call
  const { changes } = lane.engine.tiers
  const found = await lookup
  const { signal } = options
  const isLeft = signal instanceof AbortSignal && signal.aborted
  const result = isLeft ? undefined : served(lane, { ...call, cachedCall: earlier.cachedCall }, found)
  if (result !== undefined) return result
  passed.earlier = { ...earlier, lookup: { found, changes } }
  return proceed(options)
}

/** The call as the cache sees it; `undefined` if it bypasses the cache. A fault of ours is left to the seam. */
function cachedCallOf(lane: Lane, { call }: Pick<KnownShape, 'call'>, { body, passed }: LaneCall): CachedCall | undefined {
  try {
    const cachedCall = resolveFor(lane.engine, { ...call, request: body, options: passed.options })
    return 'reason' in cachedCall ? undefined : cachedCall
  } catch {
    return undefined
  }
}

/**
 * Whether the call may have a stored answer, and the SDK expects the form that the body asks for. A stream with a signal of its caller goes
 * the documented way, which ends the stream when the signal fires.
 */
function isUsual({ mode, streamed }: CachedCall, { stream = false, signal }: JsonObject): boolean {
  return isRead(mode) && streamed === stream && (!streamed || signal === undefined || signal === null)
}

/** What the SDK's `makeRequest` would resolve to after a hit; `undefined` if what was found does not serve the call. */
function served(lane: Lane, call: KnownCall, found: LookupResult | undefined): object | undefined {
  const { shape, cachedCall, options, passed } = call
  if (found === undefined || !isServable(lane.engine, cachedCall, found)) return undefined
  let facts: (() => CacheInfo) | undefined
  const info = (): CacheInfo => (facts ??= lane.engine.hit(cachedCall, found))()
  const controller = new AbortController()
  const { url } = shape
  const { signal } = controller
  let response: Response
  try {
    const shown = lane.engine.usageView.of(found)
    response = cachedCall.streamed
      ? storedResponse(shown, cachedCall, { url, replay: lane.engine.settings.replay, signal })
      : lazyResponse(shown, cachedCall, { url, info })
  } catch {
    // The documented way meets the same fault and reports it.
    return undefined
  }
  facts ??= lane.engine.hit(cachedCall, found)
  passed.lesson?.seen(cachedCall, url, found)
  if (passed.signal !== undefined) noteInfo(passed.signal, info)
  // A stream keeps nothing of its response but its controller, so `cacheInfo` looks for the facts on the controller's signal.
  if (cachedCall.streamed) for (const carrier of [response, signal]) noteInfo(carrier, info)
  return {
    response,
    options,
    controller,
    ...(shape.returnsSignal && { requestSignal: options['signal'] }),
    requestLogID: 'log_llmemo',
    retryOfRequestLogID: undefined,
    startTime: Date.now(),
  }
}

/** Makes the call the documented way, and notes what the seam sees of it. */
async function learn(lane: Lane, fingerprint: RequestFingerprint, call: LaneCall): Promise<unknown> {
  const { options, passed, proceed } = call
  let observation: SeamObservation | undefined
  passed.learn = (current) => {
    // The caller may have changed the client since the call began.
    const now = fingerprintOf(lane.client, options)
    observation = now !== undefined && isSameFingerprint(now, fingerprint) ? current : undefined
  }
  const props = await proceed(options)
  if (observation === undefined || !isKnownForm(props) || observation.call.endpoint.perInput !== undefined) return props
  const returnsSignal = Object.hasOwn(props, 'requestSignal')
  // Without the request, which is a prompt and would be kept for as long as the client.
  const { endpoint, origin, headers, credential } = observation.call
  const shape: KnownShape = { fingerprint, call: { endpoint, origin, headers, credential }, url: observation.url, returnsSignal }
  const isRight = cachedCallOf(lane, shape, call)?.key === observation.key
  if (isRight && (lane.knownShapes.size < maxKinds || lane.knownShapes.has(fingerprint.kind))) lane.knownShapes.set(fingerprint.kind, shape)
  return props
}

/** The members of what `makeRequest` resolves to. A version of the SDK with other members also reads those, so it is not known. */
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

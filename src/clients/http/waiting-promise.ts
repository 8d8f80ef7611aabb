/**
 * The SDK's own promise of an answer that a store may have. If the store has none that serves the call, the promise is that of the call as
 * the SDK makes it.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { readOnce } from '../../json/read-once.ts'
import type { LookupResult } from '../../lookup-result.ts'
import { isRead } from '../../engine/reuse.ts'
import type { Lesson } from '../call-options.ts'
import { mayWait } from './fast-lane.ts'
import { materialise } from '../lazy-response.ts'
import type { SdkPromise, SdkProps, Transform } from './sdk-promise.ts'
import { isServable } from './servable.ts'
import { type AnswerProps, parsed, type StoredResult, StoredProps, unwrapped } from './stored-promise.ts'

/** A stored answer that is not found yet. */
type AwaitedResult = Omit<StoredResult, 'found'>

/**
 * The SDK's promise of what the store has, which is counted as a hit then; `undefined` if the store is not to be asked.
 * @param make makes the call the documented way, by the SDK's promise: with what was looked up, and with body and options as they were
 */
export function waitingPromise(
  engine: Engine,
  result: AwaitedResult,
  make: (looked: Lesson['looked'], body: JsonObject, options: JsonObject | undefined) => unknown,
): SdkPromise | undefined {
  const { client, cachedCall, form } = result
  const { mode, streamed, key } = cachedCall
  if (streamed || !isRead(mode) || mode === 'only-if-cached' || !mayWait({ client, engine }, {})) return undefined
  const { changes } = engine.tiers
  const lookup = engine.tiers.get(cachedCall)
  if (!(lookup instanceof Promise)) return undefined
  // The caller may change its body and its options while the store is asked.
  const [body = {}, options] = [result.body, result.options]
    .map((given) => readOnce(given).copy)
    .map((copy) => (isJsonObject(copy) ? copy : undefined))
  const props = lookup.then((found) => {
    const stored = found !== undefined && isServable(engine, cachedCall, found) ? storedProps(engine, result, found) : undefined
    return stored ?? new Call(make({ key, lookup: { found, changes } }, body, options))
  })
  return promiseOf({ client, form }, props, (found) => parsed(client, found))
}

/** What was found, as the SDK takes it. The documented way meets the same fault and reports it. */
export function storedProps(engine: Engine, result: AwaitedResult, found: LookupResult): StoredProps | undefined {
  try {
    const props = new StoredProps(engine, { ...result, found: engine.usageView.of(found) })
    props.count()
    return props
  } catch {
    return undefined
  }
}

/** A call that the SDK makes, in the place of what it notes on a response. */
export class Call implements SdkProps {
  readonly promise: SdkPromise
  /** The promise of the call looks after its span. */
  readonly options = {}

  constructor(promise: unknown) {
    // The SDK's method gives its own promise: one of the class that this lane has learnt.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.promise = promise as SdkPromise
  }

  /** Stands in for the response of the call, which is had by its promise. */
  get response(): Response {
    return Response.error()
  }
}

/** The SDK's promise over what is found, with its methods for both outcomes. */
export function promiseOf(
  parts: Pick<StoredResult, 'client' | 'form'>,
  props: Promise<AnswerProps | Call>,
  parse: (props: AnswerProps) => unknown,
): SdkPromise {
  const { client, form } = parts
  const promise = new form.promise(client, props, (_, found) => {
    if (found instanceof Call) return found.promise
    return isAnswer(found) ? parse(found) : undefined
  })
  const { asResponse, withResponse } = promise
  promise.asResponse = async () => {
    const found = await props
    return found instanceof Call ? found.promise.asResponse() : materialise(await asResponse.call(promise))
  }
  promise.withResponse = async () => {
    const found = await props
    if (found instanceof Call) return found.promise.withResponse()
    const result = await withResponse.call(promise)
    return { ...result, response: materialise(result.response) }
  }
  promise._thenUnwrap = (transform: Transform) => {
    const of = props.then((found) => (found instanceof Call ? new Call(found.promise._thenUnwrap(transform)) : found))
    return promiseOf(parts, of, async (found) => unwrapped(await parse(found), transform, found))
  }
  return promise
}

/** Whether these are of a lane, and not the SDK's own. */
function isAnswer(props: SdkProps): props is AnswerProps {
  return 'info' in props && 'header' in props
}

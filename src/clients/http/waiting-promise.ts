/**
 * The SDK's own promise of an answer that a store may have. If the store has none that serves the call, the promise is that of the call as
 * the SDK makes it.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import type { LookupResult } from '../../lookup-result.ts'
import { materialise } from '../lazy-response.ts'
import type { SdkPromise, SdkProps, Transform } from './sdk-promise.ts'
import { isServable } from './servable.ts'
import { parsed, type StoredResult, StoredProps, unwrapped } from './stored-promise.ts'

/** A look-up that is under way, and what follows if it finds nothing of use. */
export interface Waiting {
  readonly lookup: Promise<LookupResult | undefined>
  /** Makes the call the documented way, by the SDK's promise. */
  readonly make: (found: LookupResult | undefined) => unknown
}

/** A stored answer that is not found yet. */
type AwaitedResult = Omit<StoredResult, 'found'>

/** The SDK's promise of what a look-up finds, which is counted as a hit then, or of the call. */
export function waitingPromise(engine: Engine, result: AwaitedResult, { lookup, make }: Waiting): SdkPromise {
  const { client, cachedCall, form } = result
  const props = lookup.then((found) => {
    const stored = found !== undefined && isServable(engine, cachedCall, found) ? storedProps(engine, result, found) : undefined
    return stored ?? new Call(make(found))
  })
  return promiseOf({ client, form }, props, (props) => parsed(client, props))
}

/** What was found, as the SDK takes it. The documented way meets the same fault and reports it. */
function storedProps(engine: Engine, result: AwaitedResult, found: LookupResult): StoredProps | undefined {
  try {
    return new StoredProps(engine, { ...result, found: engine.usageView.of(found) })
  } catch {
    return undefined
  }
}

/** A call that the SDK makes, in the place of what it notes on a response. */
class Call implements SdkProps {
  readonly promise: SdkPromise

  constructor(promise: unknown) {
    // The SDK's method gives its own promise: one of the class that this lane has learnt.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.promise = promise as SdkPromise
  }

  get response(): Response {
    throw new TypeError('the response of a call is had by its promise')
  }
}

type Props = StoredProps | Call

/** The SDK's promise over what is found, with its methods for both outcomes. */
function promiseOf(
  { client, form }: Pick<StoredResult, 'client' | 'form'>,
  props: Promise<Props>,
  parse: (props: StoredProps) => unknown,
): SdkPromise {
  const promise = new form.promise(client, props, (_, found) => {
    if (found instanceof Call) return found.promise
    return found instanceof StoredProps ? parse(found) : undefined
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
    return promiseOf({ client, form }, of, async (found) => unwrapped(await parse(found), transform, found))
  }
  return promise
}

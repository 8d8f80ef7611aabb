/**
 * The methods of an SDK that make a request. A lane that skips them may be open only while each is the SDK's own, as it was shipped: any
 * other may add to a request what differs from call to call.
 * @module
 */
import { isMethod } from './own-code.ts'
import { classesOf, isShipped } from './sdk-class.ts'

/** Methods of the SDKs that take part in making a request, of all their versions. */
const steps = [
  'prepareOptions',
  'buildRequest',
  'buildURL',
  'defaultQuery',
  'buildHeaders',
  'defaultHeaders',
  'authHeaders',
  'bearerAuth',
  'apiKeyAuth',
  'adminAPIKeyAuth',
  '_callApiKey',
  'validateHeaders',
  'buildBody',
  'prepareRequest',
  'backendMiddleware',
  'fetchWithAuth',
  'fetchWithTimeout',
  'stringifyQuery',
  'defaultIdempotencyKey',
]

/** A step, and the SDK's own method for it. */
interface Step {
  readonly name: string
  readonly shipped: unknown
}

/**
 * Returns a function that says whether all steps of `client` are still the SDK's own; `undefined` if they never were.
 * @param view the fields of the client as its caller gave and set them
 */
export function shippedSteps(client: object, view: object): (() => boolean) | undefined {
  const { root } = classesOf(client)
  const makeRequest: Step = { name: 'makeRequest', shipped: Reflect.get(root, 'makeRequest') }
  const list: readonly Step[] = steps.map((name) => ({ name, shipped: Reflect.get(root, name) }))
  const isOfSdk = ({ shipped }: Step): boolean => shipped === undefined || (isMethod(shipped) && isShipped(root, shipped))
  if (!isMethod(makeRequest.shipped) || ![makeRequest, ...list].every(isOfSdk)) return undefined
  const check = (): boolean => {
    if (Reflect.get(view, 'makeRequest') !== makeRequest.shipped) return false
    for (const { name, shipped } of list) if (Reflect.get(client, name) !== shipped) return false
    return true
  }
  return check() ? check : undefined
}

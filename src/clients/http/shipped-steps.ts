/**
 * The methods of an SDK that make a request. A lane that skips them may be open only while each is the SDK's own, as it was shipped: any
 * other may add to a request what differs from call to call.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isMethod } from './own-code.ts'
import { isSameList } from './request-shape.ts'
import { classesOf, isShipped } from './sdk-class.ts'

/**
 * The methods that take part in making a request, of all versions of the SDKs, as `of` has them. Each call on a lane runs this code. To read
 * members by names that stand in the code takes a fifth of the time of a list of names.
 * @param view what has the two methods of which the cache puts its own on a client
 */
function stepsOf(of: JsonObject, view: JsonObject): readonly unknown[] {
  return [
    view['makeRequest'],
    view['post'],
    of['methodRequest'],
    of['request'],
    of['makeTracedRequest'],
    of['prepareOptions'],
    of['buildRequest'],
    of['buildURL'],
    of['defaultQuery'],
    of['buildHeaders'],
    of['defaultHeaders'],
    of['authHeaders'],
    of['bearerAuth'],
    of['apiKeyAuth'],
    of['adminAPIKeyAuth'],
    of['_callApiKey'],
    of['validateHeaders'],
    of['buildBody'],
    of['prepareRequest'],
    of['backendMiddleware'],
    of['fetchWithAuth'],
    of['fetchWithTimeout'],
    of['stringifyQuery'],
    of['defaultIdempotencyKey'],
  ]
}

/**
 * Returns a function that says whether all steps of `client` are still the SDK's own; `undefined` if they never were. They are read from the
 * client itself: its caller may also define a member again, as spies of tests do.
 * @param view the fields of the client as its caller gave and set them
 */
export function shippedSteps(client: object, view: object): (() => boolean) | undefined {
  const { root } = classesOf(client)
  if (!isJsonObject(root) || !isJsonObject(view) || !isJsonObject(client)) return undefined
  const shipped = stepsOf(root, root)
  const isOfSdk = (step: unknown): boolean => step === undefined || (isMethod(step) && isShipped(root, step))
  if (!isMethod(root['makeRequest']) || !shipped.every(isOfSdk)) return undefined
  const check = (): boolean => isSameList(stepsOf(client, view), shipped)
  return check() ? check : undefined
}

/**
 * Everything of a request but its body, as far as it can be told before the SDK makes the request: what of a client, and of the options
 * of a call, decides its address and its headers. Two calls of the same shape differ in their bodies only.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { callOptions } from '../call-options.ts'

/** The shape of a call. */
export interface RequestFingerprint {
  /** The kind of call that it is: the path that is asked. */
  readonly kind: string
  /** What decides the rest. Two lists are compared member by member. */
  readonly facts: readonly unknown[]
}

/** Methods of the SDKs that have a part in making a request. One that is not the SDK's own may do anything. */
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
  'validateHeaders',
  'buildBody',
  'prepareRequest',
  'backendMiddleware',
  'fetchWithAuth',
  'fetchWithTimeout',
  'stringifyQuery',
]

/** Whether `client` makes its requests by methods of the SDK's own class alone: a subclass such as Azure's does not. */
export function isOfSdkItself(client: object): boolean {
  const owner = ownerOf(client, 'makeRequest')
  if (owner === undefined || owner === client || ownerOf(client, 'buildRequest') !== owner) return false
  return steps.every((step) => [owner, undefined].includes(ownerOf(client, step)))
}

function ownerOf(client: object, name: string): object | undefined {
  for (let object: unknown = client; typeof object === 'object' && object !== null; object = Object.getPrototypeOf(object)) {
    if (Object.hasOwn(object, name)) return object
  }
  return undefined
}

/** The shape of a call, or `undefined` when it is not certain that it decides everything. */
export function shapeOf(client: object, options: JsonObject): RequestFingerprint | undefined {
  for (const name of Object.keys(options)) if (!isHarmless(name, options[name])) return undefined
  const { path, defaultBaseURL: base, __security: security, __qualifiers: qualifiers } = options
  const facts: unknown[] = []
  if (typeof path !== 'string' || !isJsonObject(client) || !addClient(facts, client) || !addTexts(facts, security)) return undefined
  const kind = base === undefined && qualifiers === undefined ? path : JSON.stringify([path, base, qualifiers])
  return { kind, facts }
}

/** Whether two shapes decide the same. */
export function isSameShape(first: RequestFingerprint, { kind, facts }: RequestFingerprint): boolean {
  return first.kind === kind && first.facts.length === facts.length && first.facts.every((fact, index) => fact === facts[index])
}

/** Adds what `client` decides. @returns whether that is all */
function addClient(facts: unknown[], client: JsonObject): boolean {
  const { baseURL, apiKey, adminAPIKey, authToken, organization, project, logLevel, maxRetries, timeout, fetchOptions, _options } = client
  // What the SDK writes to its log of each call would be missed there.
  if (logLevel === 'debug' || logLevel === 'info' || !isCount(maxRetries) || !isDuration(timeout) || !isNothing(fetchOptions)) return false
  // Members by which a client makes its requests in a way of its own, in some versions.
  const { idempotencyHeader, _provider, _workloadIdentityAuth } = client
  if (!isAbsent(idempotencyHeader) || !isAbsent(_provider) || !isAbsent(_workloadIdentityAuth) || !isJsonObject(_options)) return false
  facts.push(baseURL, apiKey, adminAPIKey, authToken, organization, project)
  for (const step of steps) facts.push(client[step])
  return addTexts(facts, _options['defaultHeaders']) && addTexts(facts, _options['defaultQuery'])
}

/** Adds the names and values of a plain object. @returns whether it holds nothing but texts, truth values and nulls */
function addTexts(facts: unknown[], object: unknown): boolean {
  if (!isAbsent(object)) {
    if (!isJsonObject(object) || Object.getPrototypeOf(object) !== Object.prototype) return false
    for (const name of Object.keys(object)) {
      const value = object[name]
      if (typeof value !== 'string' && typeof value !== 'boolean' && !isAbsent(value)) return false
      facts.push(name, value)
    }
  }
  // No text is this, so that what follows cannot be taken for more of the same.
  facts.push(addTexts)
  return true
}

/** Whether an option of a call leaves its request as it would be without it, or is a part of its shape. */
function isHarmless(name: string, value: unknown): boolean {
  switch (name) {
    case 'path':
    case 'body':
    case '__security':
      return true
    case '__qualifiers':
      return addTexts([], value)
    case 'method':
      return value === 'post'
    case 'stream':
      return value === undefined || typeof value === 'boolean'
    case 'timeout':
      return isDuration(value)
    case 'maxRetries':
      return value === undefined || isCount(value)
    case 'signal':
      return isAbsent(value) || (value instanceof AbortSignal && !value.aborted)
    case 'headers':
      return isNoHeaders(value)
    case 'fetchOptions':
      return isNothing(value)
    case 'defaultBaseURL':
      return value === undefined || typeof value === 'string'
    case '__metadata':
      return isSilent(value)
    default:
      return isAbsent(value)
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isDuration(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** Whether an object has no members but ours. */
function isNothing(value: unknown): boolean {
  return isJsonObject(value) ? Reflect.ownKeys(value).every((name) => name === callOptions) : isAbsent(value)
}

/** Whether headers, as a caller or the SDK's own methods give them, are none. */
function isNoHeaders(value: unknown): boolean {
  if (!isJsonObject(value)) return isAbsent(value)
  if (value instanceof Headers) return value.keys().next().done === true
  const { values, nulls, ...others } = value
  const isEmpty = values === undefined || (values instanceof Headers && isNoHeaders(values) && nulls instanceof Set && nulls.size === 0)
  return isEmpty && Object.keys(others).length === 0
}

/** Whether what the SDK's helpers note of a call changes nothing of what is sent for a plain body. */
function isSilent(value: unknown): boolean {
  if (!isJsonObject(value)) return isAbsent(value)
  for (const name of Object.keys(value)) {
    const noted = value[name]
    if (!(name === 'streamFromBody' && noted === true) && !(name === 'helperMethod' && typeof noted === 'string')) return false
  }
  return true
}

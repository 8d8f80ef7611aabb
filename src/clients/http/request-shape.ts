/**
 * All of a request except its body, as far as it is known before the SDK makes the request: what of a client, and of the options of a
 * call, decides address and headers. Two calls with equal fingerprints differ in their bodies only.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { callOptions } from '../call-options.ts'

/** What decides a request, less its body. */
export interface RequestFingerprint {
  /** The kind of call: the path that it is sent to. */
  readonly kind: string
  /** What decides the rest. Two lists are compared member by member. */
  readonly facts: readonly unknown[]
}

/** The fingerprint of a call, or `undefined` if something else may decide the request too. */
export function fingerprintOf(client: object, options: JsonObject): RequestFingerprint | undefined {
  const facts = clientFacts(client)
  if (facts === undefined) return undefined
  for (const name of Object.keys(options)) if (!isHarmless(name, options[name])) return undefined
  const { path, defaultBaseURL: base, __security: security, __qualifiers: qualifiers } = options
  if (typeof path !== 'string' || !addTexts(facts, security)) return undefined
  const kind = base === undefined && qualifiers === undefined ? path : JSON.stringify([path, base, qualifiers])
  return { kind, facts }
}

/** Whether two fingerprints are equal. */
export function isSameFingerprint(first: RequestFingerprint, { kind, facts }: RequestFingerprint): boolean {
  return first.kind === kind && isSameList(first.facts, facts)
}

/** Whether two lists have the same members. */
export function isSameList(first: readonly unknown[], second: readonly unknown[]): boolean {
  if (first.length !== second.length) return false
  // Every call runs this code, hits included. A loop takes a third of the time of `every`.
  for (let index = 0; index < first.length; index++) if (first[index] !== second[index]) return false
  return true
}

/** What `client` decides of all its requests, or `undefined` if something else may decide it too. */
export function clientFacts(client: object): unknown[] | undefined {
  const facts: unknown[] = []
  return isJsonObject(client) && addClient(facts, client) ? facts : undefined
}

/** Adds what `client` decides. @returns whether that is all it decides */
function addClient(facts: unknown[], client: JsonObject): boolean {
  const { baseURL, apiKey, adminAPIKey, authToken, organization, project, logLevel, maxRetries, timeout, fetchOptions, _options } = client
  // At these levels the SDK logs each call; a call on the fast lane would be missing from the log.
  if (logLevel === 'debug' || logLevel === 'info' || !isCount(maxRetries) || !isDuration(timeout) || !isNothing(fetchOptions)) return false
  // In some versions, a client with one of these members makes its requests in another way.
  const { idempotencyHeader, _provider, _workloadIdentityAuth } = client
  if (!isAbsent(idempotencyHeader) || !isAbsent(_provider) || !isAbsent(_workloadIdentityAuth) || !isJsonObject(_options)) return false
  // The last three are of clients for other clouds.
  const { projectId, region, awsRegion } = client
  facts.push(baseURL, apiKey, adminAPIKey, authToken, organization, project, projectId, region, awsRegion)
  return addTexts(facts, _options['defaultHeaders']) && addTexts(facts, _options['defaultQuery'])
}

/** Adds the names and values of a plain object. @returns whether it holds only texts, booleans and nulls */
function addTexts(facts: unknown[], object: unknown): boolean {
  if (!isAbsent(object)) {
    if (!isJsonObject(object) || Object.getPrototypeOf(object) !== Object.prototype) return false
    for (const name of Object.keys(object)) {
      const value = object[name]
      if (typeof value !== 'string' && typeof value !== 'boolean' && !isAbsent(value)) return false
      facts.push(name, value)
    }
  }
  // A function equals no text, so it separates this list from the next one.
  facts.push(addTexts)
  return true
}

/** Whether an option of a call does not change the request, or is part of the fingerprint. */
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

/** Whether an object has no members except ours. */
function isNothing(value: unknown): boolean {
  return isJsonObject(value) ? Reflect.ownKeys(value).every((name) => name === callOptions) : isAbsent(value)
}

/** Whether headers, in the form of a caller or of the SDK's own methods, are empty. */
function isNoHeaders(value: unknown): boolean {
  if (!isJsonObject(value)) return isAbsent(value)
  if (value instanceof Headers) return value.keys().next().done === true
  const { values, nulls, ...others } = value
  const isEmpty = values === undefined || (values instanceof Headers && isNoHeaders(values) && nulls instanceof Set && nulls.size === 0)
  return isEmpty && Object.keys(others).length === 0
}

/** Whether the notes of the SDK's helpers on a call leave the request for a plain body as it is. */
function isSilent(value: unknown): boolean {
  if (!isJsonObject(value)) return isAbsent(value)
  for (const name of Object.keys(value)) {
    const noted = value[name]
    if (!(name === 'streamFromBody' && noted === true) && !(name === 'helperMethod' && typeof noted === 'string')) return false
  }
  return true
}

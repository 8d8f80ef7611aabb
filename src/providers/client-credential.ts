/**
 * The credential that a client sends with its calls, read from the client itself. It makes the default scope of answers that are stored or
 * looked up without a call.
 * @module
 */
import { sha256 } from '../base/digest.ts'
import { isClientOf } from './catalogue.ts'
import { credentialText } from './http-headers.ts'

/**
 * The default scope of the calls of a client: a digest of its static credential, `''` for one without; `undefined` for an unknown client.
 * The headers that a single call gives are not in it.
 */
export function scopeOfClient(client: object): string | undefined {
  const own = headersOf(client)
  if (own === undefined) return undefined
  const headers = new Headers()
  for (const [name, value] of [...own, ...givenHeaders(optionOf(client, 'defaultHeaders'))]) {
    if (value === null) headers.delete(name)
    else if (typeof value === 'string') headers.set(name, value)
  }
  const text = credentialText((name) => headers.get(name))
  return text === '' ? '' : sha256(text)
}

type HeaderPairs = readonly (readonly [name: string, value: unknown])[]

/** The headers that the SDK makes of the client's fields; `undefined` for an unknown client. */
function headersOf(client: object): HeaderPairs | undefined {
  if (isClientOf('openai', client)) return openaiHeaders(client)
  if (isClientOf('anthropic', client)) return anthropicHeaders(client)
  if (isClientOf('gemini', client)) return geminiHeaders(client)
  return isClientOf('aws-bedrock', client) ? [] : undefined
}

function openaiHeaders(client: object): HeaderPairs {
  const key: unknown = Reflect.get(client, 'apiKey')
  // What a function, a provider or an identity gives changes by itself.
  const isRotating =
    typeof optionOf(client, 'apiKey') === 'function' || ['_provider', '_workloadIdentityAuth'].some((name) => isSet(client, name))
  return [
    ['openai-organization', Reflect.get(client, 'organization')],
    ['openai-project', Reflect.get(client, 'project')],
    ...(isRotating ? [] : [sends(client, 'authHeaders', 'api-key') ? (['api-key', key] as const) : bearer(key)]),
  ]
}

function anthropicHeaders(client: object): HeaderPairs {
  const key: unknown = Reflect.get(client, 'apiKey')
  return [
    bearer(Reflect.get(client, 'authToken')),
    // Some versions of the SDK send the key as a bearer token.
    sends(client, 'apiKeyAuth', 'x-api-key') ? ['x-api-key', key] : bearer(key),
  ]
}

/** Without a key the SDK sends a token that changes by itself. */
function geminiHeaders(client: object): HeaderPairs {
  return [['x-goog-api-key', Reflect.get(client, 'apiKey')]]
}

function bearer(token: unknown): readonly [string, unknown] {
  return ['authorization', typeof token === 'string' ? `Bearer ${token}` : undefined]
}

/** Whether a method of the SDK writes the header `name`. The methods are asynchronous, and this answer must not be. */
function sends(client: object, method: string, name: string): boolean {
  const code: unknown = Reflect.get(client, method)
  if (typeof code !== 'function') return false
  return new RegExp(`["'\`]${name}["'\`]`, 'i').test(Function.prototype.toString.call(code))
}

function isSet(client: object, name: string): boolean {
  const value: unknown = Reflect.get(client, name)
  return value !== undefined && value !== null
}

/** An option that a client was made with. */
function optionOf(client: object, name: string): unknown {
  const options: unknown = Reflect.get(client, '_options')
  return typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined
}

/** Headers in any form that the SDKs take. */
function givenHeaders(given: unknown): HeaderPairs {
  if (typeof given !== 'object' || given === null) return []
  if (given instanceof Headers) return [...given]
  const pairs: readonly unknown[] = Array.isArray(given) ? given : Object.entries(given)
  return pairs.filter(isPair)
}

function isPair(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && typeof value[0] === 'string'
}

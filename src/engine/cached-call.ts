/**
 * A call, decided: its key, what it is for, how it may use the cache, and by which labels its answer can be invalidated.
 * @module
 */
import { type CacheMode, type CallOptions } from '../call.ts'
import { milliseconds } from '../duration.ts'
import { NotKeyableError } from '../errors.ts'
import { deriveKey, type KeyParts } from '../key/key.ts'
import { remembering } from '../base/memo.ts'
import type { Endpoint, JsonObject } from '../providers/endpoint.ts'
import { shortened } from './settings/freshness.ts'
import { everything } from './invalidation/generations.ts'
import type { Settings } from './settings/options.ts'

/** A call as a seam sees it. */
export interface Call {
  readonly endpoint: Endpoint
  /** Base URL or region. */
  readonly origin: string
  /** Request headers that can change an answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The request as it is sent. */
  readonly request: JsonObject
  /** The scope for a caller who names none: a digest of his static credential, or `''`. */
  readonly credential: string
  readonly options: CallOptions
}

/** A call, decided. */
export interface Plan {
  readonly endpoint: Endpoint
  readonly origin: string
  readonly request: JsonObject
  /** 64 hex digits. */
  readonly key: string
  /** The key under which the entry lies in memory and in the store. */
  readonly storeKey: string
  readonly scope: string
  readonly operation: string
  readonly mode: CacheMode
  /** Milliseconds for which the answer will be fresh. */
  readonly ttl: number
  readonly tags: readonly string[]
  /** The model that is asked for, or `''`. */
  readonly model: string
  /** Labels that are known before the answer is. */
  readonly labels: readonly string[]
  /** Whether the caller wants a stream. */
  readonly streamed: boolean
  /** Facets that the caller does not ask for. */
  readonly omits: readonly string[]
}

/** A call that is not to be cached, and why. */
export interface Refusal {
  readonly operation: string
  readonly scope: string
  readonly reason: string
}

/**
 * Decides a call.
 * @throws {InvalidOptionError} for a TTL that is none
 */
export function planCall(call: Call, settings: Settings): Plan | Refusal {
  const { endpoint, request, options } = call
  const operation = options.operation ?? endpoint.operation
  const scope = options.scope ?? settings.scope ?? call.credential
  const ttl = options.ttl === undefined ? settings.ttl(operation) : milliseconds('cache.ttl', options.ttl)
  const mode = options.mode ?? 'default'
  if (mode === 'no-store') return { operation, scope, reason: 'no-store' }
  const reason = endpoint.refuse(request)
  if (reason !== undefined) return { operation, scope, reason }
  try {
    const key = deriveKey(keyParts(call, settings), settings.canonical)
    const model = typeof request['model'] === 'string' ? request['model'] : ''
    const tags = options.tags ?? []
    return {
      endpoint,
      origin: call.origin,
      request,
      key,
      storeKey: `${storePrefix(settings.namespace)}v1:${key}`,
      scope,
      operation,
      mode,
      ttl: shortened(ttl, settings),
      tags,
      model,
      labels: labelsOf({ scope, operation, model, tags }),
      streamed: request['stream'] === true,
      omits: endpoint.omits?.(request) ?? [],
    }
  } catch (error) {
    if (error instanceof NotKeyableError) return { operation, scope, reason: 'not keyable' }
    throw error
  }
}

/** What the key of a call is made of. */
export function keyParts(call: Call, settings: Settings): KeyParts {
  const { endpoint, options } = call
  return {
    namespace: settings.namespace,
    scope: options.scope ?? settings.scope ?? call.credential,
    provider: endpoint.provider,
    origin: call.origin,
    endpoint: endpoint.name,
    headers: call.headers,
    request: keyedRequest(endpoint, call.request, settings),
    context: options.context ?? null,
    variant: options.variant ?? 0,
  }
}

function keyedRequest(endpoint: Endpoint, request: JsonObject, { ignoredFields, keptFields }: Settings): JsonObject {
  const normalised = endpoint.normalise?.(request) ?? request
  const isIgnored = (name: string): boolean => ignoredFields.has(name) || (endpoint.ignored.includes(name) && !keptFields.has(name))
  const ignored = Object.keys(normalised).filter(isIgnored)
  if (ignored.length === 0) return normalised
  const keyed = { ...normalised }
  for (const name of ignored) Reflect.deleteProperty(keyed, name)
  return keyed
}

/** What every key of a namespace in a store begins with. A namespace holds no colon once it is encoded, so none is a prefix of another. */
export const storePrefix = remembering(100, (namespace) => `${encodeURIComponent(namespace)}:`)

/** The labels by which an answer can be invalidated. */
export function labelsOf(answer: {
  readonly scope: string
  readonly operation: string
  readonly model: string
  readonly tags: readonly string[]
}): string[] {
  const labels = [everything, `scope:${answer.scope}`, `operation:${answer.operation}`, `model:${answer.model}`]
  for (const tag of answer.tags) labels.push(`tag:${tag}`)
  return labels
}

/**
 * A resolved call: its key, what it is for, how it may use the cache, and by which labels its answer can be invalidated.
 * @module
 */
import type { CanonicalOptions } from '../json/canonical.ts'
import type { JsonObject } from '../json/object.ts'
import { flatRequest } from '../json/places.ts'
import { type CacheMode, type CallOptions, type InputCounts } from '../call.ts'
import { milliseconds } from '../duration.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import { deriveKey, type KeyParts } from '../key/key.ts'
import { entryKey } from '../key/store-keys.ts'
import { withoutCredentials } from '../key/recordings.ts'
import { deliveryFields, type Endpoint } from '../providers/endpoint.ts'
import { isOwnOrigin } from '../providers/own-origin.ts'
import { withJitter } from './settings/freshness.ts'
import { OptionFault } from './settings/option-fault.ts'
import { labelsOf } from './invalidation/labels.ts'
import { layered } from './settings/call-options.ts'
import type { Settings } from './settings/options.ts'
import type { SwitchedOn } from './settings/switches.ts'
import type { HitTally } from './stats/hit-tally.ts'

/** A call as a seam sees it. */
export interface Call {
  readonly endpoint: Endpoint
  /** Base URL or region. */
  readonly origin: string
  /** Request headers that can change an answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The request as it is sent. */
  readonly request: JsonObject
  /** The scope of a call that names none: a digest of the client's static credential, or `''`. */
  readonly credential: string
  readonly options: CallOptions
}

/** A resolved call. */
export interface CachedCall {
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
  /** Whether the provider answers in any case, and the stored answer is only compared. @default false */
  readonly shadow?: boolean
  /** Milliseconds for which the answer will be fresh. */
  readonly ttl: number
  /** Milliseconds that a stored answer may be old to count as fresh: the call's own TTL, or `Infinity`. */
  readonly maxAge: number
  readonly tags: readonly string[]
  /** The model that is asked for, or `''`. */
  readonly model: string
  /** Labels that are known before the answer is. */
  readonly labels: readonly string[]
  /** Whether the caller wants a stream. */
  readonly streamed: boolean
  /** Parts of an answer that the caller does not ask for. */
  readonly missingParts: readonly string[]
  /** The keys of a call's single inputs, each of which is stored by itself. */
  inputKeys?: readonly string[]
  /** For a call whose inputs are cached one by one: how many of them were found, once they were looked up. */
  inputs?: InputCounts
  /** How many characters the texts of the request have, once that was asked for. */
  characters?: number
  /** The count of its hits, once it had one: a call that comes again is the same object. */
  tally?: HitTally
}

/** A call that is not to be cached, and why. */
export interface Bypass {
  readonly operation: string
  readonly scope: string
  readonly reason: string
  /** The function of the user's that is to blame, if one is. */
  readonly fault?: OptionFault
  /** @default none was made */
  readonly key?: string
  /** What is called, as far as it is known. */
  readonly endpoint?: Pick<Endpoint, 'provider' | 'name'>
  /** The model that is asked for. @default it is not known */
  readonly model?: string
  /** Whether the caller wants a stream. @default it is not known */
  readonly streamed?: boolean
}

const alwaysOn: SwitchedOn = { mode: 'default' }

/**
 * Resolves a call.
 * @throws {InvalidOptionError} for a TTL that is no duration
 */
export function resolveCall(given: Call, settings: Settings): CachedCall | Bypass {
  const call = inContext(given, settings)
  const { endpoint, request, options } = call
  const operation = options.operation ?? endpoint.operation
  const scope = scopeOf(call, settings)
  const ttl = options.ttl === undefined ? settings.ttl(operation) : milliseconds('cache.ttl', options.ttl)
  const switched = settings.switches?.() ?? alwaysOn
  const model = typeof request['model'] === 'string' ? request['model'] : ''
  const common = { endpoint, operation, scope: typeof scope === 'string' ? scope : '', model, streamed: request['stream'] === true }
  if ('reason' in switched) return { ...common, ...switched }
  const { recording } = switched
  const wanted = recording === undefined || options.mode === 'only-if-cached' ? (options.mode ?? switched.mode) : switched.mode
  if (wanted === 'no-store') return { ...common, reason: 'no-store' }
  if (typeof scope !== 'string') return { ...common, reason: 'no scope', ...(scope && { fault: scope }) }
  if (settings.requireScope && options.scope === undefined) assertScope(settings)
  const reason = recording === undefined ? endpoint.bypassReason(request) : undefined
  if (reason !== undefined) return { ...common, reason }
  try {
    const parts = keyParts(call, settings, scope)
    const canonical = canonicalOptions(endpoint, settings)
    const key = deriveKey(parts, canonical)
    const tags = options.tags ?? []
    const storeKey = entryKey(settings.namespace, key)
    const labels = labelsOf({ scope, operation, model, tags })
    const { recordings, clock } = settings
    recordings?.noted({ key, storeKey, mode: recording ?? 'auto', operation, labels, now: clock.now(), parts, canonical })
    return {
      endpoint,
      origin: call.origin,
      request,
      key,
      storeKey,
      scope,
      operation,
      mode: wanted === 'shadow' ? 'reload' : wanted,
      ...(wanted === 'shadow' && { shadow: true }),
      ttl: withJitter(ttl, settings),
      maxAge: options.ttl === undefined || recordings !== undefined ? Infinity : ttl,
      tags,
      model,
      labels,
      streamed: common.streamed,
      missingParts: endpoint.missingParts?.(request) ?? [],
    }
  } catch (error) {
    if (error instanceof NotKeyableError) return { ...common, reason: 'not keyable' }
    throw error
  }
}

/** The call with the options that hold for the code that makes it. */
export function inContext(call: Call, { ambient: { current } }: Settings): Call {
  return current === undefined ? call : { ...call, options: layered(call.options, current) }
}

/** Whose answer a call gets; `undefined` if the user's function does not say, and why it cannot. */
function scopeOf({ endpoint, request, credential, options }: Call, { scope, scopeOfCall }: Settings): string | OptionFault | undefined {
  if (options.scope !== undefined) return options.scope
  if (scopeOfCall === undefined) return scope ?? credential
  const { context = null, tags = [], operation = endpoint.operation } = options
  try {
    const given: unknown = scopeOfCall({ provider: endpoint.provider, endpoint: endpoint.name, operation, request, context, tags })
    if (typeof given === 'string' || given === undefined) return given
    return new OptionFault('scope', { given }, 'a text, or nothing for a call that is not to be cached,')
  } catch (error) {
    return new OptionFault('scope', { threw: error }, '')
  }
}

/**
 * A call that names no scope needs one of its cache.
 * @throws {InvalidOptionError} if the cache requires a scope and has none
 */
export function assertScope({
  scope,
  scopeOfCall,
  requireScope,
  ambient,
}: Pick<Settings, 'scope' | 'scopeOfCall' | 'requireScope' | 'ambient'>): void {
  if (!requireScope || scope !== undefined || scopeOfCall !== undefined || ambient.current?.scope !== undefined) return
  throw new InvalidOptionError('cache.scope', undefined, 'a text, as this cache has requireScope: name the owner of the answer')
}

/** What the key of a call is made of. */
export function keyParts(call: Call, settings: Settings, given: string | OptionFault = scopeOf(call, settings) ?? ''): KeyParts {
  const { endpoint, options } = call
  return {
    namespace: settings.namespace,
    scope: typeof given === 'string' ? given : '',
    provider: endpoint.provider,
    origin: settings.recordings === undefined ? call.origin : withoutCredentials(call.origin),
    endpoint: endpoint.name,
    headers: call.headers,
    request: keyedRequest(call, settings),
    context: options.context ?? null,
    variant: options.variant ?? 0,
  }
}

/** How the key of a call to this endpoint is written. */
export function canonicalOptions({ place = flatRequest }: Endpoint, { canonical }: Settings): CanonicalOptions {
  return { ...canonical, place }
}

function keyedRequest({ endpoint, origin, request }: Call, { ignoredFields, keptFields }: Settings): JsonObject {
  const normalised = endpoint.normalise?.(request) ?? request
  const isIgnored = (name: string): boolean => {
    if (ignoredFields.has(name)) return true
    if (!endpoint.ignored.includes(name) || keptFields.has(name)) return false
    return deliveryFields.includes(name) || isOwnOrigin(endpoint.provider, origin)
  }
  const ignored = Object.keys(normalised).filter(isIgnored)
  if (ignored.length === 0) return normalised
  const keyed = { ...normalised }
  for (const name of ignored) Reflect.deleteProperty(keyed, name)
  return keyed
}

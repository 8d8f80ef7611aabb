/**
 * The keys of providers that the gateway owns, so that clients hold only keys of the gateway.
 * @module
 */
import type { Caller } from '../caller.ts'
import type { GatewaySettings } from '../config/settings.ts'
import type { Protocol, Upstream } from './upstreams.ts'

/** The headers that hold the gateway's own key for this upstream and caller; `undefined` where the caller's credential passes through. */
export function ownedKey({ keys }: Pick<GatewaySettings, 'keys'>, upstream: Upstream, caller: Caller): Record<string, string> | undefined {
  const given = keys[upstream.name]
  if (given === undefined) return undefined
  if (typeof given === 'string') return headersOf(upstream.protocol, given)
  const ofTenant = caller.tenant !== undefined && Object.hasOwn(given.tenants, caller.tenant) ? given.tenants[caller.tenant] : undefined
  const key = ofTenant ?? given.default
  // A tenant without a key sends none, rather than another tenant's.
  return key === undefined ? {} : headersOf(upstream.protocol, key)
}

function headersOf(protocol: Protocol, key: string): Record<string, string> {
  if (protocol === 'anthropic') return { 'x-api-key': key }
  if (protocol === 'gemini') return { 'x-goog-api-key': key }
  return { authorization: `Bearer ${key}` }
}

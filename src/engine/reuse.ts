/**
 * What may be done with a stored answer that is past its TTL, or near its end.
 * The windows are those of RFC 5861: https://www.rfc-editor.org/rfc/rfc5861
 * @module
 */
import type { CacheMode } from '../call.ts'
import type { Freshness } from './settings/freshness.ts'
import type { LookupResult } from '../lookup-result.ts'

/** `serve` it, `refresh` it behind the caller's back after serving it, or `ask` the origin first. */
export type Use = 'serve' | 'refresh' | 'ask'

/** How a stored answer may be used for a call that would like a fresh one. Only a call in mode `default` has it refreshed. */
export function useOf({ entry, freshFor }: LookupResult, mode: CacheMode, rules: Freshness): Use {
  if (freshFor > 0) {
    return mode === 'default' && freshFor <= entry.head.ttl * rules.refreshAhead ? 'refresh' : 'serve'
  }
  if (mode === 'force-cache') return 'serve'
  if (!(freshFor > -rules.staleWhileRevalidate)) return 'ask'
  return mode === 'default' ? 'refresh' : 'serve'
}

/** Whether a stored answer may stand in for one that the origin, being out of order, does not give. */
export function mayStandIn({ freshFor }: LookupResult, { staleIfError }: Freshness): boolean {
  return freshFor > -staleIfError
}

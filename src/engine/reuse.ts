/**
 * May a stored answer serve a call? The one rule for every way into the cache: by the call's mode, by the parts that the answer has, and by
 * its age. The windows past its TTL are those of RFC 5861: https://www.rfc-editor.org/rfc/rfc5861
 * @module
 */
import type { CacheMode } from '../call.ts'
import { unaskedUsage, usagePart, wholePart } from '../entry.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { CachedCall } from './cached-call.ts'
import type { Freshness } from './settings/freshness.ts'

/** `serve` the stored answer, `refresh` it in the background after serving it, or `fetch` a new one from the provider first. */
export type Reuse = 'serve' | 'refresh' | 'fetch'

/** What of a call decides about reuse. */
export type ReuseCall = Pick<CachedCall, 'mode' | 'missingParts' | 'maxAge'> & Partial<Pick<CachedCall, 'streamed'>>

/** Which settings decide about reuse. */
export type ReuseSettings = Pick<Freshness, 'staleWhileRevalidate' | 'refreshAhead'>

/** The reason of a call in mode `only-if-cached` for which nothing usable is stored. It counts as a bypass. */
export const notCached = 'not cached'

/** Whether a call in this mode looks for a stored answer at all. */
export function isRead(mode: CacheMode): boolean {
  return mode !== 'reload' && mode !== 'no-store'
}

/**
 * Milliseconds that a read of the store may take longer than for other calls. A call that must not go to the provider gains nothing from a
 * short wait.
 */
export function patienceOf({ mode }: Pick<CachedCall, 'mode'>): number {
  return mode === 'only-if-cached' ? 10_000 : 0
}

/** Milliseconds for which a stored answer is still fresh for a call, which may accept a smaller age than the answer's TTL. */
export function freshForCall({ freshFor, age }: LookupResult, { maxAge }: Pick<CachedCall, 'maxAge'>): number {
  return Math.min(freshFor, maxAge - age)
}

/** How a call may use what was found for it. Only a call in mode `default` makes the cache refresh an answer. */
export function reuse(found: LookupResult | undefined, call: ReuseCall, settings: ReuseSettings): Reuse {
  if (found === undefined || !isRead(call.mode) || !hasAllParts(found, call)) return 'fetch'
  const freshFor = freshForCall(found, call)
  const isDefault = call.mode === 'default'
  if (freshFor > 0)
    return isDefault && freshFor <= Math.min(found.entry.head.ttl, call.maxAge) * settings.refreshAhead ? 'refresh' : 'serve'
  if (call.mode === 'force-cache') return 'serve'
  if (!(freshFor > -settings.staleWhileRevalidate)) return 'fetch'
  return isDefault ? 'refresh' : 'serve'
}

/** The settings for a batch of inputs, which `refreshAhead` does not apply to. */
export function forBatch({ staleWhileRevalidate }: ReuseSettings): ReuseSettings {
  return { staleWhileRevalidate, refreshAhead: 0 }
}

/** Whether what was found may be served while the provider is out of order. */
export function mayStandIn(found: LookupResult, call: ReuseCall, { staleIfError }: Pick<Freshness, 'staleIfError'>): boolean {
  return isRead(call.mode) && hasAllParts(found, call) && freshForCall(found, call) > -staleIfError
}

/**
 * A stream that was recorded without its usage does not serve a call that asks for the usage. One that cannot be put together to a whole
 * answer serves streams only.
 */
function hasAllParts({ entry }: LookupResult, { missingParts, streamed }: ReuseCall): boolean {
  return entry.head.omits.every((part) => {
    if (part === wholePart) return streamed === true
    return part === unaskedUsage ? streamed !== true || missingParts.includes(usagePart) : missingParts.includes(part)
  })
}

/**
 * Whether a call's own text and options decide all that the cache does with it, so that what is known of one call holds for an equal one.
 * @module
 */
import type { Settings } from './options.ts'

/**
 * Whether equal calls are alike: jitter gives each a TTL of its own, a function may give each another scope, a switch may be put over between
 * two of them, and the running code may give each other options.
 */
export function areCallsAlike({
  jitter,
  scopeOfCall,
  switches,
  ambient,
}: Pick<Settings, 'jitter' | 'scopeOfCall' | 'switches' | 'ambient'>): boolean {
  return jitter === 0 && scopeOfCall === undefined && switches === undefined && ambient.current === undefined
}

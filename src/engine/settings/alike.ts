/**
 * Whether a cache treats equal calls alike, so that what is known of one holds for the next.
 * @module
 */
import type { Settings } from './options.ts'

/**
 * Whether equal calls are alike: jitter gives each a TTL of its own, a function may give each another scope, a switch another mode, and the
 * running code other options.
 */
export function areCallsAlike({
  jitter,
  scopeOfCall,
  switches,
  ambient,
}: Pick<Settings, 'jitter' | 'scopeOfCall' | 'switches' | 'ambient'>): boolean {
  return jitter === 0 && scopeOfCall === undefined && switches === undefined && ambient.current === undefined
}

/**
 * Whether a cache treats equal calls alike, so that what is known of one holds for the next.
 * @module
 */
import type { Settings } from './options.ts'

/** Whether equal calls are alike: jitter gives each a TTL of its own, a function may give each another scope, a switch another mode. */
export function areCallsAlike({ jitter, scopeOfCall, switches }: Pick<Settings, 'jitter' | 'scopeOfCall' | 'switches'>): boolean {
  return jitter === 0 && scopeOfCall === undefined && switches === undefined
}

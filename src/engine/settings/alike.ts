/**
 * Whether a call's own text and options decide all that the cache does with it, so that what is known of one call holds for an equal one.
 * @module
 */
import type { Settings } from './options.ts'

/** With jitter each call gets a random TTL; a function may give each call another scope; a switch may be put over between two calls. */
export function areCallsAlike({ jitter, scopeOfCall, switches }: Pick<Settings, 'jitter' | 'scopeOfCall' | 'switches'>): boolean {
  return jitter === 0 && scopeOfCall === undefined && switches === undefined
}

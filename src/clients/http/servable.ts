/**
 * Whether a stored answer can be given to an SDK before it makes its request.
 * @module
 */
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { reuse } from '../../engine/reuse.ts'
import type { LookupResult } from '../../lookup-result.ts'

/** Whether an answer serves the call as it is, in a form that a lane can give, with no refresh in the background. */
export function isServable({ settings }: Engine, cachedCall: CachedCall, found: LookupResult): boolean {
  const { kind, status } = found.entry.head
  if (status !== 200 || reuse(found, cachedCall, settings) !== 'serve') return false
  return cachedCall.streamed ? cachedCall.endpoint.streaming !== undefined : kind === 'json'
}

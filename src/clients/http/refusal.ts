/**
 * Calls past the cache, in a cache that only replays recordings: they are answered by an error, as nothing may reach the network.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { refusedCall } from '../../engine/settings/recorded.ts'
import { passedOptionsIn } from '../call-options.ts'
import { notCachedResponse } from './response.ts'

/** A call that would go past the cache. */
interface PassingCall {
  readonly url: string
  readonly init: RequestInit | null | undefined
  /** Why it does. */
  readonly why: string
}

/** The answer in place of a call past the cache, if the cache only replays recordings. */
export function refusal({ settings }: Engine, { url, init, why }: PassingCall): Response | undefined {
  const refused = refusedCall(settings, why)
  return refused && notCachedResponse(url, refused, comesFromWrapped(init))
}

/** Whether a request comes from a wrapped client. */
export function comesFromWrapped(init: RequestInit | null | undefined): boolean {
  return init !== undefined && init !== null && passedOptionsIn(init) !== undefined
}

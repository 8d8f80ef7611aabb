/**
 * What happened in the cache, as the stream tells it: without what was asked and answered.
 * @module
 */
import type { CallEvent, CacheEvents } from 'llmemo'
import type { TenantSpace } from '../access/tenant-space.ts'

/** One event as it is kept. */
export interface KeptEvent {
  readonly name: 'hit' | 'miss' | 'invalidate'
  /** What it says to this caller; `undefined` if it is none of its business. */
  readonly dataFor: (space: TenantSpace) => object | undefined
}

/** A hit, and what it saved. */
export function hitEvent(event: CacheEvents['hit'], at: number): KeptEvent {
  // Read now: an event that is kept would keep its answer.
  const { source, stale, age, inputs, usd, tokens, latency } = event
  return callEvent('hit', event, { at, source, stale, age, inputs, saved_usd: usd, saved_tokens: tokens, saved_ms: latency })
}

/** A miss. */
export function missEvent(event: CacheEvents['miss'], at: number): KeptEvent {
  return callEvent('miss', event, { at, inputs: event.inputs })
}

/**
 * An invalidation. Tags, operations and models are names that all tenants share, and may come from another one: a tenant is told only that
 * something of this kind is outdated.
 */
export function invalidateEvent({ label }: CacheEvents['invalidate'], at: number): KeptEvent {
  const [by = ''] = label.split(/[:#]/, 1)
  return {
    name: 'invalidate',
    dataFor({ tenant }) {
      if (tenant === undefined) return { at, by, label }
      if (by === 'scope') return label === `scope:${tenant}` ? { at, by } : undefined
      return { at, by }
    },
  }
}

function callEvent(name: 'hit' | 'miss', event: CallEvent, more: object): KeptEvent {
  const { key, provider, endpoint, model, operation, scope, streamed } = event
  const placed = { key, endpoint, scope }
  return {
    name,
    dataFor(space) {
      if (!space.has(placed)) return undefined
      return { ...more, key: space.shownKey(placed), tenant: space.tenant ?? scope, provider, endpoint, model, operation, streamed }
    },
  }
}

/**
 * The head of a new entry: what is stored beside an answer, and for how long.
 * @module
 */
import type { EntryHead } from '../entry.ts'
import type { CachedCall } from './cached-call.ts'
import type { StoreOutcome } from './cache-info.ts'
import type { NewEntry } from './draft.ts'
import { union } from './tiers/other-labels.ts'
import type { InvalidationSnapshot } from './tiers/invalidation-snapshot.ts'

/** How long an answer is fresh, and for how long after that it is kept. Milliseconds. */
export type Life = Pick<EntryHead, 'ttl' | 'stale'>

/** What decides about the life of an answer besides its call. Milliseconds. */
export interface LifeLimits {
  /** When something that the answer names is deleted at the provider. */
  readonly expiresAt: number | undefined
  readonly now: number
  /** For how long a stale answer is kept. */
  readonly stale: number
}

/** How long an answer is fresh and kept. What it names may be deleted earlier, and then it is not even served stale. */
export function lifeOf({ ttl }: Pick<CachedCall, 'ttl'>, { expiresAt, now, stale }: LifeLimits): Life | undefined {
  const left = expiresAt === undefined ? Infinity : Math.floor(expiresAt - now)
  if (left >= ttl + stale) return { ttl, stale }
  return left <= 0 ? undefined : { ttl: Math.min(ttl, left), stale: Math.max(0, left - ttl) }
}

/** What is in force when an answer is stored. */
export interface Storing extends Life {
  readonly namespace: string
  readonly storedAt: number
  readonly snapshot: InvalidationSnapshot
  readonly outcome: StoreOutcome
}

/** The head of the entry of an answer. */
export function headOf(cachedCall: CachedCall, draft: NewEntry, storing: Storing): EntryHead {
  const { namespace, storedAt, ttl, stale, snapshot, outcome } = storing
  const { scope, operation, tags, key, endpoint, missingParts } = cachedCall
  return {
    key,
    scope,
    namespace,
    provider: endpoint.provider,
    endpoint: endpoint.name,
    operation,
    model: outcome.metering.model,
    kind: draft.kind,
    storedAt,
    ttl,
    stale,
    tags: union(tags, snapshot.otherTags),
    generations: snapshot.generations,
    status: draft.status,
    headers: draft.headers,
    omits: draft.kind === 'sse' ? (draft.omits ?? missingParts) : [],
    latency: Math.round(draft.latency),
    ...(draft.usage && { usage: draft.usage }),
  }
}

/**
 * What the cache did in each of the last minutes. It looks at the counters once a minute, so a hit costs nothing.
 * @module
 */
import type { Cache, CacheStats, Clock, StatsRow } from 'llmemo'

/** Minutes that are kept. */
export const keptMinutes = 120

const minute = 60_000

/** What one minute brought. */
export interface Counted {
  readonly hits: number
  readonly misses: number
  readonly saved_usd: number
}

/** One minute. */
export interface Minute extends Counted {
  /** Its end, in milliseconds since the epoch. */
  readonly at: number
}

/** What a minute brought: to all, and to each scope that asked in it. */
interface Kept {
  readonly at: number
  readonly all: Counted
  readonly byScope: ReadonlyMap<string, Counted>
}

const nothing: Counted = { hits: 0, misses: 0, saved_usd: 0 }

/** The last minutes of one cache. */
export class RecentMinutes {
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #kept: Kept[] = []
  #before: CacheStats
  #cancel: () => void

  constructor(cache: Cache, clock: Clock) {
    this.#cache = cache
    this.#clock = clock
    this.#before = cache.stats()
    this.#cancel = clock.after(minute, () => this.#look())
  }

  /** The minutes of one scope, or of all; the oldest first, and at last the one that is not over. */
  of(scope: string | undefined): Minute[] {
    const kept = [...this.#kept, this.#sinceLast(this.#cache.stats())]
    return kept.map(({ at, all, byScope }) => Object.assign({ at }, scope === undefined ? all : (byScope.get(scope) ?? nothing)))
  }

  /** Looks no longer. */
  stop(): void {
    this.#cancel()
  }

  #look(): void {
    const now = this.#cache.stats()
    this.#kept.push(this.#sinceLast(now))
    if (this.#kept.length > keptMinutes) this.#kept.shift()
    this.#before = now
    this.#cancel = this.#clock.after(minute, () => this.#look())
  }

  #sinceLast(now: CacheStats): Kept {
    const byScope = new Map<string, Counted>()
    for (const [scope, row] of Object.entries(now.byScope)) {
      const before = Object.hasOwn(this.#before.byScope, scope) ? this.#before.byScope[scope] : undefined
      const counted = difference(row, before)
      if (counted.hits + counted.misses > 0) byScope.set(scope, counted)
    }
    return { at: this.#clock.now(), all: difference(now, this.#before), byScope }
  }
}

type Counters = Pick<StatsRow, 'hits' | 'misses' | 'savedUsd'>

/** Counters may have been set back meanwhile. */
function difference(now: Counters, before: Counters | undefined): Counted {
  return {
    hits: Math.max(0, now.hits - (before?.hits ?? 0)),
    misses: Math.max(0, now.misses - (before?.misses ?? 0)),
    saved_usd: Math.max(0, now.savedUsd - (before?.savedUsd ?? 0)),
  }
}

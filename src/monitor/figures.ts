/**
 * The figures of a report.
 * @module
 */
import type { TextSize } from './options.ts'
import type { Times } from './times.ts'

/** Whether a store may be used; it is until the cache says otherwise. */
export interface StoreState {
  readonly name: string
  readonly read: boolean
  readonly write: boolean
}

/** Calls of one kind. A call for many inputs, each of which is cached by itself, counts once for each. */
export interface CallFigures {
  readonly hits: number
  readonly misses: number
  /** `hits / (hits + misses)`, from 0 to 1; 0 if there was neither. */
  readonly hitRate: number
  /** Hits that were served past their TTL. */
  readonly stale: number
  /** Tokens, input and output, that the hits saved. */
  readonly savedTokens: number
  /** Milliseconds that the provider took when it made the answers that were hit. */
  readonly savedMs: number
  /** Tokens, input and output, that calls to the provider used. */
  readonly spentTokens: number
}

/** Calls of one operation, and what became of its answers. */
export interface OperationFigures extends CallFigures {
  /** Answers whose TTL ended, as far as the monitor follows them: the newest ten thousand. */
  readonly expired: number
  /** Those of them that no call had asked for again. */
  readonly expiredUnread: number
  /** Seconds from storing an answer to the first equal call, in the median; 0 if there was none. */
  readonly secondCallAfter: number
  /** The TTL of the last stored answer, in seconds; 0 if none was stored. */
  readonly ttl: number
}

/** What is in hot memory, and how that changed. */
export interface MemoryFigures {
  readonly bytes: number
  readonly entries: number
  /** More or fewer bytes than at the beginning of the report. */
  readonly bytesGrown: number
  readonly entriesGrown: number
  readonly evictions: number
  /** Answers that had to make room before any call asked for them. */
  readonly evictedUnread: number
}

/** What went to the shared store. */
export interface WrittenFigures {
  readonly entries: number
  readonly bytes: number
  /** Writes that were given up. */
  readonly dropped: number
}

/** What compression did for the shared store. */
export interface CompressionFigures {
  readonly answers: number
  readonly bytes: number
  readonly storedBytes: number
  /** `storedBytes / bytes`; 1 if nothing was stored. */
  readonly ratio: number
  readonly savedBytes: number
  readonly times: Times
}

/** Invalidations by one kind of selector. */
export interface InvalidationFigures {
  readonly calls: number
  /** Answers that they removed, as far as the monitor follows them: the newest ten thousand. */
  readonly removed: number
}

/** Figures of a stretch of time. */
export interface MonitorFigures {
  /** The beginning, in milliseconds since the epoch; that of the ten minutes in which `since` lies. */
  readonly from: number
  /** The end, in milliseconds since the epoch. */
  readonly to: number
  readonly calls: CallFigures
  /** US dollars that hits saved, as far as it is known. */
  readonly savedUsd: number
  /** US dollars that calls to the provider cost, as far as it is known. */
  readonly spentUsd: number
  readonly byOperation: Readonly<Record<string, OperationFigures>>
  readonly byModel: Readonly<Record<string, CallFigures>>
  readonly byScope: Readonly<Record<string, CallFigures>>
  readonly bySize: Readonly<Record<TextSize, CallFigures>>
  /** Calls that went past the cache: reason to number. */
  readonly bypasses: Readonly<Record<string, number>>
  /** Requests to endpoints that the cache does not know. */
  readonly passes: number
  readonly stored: number
  /** Answers that were not stored: reason to number. */
  readonly skipped: Readonly<Record<string, number>>
  /** The time that making a key took, by the size of the request's texts. */
  readonly keyTimes: Readonly<Record<TextSize, Times>>
  /** The time of reads of each tier: `memory`, and the name of the store. */
  readonly readTimes: Readonly<Record<string, Times>>
  /** The time of writes of the store. */
  readonly writeTimes: Readonly<Record<string, Times>>
  /** The time that each provider took for whole answers. */
  readonly providerTimes: Readonly<Record<string, Times>>
  readonly compression: CompressionFigures
  readonly memory: MemoryFigures
  readonly written: WrittenFigures
  /** By kind of selector: `tag`, `operation`, `model`, `scope`, `all`. */
  readonly invalidations: Readonly<Record<string, InvalidationFigures>>
  /** Faults of the cache that reached no caller, by what it was doing. */
  readonly errors: Readonly<Record<string, number>>
  /** Stores whose circuit breaker has ever opened, and whether they can be used now. */
  readonly stores: readonly StoreState[]
}

/** What to do, and why. */
export interface Recommendation {
  /** What it is about. */
  readonly about: 'ttl' | 'memory' | 'store' | 'bypass' | 'skip' | 'compression' | 'invalidation'
  /** A sentence for a person, with the figures that it rests on. */
  readonly text: string
}

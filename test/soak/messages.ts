/**
 * What the processes of a soak tell one another, and the clock that they share.
 * @module
 */

/** What one process of a soak is made with. */
export interface ProcessSettings {
  readonly index: number
  readonly seed: number
  /** Where Redis is, through a proxy of this process's own. */
  readonly redisPort: number
  readonly originPort: number
  /** Callers that ask all the time. */
  readonly callers: number
  /** Whether memory answers only while Redis says what was declared outdated. */
  readonly requireStore: boolean
}

/** One answer as its caller got it. Times are those of {@link machineTime}. */
export interface Served {
  readonly question: number
  /** From where: `memory`, `redis`, `flight`, `origin`. */
  readonly source: string
  /** When the origin was asked for this answer. */
  readonly made: number
  readonly begun: number
  readonly ended: number
  /** How long the origin took, when this call waited for it; else 0. */
  readonly origin: number
  /** Whether a read of Redis failed meanwhile, or Redis was left out by the breaker. */
  readonly blind: boolean
}

/** One call of `invalidate()`. */
export interface Declared {
  readonly label: string
  readonly begun: number
  readonly ended: number
  /** What it resolved to. */
  readonly known: boolean
}

/** What a process did since it last told. */
export interface Progress {
  readonly kind: 'progress'
  readonly served: readonly Served[]
  readonly declared: readonly Declared[]
  /** Calls that their callers gave up themselves. */
  readonly aborted: number
  /** What must not be: one line each. */
  readonly failed: readonly string[]
  readonly wrong: readonly string[]
}

/** A message of a process to the soak. `settled` is sent after its last call, `closed` when everything of it is closed. */
export type FromProcess = Progress | { readonly kind: 'ready' | 'settled' | 'closed' }

/** A message of the soak to a process. `stop`: no more calls. `settle`: one last call of each question. `close`: close everything and end. */
export interface ToProcess {
  readonly kind: 'stop' | 'settle' | 'close'
}

/** Milliseconds by a clock that never jumps and that all processes of one machine share. */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1_000_000
}

/** Bytes of hot memory that each process has: less than all answers take. */
export const memoryBytes = 600_000
/** Milliseconds within which an invalidation by another process is to be heeded: the default of the cache. */
export const invalidationDelay = 1_000
/** Milliseconds that a read of Redis may take: the default of the cache. */
export const readDeadline = 100
/** Milliseconds for which an answer is fresh. */
export const ttl = 20_000

/**
 * The options that say how long an answer is good, and for how long after that it is better than none.
 * @module
 */
import { type Duration, milliseconds, millisecondsOrNone } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'
import { isPlainObject } from '../../json/object.ts'

/** How long answers are good. */
export interface FreshnessOptions {
  /** How long answers are fresh: one duration, or one for each operation with `default` for the rest. @default '1h' */
  readonly ttl?: Duration | Readonly<Record<string, Duration>>
  /** How long an answer is kept past its TTL for calls in mode `force-cache`. @default 0 */
  readonly stale?: Duration
  /**
   * The share of its TTL, from 0 to 1, by which each entry's life is shortened at random, so that entries that were stored together do not
   * end together. `_cache.ttl` shows the shortened one. @default 0
   */
  readonly jitter?: number
  /** What {@link FreshnessOptions.jitter} draws from: numbers from 0 to 1. @default Math.random */
  readonly random?: () => number
  /**
   * For how long a copy in hot memory is served before it is compared with the store, so that processes do not drift apart. While the
   * store does not answer, the copy is served on, to the end of its own TTL. No effect without a store. @default '5m'
   */
  readonly maxMemoryTtl?: Duration
  /**
   * For how long past its TTL an answer is served at once, marked `stale`, while a new one is fetched in the background. When that
   * fails, the next try is ten seconds later. @default 0
   */
  readonly staleWhileRevalidate?: Duration
  /**
   * For how long past its TTL an answer is served, marked `stale`, in place of the provider's outage: a network error, status 429 or 5xx.
   * For ten seconds after an outage, that answer is served without asking again. @default 0
   */
  readonly staleIfError?: Duration
  /**
   * The last share of its TTL, from 0 to 1, in which an answer is fetched again in the background when a call asks for it: 0.1 for the last
   * tenth. Not for batches of embeddings. @default 0, which is never
   */
  readonly refreshAhead?: number
}

/** How long answers are good, checked and whole. Durations are milliseconds. */
export interface Freshness {
  readonly ttl: (operation: string) => number
  /** How long an answer is kept past its TTL: the longest time of all the rules. */
  readonly stale: number
  readonly jitter: number
  readonly random: () => number
  readonly maxMemoryTtl: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly refreshAhead: number
}

/** The names of {@link FreshnessOptions}. */
export const freshnessNames = [
  'ttl',
  'stale',
  'jitter',
  'random',
  'maxMemoryTtl',
  'staleWhileRevalidate',
  'staleIfError',
  'refreshAhead',
] as const satisfies readonly (keyof FreshnessOptions)[]

/**
 * The options, checked and whole.
 * @throws {InvalidOptionError} that names the first option which has a value that cannot be
 */
export function readFreshness(given: FreshnessOptions): Freshness {
  const { ttl = '1h', stale = 0, jitter = 0, random = Math.random, maxMemoryTtl = '5m', refreshAhead = 0 } = given
  if (typeof random !== 'function') throw new InvalidOptionError('random', random, 'a function that gives numbers from 0 to 1')
  const { staleWhileRevalidate: revalidating = 0, staleIfError: failing = 0 } = given
  const staleWhileRevalidate = millisecondsOrNone('staleWhileRevalidate', revalidating)
  const staleIfError = millisecondsOrNone('staleIfError', failing)
  return {
    ttl: readTtl(ttl),
    stale: Math.max(millisecondsOrNone('stale', stale), staleWhileRevalidate, staleIfError),
    jitter: share('jitter', jitter),
    random,
    maxMemoryTtl: milliseconds('maxMemoryTtl', maxMemoryTtl),
    staleWhileRevalidate,
    staleIfError,
    refreshAhead: share('refreshAhead', refreshAhead),
  }
}

/** A TTL, shortened at random. A source of randomness that fails shortens nothing. */
export function withJitter(ttl: number, { jitter, random }: Pick<Freshness, 'jitter' | 'random'>): number {
  return jitter > 0 ? Math.max(1, Math.round(ttl * (1 - jitter * drawn(random)))) : ttl
}

function drawn(random: () => number): number {
  try {
    const number = random()
    return number > 0 ? Math.min(1, number) : 0
  } catch {
    return 0
  }
}

function readTtl(given: NonNullable<FreshnessOptions['ttl']>): (operation: string) => number {
  if (typeof given !== 'object') {
    const every = milliseconds('ttl', given)
    return () => every
  }
  if (given === null || !isPlainObject(given) || Object.keys(given).length === 0)
    throw new InvalidOptionError('ttl', given, "a duration, or an object of operation to duration: { default: '1h', embeddings: '30d' }")
  const byOperation = new Map(Object.entries(given).map(([operation, ttl]) => [operation, milliseconds(`ttl.${operation}`, ttl)]))
  const otherwise = byOperation.get('default') ?? milliseconds('ttl', '1h')
  return (operation) => byOperation.get(operation) ?? otherwise
}

function share(option: string, given: unknown): number {
  if (typeof given === 'number' && given >= 0 && given <= 1) return given
  throw new InvalidOptionError(option, given, 'a number from 0 to 1')
}

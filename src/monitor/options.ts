/**
 * What a monitor is told: how long it remembers, which texts are long, and when it warns.
 * @module
 */
import { assertKnown } from '../base/option-checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { type Duration, milliseconds } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

/** How long the texts of a request are, all together. */
export type TextSize = 'small' | 'medium' | 'large' | 'xlarge'

/** Up to how many characters a request counts as of a size; above `large` it is `xlarge`. */
export interface TextSizeLimits {
  /** @default 500 */
  readonly small?: number
  /** @default 5000 */
  readonly medium?: number
  /** @default 50000 */
  readonly large?: number
}

/** When a monitor warns. `false` for never. */
export interface MonitorThresholds {
  /** Bytes of hot memory, one warning for each. @default [52428800, 104857600] (50 and 100 MiB) */
  readonly memoryBytes?: readonly number[] | false
  /** The share of its bound that hot memory may fill, from 0 to 1. @default false, as full memory is normal */
  readonly memoryShare?: number | false
  /** Milliseconds that 95 of 100 reads of the shared store may take. @default 50 */
  readonly readMs?: number | false
  /** The lowest hit rate, from 0 to 1, judged from `leastCalls` on. @default 0.05 */
  readonly hitRate?: number | false
  /** Calls within ten minutes that are enough to judge times and rates by. @default 100 */
  readonly leastCalls?: number
  /** Invalidations within ten minutes. @default 1000 */
  readonly invalidations?: number | false
}

/** The options of {@link createMonitor}. */
export interface MonitorOptions {
  /** How far back reports can go; from ten minutes to a day. @default '1h' */
  readonly retention?: Duration
  /** Which requests count as small, medium, large and xlarge. */
  readonly textSizes?: TextSizeLimits
  /** When to warn. */
  readonly thresholds?: MonitorThresholds
  /** Where the time comes from; it should be the clock of the cache. @default the machine's clock */
  readonly clock?: Clock
}

/** The options, checked and whole. Durations are milliseconds. */
export interface MonitorSettings {
  readonly retention: number
  readonly textSizes: Required<TextSizeLimits>
  readonly thresholds: Required<MonitorThresholds>
  readonly clock: Clock
}

/** Milliseconds that one slot covers. */
export const slotLength = 600_000
const day = 86_400_000

const names = ['retention', 'textSizes', 'thresholds', 'clock']
const sizeNames = ['small', 'medium', 'large']
const thresholdNames = ['memoryBytes', 'memoryShare', 'readMs', 'hitRate', 'leastCalls', 'invalidations']

/**
 * The options, checked and whole.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function readMonitorOptions(given: MonitorOptions): MonitorSettings {
  assertKnown('', given, names)
  const { retention = '1h', textSizes = {}, thresholds = {}, clock = systemClock } = given
  const kept = milliseconds('retention', retention)
  if (kept < slotLength || kept > day) throw new InvalidOptionError('retention', retention, "a duration from '10m' to '24h'")
  return { retention: kept, textSizes: readSizes(textSizes), thresholds: readThresholds(thresholds), clock }
}

/** The size of so many characters. */
export function sizeOf(characters: number, { small, medium, large }: Required<TextSizeLimits>): TextSize {
  if (characters <= small) return 'small'
  if (characters <= medium) return 'medium'
  return characters <= large ? 'large' : 'xlarge'
}

function readSizes(given: TextSizeLimits): Required<TextSizeLimits> {
  assertKnown('textSizes.', given, sizeNames)
  const { small = 500, medium = 5_000, large = 50_000 } = given
  for (const [name, value] of Object.entries({ small, medium, large })) positive(`textSizes.${name}`, value)
  if (small < medium && medium < large) return { small, medium, large }
  throw new InvalidOptionError('textSizes', given, 'limits of which small is the least and large the greatest')
}

function readThresholds(given: MonitorThresholds): Required<MonitorThresholds> {
  assertKnown('thresholds.', given, thresholdNames)
  const { memoryBytes = [50 * 2 ** 20, 100 * 2 ** 20], memoryShare = false, readMs = 50, hitRate = 0.05 } = given
  const { leastCalls = 100, invalidations = 1_000 } = given
  if (memoryBytes !== false && !Array.isArray(memoryBytes)) {
    throw new InvalidOptionError('thresholds.memoryBytes', memoryBytes, 'an array of numbers of bytes, or false')
  }
  for (const bytes of memoryBytes === false ? [] : memoryBytes) positive('thresholds.memoryBytes', bytes)
  for (const [name, value] of Object.entries({ memoryShare, hitRate })) {
    if (value !== false && !(typeof value === 'number' && value > 0 && value <= 1)) {
      throw new InvalidOptionError(`thresholds.${name}`, value, 'a share above 0 and up to 1, or false')
    }
  }
  if (readMs !== false) positive('thresholds.readMs', readMs)
  if (invalidations !== false) positive('thresholds.invalidations', invalidations)
  positive('thresholds.leastCalls', leastCalls)
  return { memoryBytes, memoryShare, readMs, hitRate, leastCalls, invalidations }
}

function positive(option: string, given: unknown): void {
  if (typeof given === 'number' && given > 0 && given < Infinity) return
  throw new InvalidOptionError(option, given, 'a number above 0')
}

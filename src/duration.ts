/**
 * Durations as people write them: seconds, or a string with a unit.
 * @module
 */
import { InvalidOptionError, shownOption } from './errors.ts'

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w'

/** Seconds, or a number with a unit in small letters: `'250ms'`, `'30s'`, `'10m'`, `'2h'`, `'7d'`, `'2w'`. */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`

const millisecondsPer: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * One year, in milliseconds. A longer TTL is probably a mistake. It is also bounded because an invalidation must be remembered for longer
 * than any answer lives.
 */
export const maxDuration = 366 * 86_400_000

const allowed = "a positive number of seconds or a string such as '30s', '10m', '2h' or '7d', at most one year"

/**
 * A duration in whole milliseconds, at least 1.
 * @param option the option's name, for the error
 * @throws {InvalidOptionError} when `given` is not a duration, not positive, or longer than one year
 */
export function milliseconds(option: string, given: unknown): number {
  const value = typeof given === 'number' ? given * 1_000 : typeof given === 'string' ? parse(given) : Number.NaN
  if (!(value > 0) || value > maxDuration) throw refusal(option, given, value)
  return Math.max(1, Math.round(value))
}

/** Like {@link milliseconds}, but zero is allowed and means none. */
export function millisecondsOrNone(option: string, given: unknown): number {
  return given === 0 ? 0 : milliseconds(option, given)
}

/**
 * A warning for a number of seconds that was probably meant as milliseconds: a multiple of 1,000 that is neither whole hours nor, from two
 * days on, whole days. `undefined` for any other duration.
 */
export function millisecondsWarning(option: string, given: unknown): string | undefined {
  if (typeof given !== 'number' || !(given >= 10_000) || given % 1_000 !== 0) return undefined
  if (given % (given < 172_800 ? 3_600 : 86_400) === 0) return undefined
  const hours = given / 3_600
  const length = hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`
  return `${shownOption(option)} is ${given} seconds, which is ${length}. For milliseconds write '${given}ms'; for seconds '${given}s'.`
}

function refusal(option: string, given: unknown, value: number): InvalidOptionError {
  const isMilliseconds = typeof given === 'number' && value > maxDuration && given <= maxDuration
  if (isMilliseconds)
    return new InvalidOptionError(option, given, `${allowed}. A number counts seconds; for milliseconds write '${given}ms'`)
  const isCapital = typeof given === 'string' && given !== given.toLowerCase() && parse(given.toLowerCase()) > 0
  return new InvalidOptionError(option, given, isCapital ? `${allowed}. The unit has small letters: 'm' for minutes` : allowed)
}

function parse(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*$/.exec(text)
  const unit = match?.[2] === undefined ? undefined : millisecondsPer[match[2]]
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit
}

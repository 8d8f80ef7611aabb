/**
 * Durations as people write them: seconds, or a string with a unit.
 * @module
 */
import { InvalidOptionError } from './errors.ts'

/** Seconds, or a number with a unit: `'250ms'`, `'30s'`, `'10m'`, `'2h'`, `'7d'`, `'2w'`. */
export type Duration = number | string

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
  if (!(value > 0) || value > maxDuration) throw new InvalidOptionError(option, given, allowed)
  return Math.max(1, Math.round(value))
}

/** Like {@link milliseconds}, but zero is allowed and means none. */
export function millisecondsOrNone(option: string, given: unknown): number {
  return given === 0 ? 0 : milliseconds(option, given)
}

function parse(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*$/i.exec(text)
  const unit = match?.[2] === undefined ? undefined : millisecondsPer[match[2].toLowerCase()]
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit
}

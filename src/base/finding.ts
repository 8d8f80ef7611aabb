/**
 * What an examination of a store found, for a person who has to mend it.
 * @module
 */

/** One thing that was examined. */
export interface Finding {
  /** What was examined: `clock`, `TTL`. */
  readonly check: string
  /** `unknown`: it could not be found out. */
  readonly state: 'good' | 'bad' | 'unknown'
  /** What was found, without a full stop. */
  readonly found: string
  /** What to do, as a sentence. @default nothing */
  readonly mend?: string
}

/** How far a clock may be off, in milliseconds, before it is worth mending: answers then expire by so much too early or too late. */
const tolerated = 5_000

/**
 * What to say of another machine's clock.
 * @param there what it shows, in milliseconds since the epoch
 * @param here what the clock of this process showed, before and after it was asked
 * @param precision milliseconds to which `there` is known
 */
export function clockFinding(there: number, [before, after]: readonly [number, number], precision = 1): Finding {
  const early = there + precision < before ? before - there - precision : 0
  const late = there > after ? there - after : 0
  const off = Math.round(Math.max(early, late))
  if (off < tolerated) return { check: 'clock', state: 'good', found: 'agrees with that of the store' }
  return {
    check: 'clock',
    state: 'bad',
    found: `${Math.round(off / 1_000)} seconds ${early > 0 ? 'ahead of' : 'behind'} that of the store`,
    mend: 'Set the clock of this machine, for example by NTP: the age of an answer is told by it.',
  }
}

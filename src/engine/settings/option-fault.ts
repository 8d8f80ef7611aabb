/**
 * Faults of the user's functions that stand in place of an option's value. They are called with each call, which goes past the cache then.
 * @module
 */
import { nameOf } from '../../base/foreign-error.ts'
import { isThenable } from '../../base/thenable.ts'
import { Description, InvalidOptionError } from '../../errors.ts'

/** What a function of the user's did in place of giving a value. */
export type Misdeed = { readonly threw: unknown } | { readonly given: unknown }

/** A function of the user's that gave no value of its option. */
export class OptionFault {
  /** The option that it is. */
  readonly option: string
  /** What it did and what to do, for the log. */
  readonly line: string

  constructor(option: string, misdeed: Misdeed, allowed: string | readonly string[]) {
    this.option = option
    this.line =
      'threw' in misdeed ? `the function of option "${option}" failed (${nameOf(misdeed.threw)}).` : lineOf(option, misdeed.given, allowed)
    // A promise that is rejected must not end the process.
    if ('given' in misdeed && isThenable(misdeed.given)) Promise.resolve(misdeed.given).catch(() => undefined)
  }
}

/** The value of an option that may be a function. */
export function calledOption(option: string, value: unknown): unknown {
  if (typeof value !== 'function') return value
  try {
    return value()
  } catch (error) {
    return new OptionFault(option, { threw: error }, '')
  }
}

function lineOf(option: string, given: unknown, allowed: string | readonly string[]): string {
  const what = isThenable(given) ? 'a promise' : given === null ? 'null' : typeof given
  const form = `one that returns ${typeof allowed === 'string' ? allowed : `one of ${allowed.join(', ')}`} at once`
  return new InvalidOptionError(option, new Description(`a function that returns ${what}`), form).message.replace(/^llmemo: /, '')
}

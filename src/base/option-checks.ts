/**
 * Checks of options. Each check returns the value with its type, or throws an error that names the option.
 * @module
 */
import { isThenable } from './thenable.ts'
import { Description, hintFor, InvalidOptionError, isShowable } from '../errors.ts'

/** The allowed range of a whole number. */
export interface WholeNumberBounds {
  readonly least: number
  /** @default no bound but `Number.MAX_SAFE_INTEGER` */
  readonly most?: number
  /** What is counted: `bytes`. */
  readonly of?: string
}

/** The methods that an object must have. */
export interface MethodsCheck {
  readonly methods: readonly string[]
  /** What may be given, for the error. */
  readonly allowed: string
}

/**
 * Checks that `given` is a whole number within bounds, and returns it.
 * @throws {InvalidOptionError} when it is not
 */
export function wholeNumber(option: string, given: unknown, { least, most, of }: WholeNumberBounds): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= least && given <= (most ?? given)) return given
  const what = of === undefined ? 'a whole number' : `a whole number of ${of}`
  throw new InvalidOptionError(option, given, `${what} from ${least}${most === undefined ? '' : ` to ${most}`}`)
}

/**
 * Checks that `given` is a text that UTF-8 can hold, and returns it.
 * @throws {InvalidOptionError} when it is not
 */
export function text(option: string, given: unknown): string {
  if (typeof given === 'string' && given.isWellFormed()) return given
  throw new InvalidOptionError(option, given, 'a text without lone surrogates')
}

/**
 * Checks that `given` is a list of texts, and returns it.
 * @throws {InvalidOptionError} when it is not
 */
export function texts(option: string, given: unknown): readonly string[] {
  if (Array.isArray(given) && given.every((item): item is string => typeof item === 'string')) return given
  throw new InvalidOptionError(option, given, 'an array of texts')
}

/**
 * Checks that `given` is a function, and returns it.
 * @throws {InvalidOptionError} when it is not
 */
export function callable<Given>(option: string, given: Given): Given {
  if (typeof given === 'function') return given
  throw new InvalidOptionError(option, isThenable(given) ? new Description('a promise') : given, 'a function')
}

/**
 * Checks that `given` is an object that has all these methods, and returns it.
 * @throws {InvalidOptionError} when it is not
 */
export function withMethods<Given>(option: string, given: Given, { methods, allowed }: MethodsCheck): Given {
  const has = (method: string): boolean => typeof Reflect.get(Object(given), method) === 'function'
  if (typeof given === 'object' && given !== null && methods.every(has)) return given
  throw new InvalidOptionError(option, given, allowed)
}

/**
 * Refuses a value that is not an object, and any option with an unknown name: a mistyped option would otherwise have no effect.
 * @param path the text before the names of the options: `key.`, or nothing
 * @throws {InvalidOptionError} that names the first unknown option
 */
export function assertKnown(path: string, given: unknown, known: readonly string[]): asserts given is object {
  const option = path.replace(/\.$/, '') || 'options'
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(option, given, `an object with ${known.join(', ')}`)
  }
  if (isThenable(given)) throw new InvalidOptionError(option, new Description('a promise'), 'what it resolves to: await it first')
  // A Map or a date has no members, and would count as no options at all.
  if (Object.prototype.toString.call(given) !== '[object Object]') {
    throw new InvalidOptionError(option, given, `a plain object with ${known.join(', ')}`)
  }
  for (const name of Object.keys(given)) if (!known.includes(name)) throw unknownOption(path, name, known)
}

/** The error for an option with an unknown name. It shows neither the value nor a name that may be a secret or a text. */
function unknownOption(path: string, name: string, known: readonly string[]): InvalidOptionError {
  const shown = isShowable(name) ? path + name : path.replace(/\.$/, '') || 'options'
  const what = isShowable(name) ? 'unknown' : `an object with an unknown option, whose name has ${name.length} characters`
  return new InvalidOptionError(shown, new Description(what), `one of the options ${known.join(', ')}.${hintFor(name, known)}`)
}

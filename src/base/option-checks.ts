/**
 * Checks of options, for whoever takes some: each gives back what it was given, in its type, or refuses it by name.
 * @module
 */
import { InvalidOptionError } from '../errors.ts'

/** What a whole number may be. */
export interface WholeNumberBounds {
  readonly least: number
  /** @default as large as a number can be and still be exact */
  readonly most?: number
  /** What is counted: `bytes`. */
  readonly of?: string
}

/**
 * `given` as a whole number within bounds.
 * @throws {InvalidOptionError} when it is none
 */
export function wholeNumber(option: string, given: unknown, { least, most, of }: WholeNumberBounds): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= least && given <= (most ?? given)) return given
  const what = of === undefined ? 'a whole number' : `a whole number of ${of}`
  throw new InvalidOptionError(option, given, `${what} from ${least}${most === undefined ? '' : ` to ${most}`}`)
}

/**
 * `given` as a text that UTF-8 can hold.
 * @throws {InvalidOptionError} when it is none
 */
export function text(option: string, given: unknown): string {
  if (typeof given === 'string' && given.isWellFormed()) return given
  throw new InvalidOptionError(option, given, 'a text without lone surrogates')
}

/**
 * `given` as a list of texts.
 * @throws {InvalidOptionError} when it is none
 */
export function texts(option: string, given: unknown): readonly string[] {
  if (Array.isArray(given) && given.every((item): item is string => typeof item === 'string')) return given
  throw new InvalidOptionError(option, given, 'an array of texts')
}

/**
 * `given`, when it is an object that has each of these methods.
 * @throws {InvalidOptionError} when it is none
 */
export function withMethods<Given>(option: string, given: Given, methods: readonly string[], allowed: string): Given {
  const has = (method: string): boolean => typeof Reflect.get(Object(given), method) === 'function'
  if (typeof given === 'object' && given !== null && methods.every(has)) return given
  throw new InvalidOptionError(option, given, allowed)
}

/**
 * Refuses what is no object of options, and an option that nobody knows: a slip of the pen would otherwise do nothing, silently.
 * @param path what stands before the options' names: `key.`, or nothing
 * @throws {InvalidOptionError} that names the first such option
 */
export function assertKnown(path: string, given: unknown, known: readonly string[]): asserts given is object {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(path.replace(/\.$/, '') || 'options', given, `an object with ${known.join(', ')}`)
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new InvalidOptionError(path + name, Reflect.get(given, name), `one of the options ${known.join(', ')}`)
  }
}

/**
 * Reads variables of an environment, and gathers what is wrong with them.
 * @module
 */
import { InvalidOptionError, isShowable } from '../errors.ts'

/** An environment: `process.env`, or an object like it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Reads variables. A value that cannot be is a mistake, which names the variable and never shows the value, as it may be a secret. */
export class EnvironmentReader {
  /** All mistakes so far, one sentence each. */
  readonly mistakes: string[] = []
  readonly #environment: Environment

  constructor(environment: Environment) {
    const isEnvironment = typeof environment === 'object' && environment !== null && !Array.isArray(environment)
    if (!isEnvironment) throw new InvalidOptionError('env', environment, 'an object of variables such as process.env')
    this.#environment = environment
  }

  /** The names of the variables that are set. */
  get names(): readonly string[] {
    return Object.keys(this.#environment).filter((name) => ![undefined, ''].includes(this.#environment[name]))
  }

  /** A text, without white space around it; `undefined` if it is not set or empty. */
  text(name: string): string | undefined {
    const given: unknown = this.#environment[name]
    if (given === undefined || typeof given === 'string') return given?.trim() || undefined
    const mistake = `${shownVariable(name)} must be a text, as all variables of an environment are.`
    if (!this.mistakes.includes(mistake)) this.mistakes.push(mistake)
    return undefined
  }

  /** What `read` makes of a variable that is set. It gives `undefined` for a value that cannot be. */
  parsed<Value>(name: string, allowed: string, read: (text: string) => Value | undefined): Value | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = read(text)
    if (value === undefined) this.mistake(`${shownVariable(name)} must be ${allowed}`)
    return value
  }

  /** Yes or no. */
  flag(name: string): boolean | undefined {
    return this.parsed(name, 'true or false', (text) => flags.get(text.toLowerCase()))
  }

  /** One of these texts. */
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    return this.parsed(name, `one of ${choices.join(', ')}`, (text) => choices.find((choice) => choice === text.toLowerCase()))
  }

  /** A whole number. */
  number(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`
    return this.parsed(name, `a whole number ${range}`, (text) => {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
      return value >= least && value <= most ? value : undefined
    })
  }

  /** Notes a mistake. */
  mistake(sentence: string): void {
    this.mistakes.push(`${sentence}.`)
  }
}

/** How messages call a variable. Its user may have chosen the end of its name; what may be anything is not shown: `CACHE_TTL_…`. */
export function shownVariable(name: string): string {
  const words = name.split('_')
  const hidden = words.findIndex((word) => !isShowable(word))
  return hidden === -1 ? name : `${[...words.slice(0, hidden), '…'].join('_')}, whose name has ${name.length} characters,`
}

const flags: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
])

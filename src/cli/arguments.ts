/**
 * What stands on the command line: a command, its arguments, and options.
 * @module
 */
import { parseArgs } from 'node:util'
import type { EntryFilter } from '../cache/cache.ts'
import { milliseconds } from '../duration.ts'

/** The options of all commands. */
export interface CliOptions {
  readonly store?: string | undefined
  readonly namespace?: string | undefined
  readonly operation?: string | undefined
  readonly model?: string | undefined
  readonly scope?: string | undefined
  readonly tag?: string | undefined
  readonly key?: string | undefined
  readonly 'older-than'?: string | undefined
  readonly 'younger-than'?: string | undefined
  readonly limit?: string | undefined
  readonly by?: string | undefined
  readonly days?: string | undefined
  readonly endpoint?: string | undefined
  readonly provider?: string | undefined
  readonly all: boolean
  readonly body: boolean
  readonly json: boolean
  readonly yes: boolean
  readonly help: boolean
}

/** A wrong use of the command line. It ends with exit code 2. */
export class UsageError extends Error {}

/** What the user typed. */
export interface CommandLine {
  readonly command: string
  readonly operands: readonly string[]
  readonly options: CliOptions
}

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

/**
 * Reads a command line.
 * @throws {UsageError} for an unknown option, or one without its value
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        store: text,
        namespace: text,
        operation: text,
        model: text,
        scope: text,
        tag: text,
        key: text,
        'older-than': text,
        'younger-than': text,
        limit: text,
        by: text,
        days: text,
        endpoint: text,
        provider: text,
        all: flag,
        body: flag,
        json: flag,
        yes: { ...flag, short: 'y' },
        help: { ...flag, short: 'h' },
      },
    })
    const [command = '', ...operands] = positionals
    // Before a store is looked for.
    for (const name of ['limit', 'days'] as const) numberOf(name, values[name], 1)
    return { command, operands, options: values }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(reasonOf(error))
  }
}

/**
 * The entries that the options name.
 * @throws {InvalidOptionError} for an age that is no duration
 */
export function filterOf(options: CliOptions): EntryFilter {
  const { operation, model, scope, tag } = options
  return {
    ...(operation !== undefined && { operation }),
    ...(model !== undefined && { model }),
    ...(scope !== undefined && { scope }),
    ...(tag !== undefined && { tag }),
    ...(options['older-than'] !== undefined && { olderThan: milliseconds('older-than', options['older-than']) / 1_000 }),
    ...(options['younger-than'] !== undefined && { youngerThan: milliseconds('younger-than', options['younger-than']) / 1_000 }),
  }
}

/**
 * The whole number that an option gives.
 * @throws {UsageError} for anything else
 */
export function numberOf(name: 'limit' | 'days', given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given)
  throw new UsageError(`--${name} needs a whole number from 1`)
}

/** Node names an unknown option as it was typed, which may be an address with a password. The rest of what it says names our options only. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (!(error instanceof Error) || code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return 'there is no such option'
  return error.message.split('\n')[0] ?? ''
}

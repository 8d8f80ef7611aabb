/**
 * What each command is: a function of a cache and of what the user typed, which prints as it goes.
 * @module
 */
import type { Cache } from '../cache/cache.ts'
import type { CliOptions } from './arguments.ts'
import type { Output } from './output.ts'
import type { StoreAddress } from '../env/store-url.ts'

/** What a command works with. */
export interface Run {
  readonly cache: Cache
  readonly operands: readonly string[]
  readonly options: CliOptions
  readonly output: Output
  /** Where the store is. @default memory alone */
  readonly address?: StoreAddress | undefined
  /** The standard input. @default there is none */
  readonly input?: NodeJS.ReadableStream | undefined
}

/** A command. @returns whether what was asked for is done, or is there */
export type Command = (run: Run) => Promise<boolean>

/**
 * The command line: arguments in, exit code out. 0: done; 1: it could not be done; 2: wrong usage.
 * @module
 */
import { access } from 'node:fs/promises'
import { createCacheFromEnv, type Environment } from '../env/env.ts'
import { EnvironmentReader } from '../env/reader.ts'
import { type StoreAddress, storeIn } from '../env/store-url.ts'
import { LlmemoError, StoreError } from '../errors.ts'
import { readCommandLine, UsageError } from './arguments.ts'
import { commands } from './commands.ts'
import { Output, type Terminal } from './output.ts'
import { wrapped } from './text.ts'

/** What the command line is run with. */
export interface Program extends Terminal {
  readonly env: Environment
  /** The standard input. @default there is none */
  readonly input?: NodeJS.ReadableStream
}

const help = `Usage: llmemo <command> [options]

  stats              entries, bytes and tokens by operation
  ls                 entries, one a line (--limit 50)
  show KEY           the head of an entry; with --body its body
  explain FILE       the parts of a request's key; of two files, where the
                     keys differ (--endpoint NAME: the files are bodies)
  savings            what hits saved, --by day, scope, operation or model
                     (--days 30), of a cache with savings: true
  invalidate         one of --tag, --operation, --model, --scope, --key, --all
  prune              removes what is stale, or what --older-than says
  export             heads as JSON lines; with --body the bodies
  import FILE        entries of export --body (- for the standard input)
  doctor             examines the store: what is wrong, how to mend it

  --store URL        sqlite:answers.db, redis://…, dynamodb://table?region=…
                     (else the environment: CACHE_STORE, REDIS_URL …)
  --namespace NAME   that of the cache (else CACHE_NAMESPACE)
  --operation, --model, --scope, --tag, --older-than, --younger-than
                     which entries
  --json             machines read it
  --yes              does what would else only be told

Exit codes: 0 done, 1 not done, 2 wrong usage.`

/** What a program for a terminal needs: all that it tells is in the store, and no line of the log is among its output. */
const alone = {
  CACHE_MEMORY_BYTES: '0',
  LOG_LEVEL: 'silent',
  ENABLE_OTEL: '',
  CACHE_ENABLED: '',
  CACHE_MODE: '',
}

/** What single commands need besides. To explain a key, no store is opened. */
const needs: Readonly<Record<string, Environment>> = { explain: { CACHE_STORE: 'memory:' }, savings: { CACHE_SAVINGS: 'true' } }

/** Runs one command. @returns the exit code */
export async function main(args: readonly string[], program: Program): Promise<number> {
  let output: Output | undefined
  try {
    const line = readCommandLine(args)
    const { command, operands, options } = line
    output = new Output(program, options.json)
    if (options.help || command === 'help') {
      await output.line(help)
      return 0
    }
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined
    // Not told as it was typed: an address in the place of the command may have a password.
    if (run === undefined) throw new UsageError(command === '' ? 'a command is missing' : 'there is no such command')
    const { store, namespace } = options
    const env = {
      ...program.env,
      ...(store !== undefined && { CACHE_STORE: store }),
      ...(namespace !== undefined && { CACHE_NAMESPACE: namespace, STAGE: '' }),
      ...alone,
      ...needs[command],
    }
    const reader = new EnvironmentReader(env)
    const address = storeIn(reader)
    // What is wrong with the environment is told as one.
    if (reader.mistakes.length === 0) await assertStore(command, address)
    const cache = await createCacheFromEnv(env)
    try {
      return (await run({ cache, operands, options, output, address, input: program.input })) ? 0 : 1
    } finally {
      output.end()
      await cache.close()
    }
  } catch (error) {
    output?.end()
    const isUsage = error instanceof UsageError || (LlmemoError.isInstance(error) && error.code === 'INVALID_OPTION')
    const message = error instanceof UsageError || LlmemoError.isInstance(error) ? error.message : 'an unexpected fault'
    for (const each of (message.startsWith('llmemo:') ? message : `llmemo: ${message}`).split('\n')) {
      for (const text of wrapped(each, 2)) program.error(text)
    }
    if (error instanceof UsageError) program.error('llmemo --help shows all commands.')
    else if (LlmemoError.isInstance(error) && error.code === 'STORE_FAILED') program.error('llmemo doctor says what is wrong with a store.')
    return isUsage ? 2 : 1
  }
}

/**
 * A look into a store must not make one, and there is nothing to see in the memory of a program that has just begun.
 * @throws {UsageError} if no store is given
 * @throws {StoreError} if there is no file where it should be
 */
async function assertStore(command: string, address: StoreAddress | undefined): Promise<void> {
  // A key needs no store, and doctor says itself that there is none.
  if (command === 'explain') return
  if (address === undefined || address.kind === 'memory') {
    if (command !== 'doctor') throw new UsageError('no store is given: --store URL, or CACHE_STORE')
    return
  }
  if (address.kind !== 'sqlite' || command === 'import' || address.path === ':memory:') return
  await access(address.path).catch(() => {
    throw new StoreError('there is no file where the store should be')
  })
}

/**
 * The command line: arguments in, exit code out. 0: done; 1: it could not be done; 2: wrong usage.
 * @module
 */
import { createCacheFromEnv, type Environment } from '../env/env.ts'
import { LlmemoError } from '../errors.ts'
import { readCommandLine, UsageError } from './arguments.ts'
import { commands } from './commands.ts'

/** Where the command line writes, and what it reads. */
export interface Terminal {
  readonly env: Environment
  out(text: string): void
  error(text: string): void
}

const help = `Usage: llmemo <command> [options]

  stats              entries, bytes and tokens by operation
  ls                 entries, one a line (--limit 50)
  show KEY           the head of an entry; with --body its body
  invalidate         one of --tag, --operation, --model, --scope, --key, --all
  prune              removes what is stale, or what --older-than says
  export             heads as JSON lines; with --body the bodies
  doctor             writes, reads and removes a value, and says what is wrong

  --store URL        sqlite:answers.db, redis://…, dynamodb://table?region=…
                     (else the environment: CACHE_STORE, REDIS_URL …)
  --namespace NAME   that of the cache (else CACHE_NAMESPACE)
  --operation, --model, --scope, --tag, --older-than, --younger-than
                     which entries
  --json             machines read it
  --yes              does what would else only be told

Exit codes: 0 done, 1 not done, 2 wrong usage.`

/** What a program for a terminal needs: all that it tells is in the store, and no line of the log is among its output. */
const alone = { CACHE_MEMORY_BYTES: '0', LOG_LEVEL: 'silent', ENABLE_OTEL: '', CACHE_ENABLED: '', CACHE_MODE: '' }

/** Runs one command. @returns the exit code */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const line = readCommandLine(args)
    const { command, options } = line
    if (options.help || command === 'help') {
      terminal.out(help)
      return 0
    }
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined
    // Not told as it was typed: an address in the place of the command may have a password.
    if (run === undefined) throw new UsageError(command === '' ? 'a command is missing' : 'there is no such command')
    const { store, namespace } = options
    const env = {
      ...terminal.env,
      ...(store !== undefined && { CACHE_STORE: store }),
      ...(namespace !== undefined && { CACHE_NAMESPACE: namespace, STAGE: '' }),
    }
    const cache = await createCacheFromEnv({ ...env, ...alone })
    try {
      const { data, lines, ok = true } = await run(cache, line)
      terminal.out(options.json ? JSON.stringify(data, undefined, 2) : lines.join('\n'))
      return ok ? 0 : 1
    } finally {
      await cache.close()
    }
  } catch (error) {
    const isUsage = error instanceof UsageError || (LlmemoError.isInstance(error) && error.code === 'INVALID_OPTION')
    const message = error instanceof UsageError || LlmemoError.isInstance(error) ? error.message : 'an unexpected fault'
    terminal.error(message.startsWith('llmemo:') ? message : `llmemo: ${message}`)
    if (error instanceof UsageError) terminal.error('llmemo --help shows all commands.')
    return isUsage ? 2 : 1
  }
}

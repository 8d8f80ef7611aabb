/**
 * The flags of the command line.
 * @module
 */
import { parseArgs } from 'node:util'
import { numberIn } from './environment.ts'

/** What the command line says. */
export interface Arguments {
  /** The options as data, to be checked. */
  readonly data: Readonly<Record<string, unknown>>
  /** The path of a file with more options. */
  readonly file?: string
  readonly help: boolean
  readonly mistakes: readonly string[]
}

/** What `--help` prints. */
export const usage = `Usage: llmemo-gateway [options]
       llmemo-gateway keys create|list|revoke

  --port <number>      where to listen (PORT, SERVICE_PORT), 8787 without it
  --host <name>        at which address (HOST), 127.0.0.1 without it
  --workers <number>   processes that share the port, 1 without it
  --config <file>      a JSON file with more options
  --help               this text
`

/** Reads the command line. */
export function readArguments(words: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        workers: { type: 'string' },
        config: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const server = {
      ...(values.port !== undefined && { port: numberIn(values.port) }),
      ...(values.host !== undefined && { host: values.host }),
      ...(values.workers !== undefined && { workers: numberIn(values.workers) }),
    }
    return { data: { server }, help: values.help === true, mistakes: [], ...(values.config !== undefined && { file: values.config }) }
  } catch (error) {
    // The message of Node.js names the flag.
    return { data: {}, help: false, mistakes: [error instanceof Error ? error.message : 'the command line cannot be read'] }
  }
}

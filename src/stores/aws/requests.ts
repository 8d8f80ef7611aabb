/**
 * Sends a request to AWS with our own deadline and at most twice, whatever the settings of the client are.
 * @module
 */
import { TimeLimit } from '../../base/time-limit.ts'

/** The part of a command that is needed: the middleware of its request. */
export interface Command {
  readonly middlewareStack: {
    add(middleware: never, options: MiddlewarePlace): void
  }
}

interface MiddlewarePlace {
  /** In this step, the lowest priority comes after the SDK's retries, so it sees every attempt. */
  readonly step: 'finalizeRequest'
  readonly priority: 'low'
  readonly name: string
  /** A document command builds its middleware twice from the same list, which would add this one twice. */
  readonly override: true
}

type Handler = (args: unknown) => Promise<unknown>

/** Options for sending a command. */
export interface SendOptions {
  readonly abortSignal: AbortSignal
}

/** Attempts of one request. The retries of a client with the SDK's defaults would take seconds. */
const maxAttempts = 2

/**
 * Sends `command` by `send`, at most twice.
 * @param outer fires when no caller waits any more
 * @throws anything that the SDK throws
 */
export async function atMostTwice<Output>(command: Command, send: () => Promise<Output>, outer?: AbortSignal): Promise<Output> {
  let last: { readonly error: unknown } | undefined
  let attempts = 0
  const countAttempts =
    (next: Handler): Handler =>
    async (args) => {
      attempts += 1
      return next(args).catch((error: unknown) => {
        if (attempts < maxAttempts) throw error
        last = { error }
        // The retry strategy decides by an error's name, status and cause. This error has none of them, so the SDK does not retry.
        throw new Error('no further attempt is allowed')
      })
    }
  // Each command has its own types of input and output. The middleware passes both on unchanged.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  command.middlewareStack.add(countAttempts as never, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'llmemoAttempts',
    override: true,
  })
  try {
    return await send()
  } catch (error) {
    throw last === undefined || outer?.aborted === true ? error : last.error
  }
}

/** Sends requests, each with its deadline, which includes the second attempt. */
export class Requests extends TimeLimit {
  /**
   * Sends `command` by `send`.
   * @param outer fires when no caller waits any more
   * @throws {DeadlineError} when it took too long, and anything that the SDK throws
   */
  async send<Output>(command: Command, send: (options: SendOptions) => Promise<Output>, outer?: AbortSignal): Promise<Output> {
    return atMostTwice(command, () => this.within('a request to AWS', (abortSignal) => send({ abortSignal }), outer), outer)
  }
}

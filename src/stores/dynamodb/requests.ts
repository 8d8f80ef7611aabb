/**
 * Sends a request to AWS with our own deadline and at most twice, whatever the settings of the client are.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'

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

/** Sends requests, each with its deadline. */
export class Requests {
  readonly #clock: Clock
  readonly #timeout: number

  /** @param timeout milliseconds for a request, including its second attempt */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock
    this.#timeout = timeout
  }

  /**
   * Sends `command` by `send`.
   * @param outer fires when no caller waits any more
   * @throws {DeadlineError} when it took too long, and anything that the SDK throws
   */
  async send<Output>(command: Command, send: (options: SendOptions) => Promise<Output>, outer?: AbortSignal): Promise<Output> {
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
      return await this.within('a request to AWS', (abortSignal) => send({ abortSignal }), outer)
    } catch (error) {
      throw last === undefined || outer?.aborted === true ? error : last.error
    }
  }

  /**
   * Runs `work` and aborts its signal when it takes too long. A late result is dropped.
   * @throws {DeadlineError} when it took too long
   */
  async within<Value>(what: string, work: (signal: AbortSignal) => Promise<Value>, outer?: AbortSignal): Promise<Value> {
    const own = new AbortController()
    const signal = outer === undefined ? own.signal : AbortSignal.any([outer, own.signal])
    signal.throwIfAborted()
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true })
    })
    const cancel = this.#clock.after(this.#timeout, () => own.abort(new DeadlineError(what, this.#timeout)))
    try {
      return await Promise.race([work(signal), stopped])
    } finally {
      cancel()
    }
  }

  /** Waits before another try: for a random part, half to all, of `milliseconds`, so that clients do not all return at once. */
  async backOff(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await this.within(
      'waiting to try again',
      (stop) =>
        new Promise<void>((resolve) => {
          const cancel = this.#clock.after(milliseconds * (0.5 + Math.random() / 2), resolve)
          stop.addEventListener('abort', cancel, { once: true })
        }),
      signal,
    )
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('the caller no longer waits')
}

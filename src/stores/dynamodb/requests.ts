/**
 * One request to AWS: with a deadline of our own, and sent twice at the most, whatever the client is set to.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'

/** What is needed of a command: the middleware that its request goes through. */
export interface Command {
  readonly middlewareStack: {
    add(middleware: never, options: MiddlewarePlace): void
  }
}

interface MiddlewarePlace {
  /** Of this step, the lowest priority comes after the SDK's retries: it sees every attempt. */
  readonly step: 'finalizeRequest'
  readonly priority: 'low'
  readonly name: string
  /** A document command goes through its middleware's list twice when it puts together its own. */
  readonly override: true
}

type Handler = (args: unknown) => Promise<unknown>

/** How a command is sent. */
export interface SendOptions {
  readonly abortSignal: AbortSignal
}

/** How often a request is sent before it has failed. The retries of a client with the SDK's defaults take seconds. */
const maxAttempts = 2

/** Sends requests, each with its deadline. */
export class Requests {
  readonly #clock: Clock
  readonly #timeout: number

  /** @param timeout milliseconds that a request may take, its second attempt included */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock
    this.#timeout = timeout
  }

  /**
   * Sends `command` by `send`.
   * @param outer fires when nobody waits any longer
   * @throws {DeadlineError} when it took too long, and whatever the SDK throws
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
          // The retry strategy tells by the name, the status and the cause of an error what to try again; this one has none of them.
          throw new Error('tried often enough')
        })
      }
    // Each command types its middleware by its own input and output, which this one passes on as they are.
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
   * `work`, which is told to stop when it takes too long; a late outcome is dropped.
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

  /** Waits before a further try: about `milliseconds`, by chance somewhat less, so that many clients do not come back at once. */
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
  return reason instanceof Error ? reason : new Error('nobody waits any longer')
}

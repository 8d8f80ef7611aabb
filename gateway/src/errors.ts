/**
 * The errors that the gateway throws, with one class and one code each.
 * @module
 */

/** What went wrong, as a code for programs. */
export type GatewayErrorCode =
  | 'INVALID_OPTIONS'
  | 'PRIVATE_ADDRESS'
  | 'UPSTREAM_FAILED'
  | 'REFUSED'
  | 'KEY_STORE'
  | 'LAMBDA_EVENT'
  | 'LAMBDA_TIMEOUT'
  | 'LAMBDA_STEPS'

/** The base class of all errors of the gateway. */
export class GatewayError extends Error {
  /** What went wrong, as a code for programs. */
  readonly code: GatewayErrorCode

  /**
   * @param code what went wrong, as a code for programs
   * @param message what went wrong and what to do about it; never a prompt, an answer or a secret
   * @param options the underlying error, as `cause`
   */
  constructor(code: GatewayErrorCode, message: string, options?: { cause?: unknown }) {
    super(`llmemo-gateway: ${message}`, options)
    this.name = new.target.name
    this.code = code
  }
}

/** Flags, variables or options have values that cannot be. The message has all mistakes at once, and none of the values. */
export class GatewayOptionsError extends GatewayError {
  /** One sentence for each mistake. */
  readonly mistakes: readonly string[]

  /** @param mistakes one sentence for each, without the value that is wrong */
  constructor(mistakes: readonly string[]) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
    super('INVALID_OPTIONS', `the options have ${count}.\n${mistakes.map((each) => `- ${each}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

/** A function was called by something that its handler is not for. */
export class LambdaEventError extends GatewayError {
  /** @param expected what the handler takes */
  constructor(expected: string) {
    super('LAMBDA_EVENT', `the event is not ${expected}. Look at what triggers the function, and at its handler.`)
  }
}

/** Something that an event asks for could not be done. */
export class LambdaStepsError extends GatewayError {
  constructor() {
    super(
      'LAMBDA_STEPS',
      'a step of the event could not be done: the store or the provider failed, or there was no time. It may be tried again.',
    )
  }
}

/** The time of an invocation ended in the middle of a stream. */
export class LambdaTimeoutError extends GatewayError {
  /** @param options how the stream ended, as `cause` */
  constructor(options: { cause: unknown }) {
    super('LAMBDA_TIMEOUT', 'the function had no time left for the rest of the answer. Give it more.', options)
  }
}

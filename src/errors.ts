/**
 * Every error that llmemo throws, one class and one code each.
 * Errors of a provider or of an SDK are not among them: they reach the caller as they are.
 * @module
 */

/** What went wrong, for a program to branch on. */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'UNKNOWN_CLIENT'
  | 'NOT_KEYABLE'
  | 'NOT_CACHED'
  | 'NOT_RECOGNISED'
  | 'DAMAGED_ENTRY'
  | 'STORE_FAILED'
  | 'DEADLINE'

const marker = Symbol.for('llmemo.error')

/** Why a call in mode `only-if-cached` has no answer, and what to do. */
export const notCachedMessage =
  'llmemo: no answer is stored for this request, and its mode "only-if-cached" forbids to ask the provider. ' +
  'Use mode "default" to ask it.'

/** The base of every error of ours. `instanceof` fails across two copies of a package; {@link LlmemoError.isInstance} does not. */
export class LlmemoError extends Error {
  /** What went wrong, for a program to branch on. */
  readonly code: ErrorCode

  /**
   * @param code what went wrong, for a program to branch on
   * @param message what went wrong and what to do about it; never a prompt, an answer or a secret
   * @param options the error beneath, as `cause`
   */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, marker, { value: true })
  }

  /** Whether `value` is an error of any copy of llmemo. */
  static isInstance(value: unknown): value is LlmemoError {
    return typeof value === 'object' && value !== null && Reflect.get(value, marker) === true
  }
}

/** An option has a value that cannot be. Thrown at once, where the option was given. */
export class InvalidOptionError extends LlmemoError {
  /**
   * @param option the option's name, with its path: `ttl.summarize`
   * @param given what was given; shown shortened
   * @param allowed what may be given instead
   */
  constructor(option: string, given: unknown, allowed: string) {
    // The caller's own names can be among the options, of operations say, and a long one may be anything.
    const name = option.length <= 80 ? `option "${option}"` : `an option whose name has ${option.length} characters`
    super('INVALID_OPTION', `llmemo: ${name} is ${show(given)}; allowed is ${allowed}.`)
  }
}

/** `withCache` was given something that is no client it knows. It is a `TypeError` to those who look for one. */
export class UnknownClientError extends TypeError {
  /** What went wrong, for a program to branch on. */
  readonly code: ErrorCode = 'UNKNOWN_CLIENT'

  constructor(given: unknown) {
    super(
      `llmemo: withCache() does not know this client: ${show(given)}. It knows OpenAI and AzureOpenAI (openai 5 to 7), Anthropic (@anthropic-ai/sdk from 0.60) and BedrockRuntimeClient. ` +
        'For any other SDK that takes a fetch, pass it cachingFetch(cache).',
    )
    this.name = 'UnknownClientError'
    Object.defineProperty(this, marker, { value: true })
  }
}

/** A request, a context or a value holds what JSON cannot, so no key can be told for it. */
export class NotKeyableError extends LlmemoError {
  /** Where in the value it was found: `messages[0].content`. */
  readonly path: string

  /**
   * @param path where in the value it was found; empty for the value itself
   * @param what its kind; never anything of its content
   * @param options the error of the caller's own code beneath, as `cause`
   */
  constructor(path: string, what: string, options?: { cause?: unknown }) {
    super('NOT_KEYABLE', `llmemo: ${path || 'the value'} is ${what}, which has no canonical JSON; no key can be made of it.`, options)
    this.path = path
  }
}

/**
 * A call in mode `only-if-cached` found nothing stored. Thrown by a wrapped Bedrock client; an SDK that ends in a `fetch` throws its own
 * error for status 504, whose body says the same.
 */
export class NotCachedError extends LlmemoError {
  constructor() {
    super('NOT_CACHED', notCachedMessage)
  }
}

/** Bytes in a store are no entry of ours, or one that is damaged. Only the codec's callers see it; to a caller of the cache it is a miss. */
export class EntryError extends LlmemoError {
  constructor(code: 'NOT_RECOGNISED' | 'DAMAGED_ENTRY', message: string, options?: { cause?: unknown }) {
    super(code, `llmemo: ${message}`, options)
  }
}

/** A store could not do what it was asked. It is reported as an event, never thrown at a caller of the cache. */
export class StoreError extends LlmemoError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('STORE_FAILED', `llmemo: ${message}`, options)
  }
}

/** Something of ours was not done in its time. */
export class DeadlineError extends LlmemoError {
  constructor(what: string, milliseconds: number) {
    super('DEADLINE', `llmemo: ${what} took longer than ${milliseconds} ms.`)
  }
}

/** How a value is shown in an error: its kind, and a short, plain value whole. Long or nested values may hold a prompt. */
function show(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'symbol') return 'a symbol'
  const name: unknown = Reflect.get(Object(Reflect.get(value, 'constructor')), 'name')
  return typeof name === 'string' && name !== 'Object' && name !== '' ? `an instance of ${name}` : 'an object'
}

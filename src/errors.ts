/**
 * Every error that llmemo throws, with one class and one code each.
 * Errors of a provider or of an SDK are not here: they reach the caller unchanged.
 * @module
 */
import { closestName } from './closest-name.ts'

/** What went wrong, as a code for programs. */
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

/** The base class of all errors of llmemo. `instanceof` fails between two copies of a package; {@link LlmemoError.isInstance} does not. */
export class LlmemoError extends Error {
  /** What went wrong, as a code for programs. */
  readonly code: ErrorCode

  /**
   * @param code what went wrong, as a code for programs
   * @param message what went wrong and what to do about it; never a prompt, an answer or a secret
   * @param options the underlying error, as `cause`
   */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, marker, { value: true })
  }

  /** Whether `value` is an error of llmemo, from any copy of the package. */
  static isInstance(value: unknown): value is LlmemoError {
    return typeof value === 'object' && value !== null && Reflect.get(value, marker) === true
  }
}

/** A text of our own that describes an invalid value, in place of the value itself. */
export class Description {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An option has an invalid value. Thrown at once, by the function that takes the option. */
export class InvalidOptionError extends LlmemoError {
  /**
   * @param option the option's name, with its path: `ttl.summarize`
   * @param given the value that was given. The message says of what kind it is. It shows a text only where the option's values are names.
   * @param allowed what may be given instead; an array for an option whose values are names
   */
  constructor(option: string, given: unknown, allowed: string | readonly string[]) {
    const isName = typeof allowed !== 'string' && typeof given === 'string'
    const kind = isName && isShowable(given) ? JSON.stringify(given) : kindOf(given)
    const choice = typeof allowed === 'string' ? allowed : `one of ${allowed.join(', ')}.${isName ? hintFor(given, allowed) : ''}`
    super('INVALID_OPTION', `llmemo: ${shownOption(option)} is ${kind}; allowed is ${choice}${/[.?]$/.test(choice) ? '' : '.'}`)
  }
}

/**
 * Whether a name that a user chose, or may have given in place of another, can be shown: words of letters, or a few characters such as
 * `2026`. Keys, tokens and passwords are longer and have digits, prompts and URLs have other characters.
 */
export function isShowable(name: string): boolean {
  return /^[\w$.:-]{1,8}$/.test(name) || /^[a-z_$.:-]{1,40}$/i.test(name)
}

/**
 * How messages call an option: `option "ttl.summarize"`. Users choose some of the names in its path, such as those of operations. What may be
 * anything is not shown: `option "ttl.…", whose name has 60 characters,`.
 */
export function shownOption(option: string): string {
  const steps = option.split('.')
  const hidden = steps.findIndex((step) => !isShowable(step.replaceAll(/\[\d+\]/g, '')))
  if (hidden === -1 && option.length <= 80) return `option "${option}"`
  const shown = steps.slice(0, Math.max(hidden, 0)).join('.')
  return `option "${shown === '' || shown.length > 80 ? '' : `${shown}.`}…", whose name has ${option.length} characters,`
}

/** The question whether a misspelt name was meant to be a known one; empty when none is near. */
export function hintFor(given: string, known: readonly string[]): string {
  const closest = closestName(given, known)
  return closest === undefined ? '' : ` Did you mean "${closest}"?`
}

/** Variables of the environment have values that cannot be. The message has all mistakes, and the value of no variable. */
export class EnvironmentError extends LlmemoError {
  /** One sentence for each mistake. */
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(
      'INVALID_OPTION',
      `llmemo: the environment has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}.\n${mistakes.map((each) => `- ${each}`).join('\n')}`,
    )
    this.mistakes = mistakes
  }
}

/** `withCache` was given a client that it does not know. Also a `TypeError`, for programs that check for one. */
export class UnknownClientError extends TypeError {
  /** What went wrong, as a code for programs. */
  readonly code: ErrorCode = 'UNKNOWN_CLIENT'

  constructor(given: unknown) {
    super(
      `llmemo: withCache() does not know this client: ${kindOf(given)}. It knows OpenAI and AzureOpenAI (openai 5 to 7), Anthropic (@anthropic-ai/sdk from 0.60), BedrockRuntimeClient, GoogleGenAI (@google/genai from 3.1), Groq, Together, Perplexity and Cerebras. ` +
        'For any other SDK that takes a fetch, pass it cachingFetch(cache). ' +
        'If a tool that observes calls has wrapped the client: cache first, then instrument.',
    )
    this.name = 'UnknownClientError'
    Object.defineProperty(this, marker, { value: true })
  }
}

/** A request, a context or a value holds something that JSON cannot, so no key can be made for it. */
export class NotKeyableError extends LlmemoError {
  /** Where in the value: `messages[0].content`. */
  readonly path: string

  /**
   * @param path where in the value; empty for the value itself
   * @param what the kind of the value; never a part of its content
   * @param options the underlying error of the caller's own code, as `cause`
   */
  constructor(path: string, what: string, options?: { cause?: unknown }) {
    super('NOT_KEYABLE', `llmemo: ${path || 'the value'} is ${what}, which has no canonical JSON; no key can be made of it.`, options)
    this.path = path
  }
}

/**
 * Bytes in a store are damaged, or no entry of llmemo. Only code that calls the codec sees this error; for a caller of the cache it is a
 * miss.
 */
export class EntryError extends LlmemoError {
  constructor(code: 'NOT_RECOGNISED' | 'DAMAGED_ENTRY', message: string, options?: { cause?: unknown }) {
    super(code, `llmemo: ${message}`, options)
  }
}

/** A store failed at an operation. The cache reports this error as an event and never throws it to its caller. */
export class StoreError extends LlmemoError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('STORE_FAILED', `llmemo: ${message}`, options)
  }
}

/** An operation of llmemo took longer than its time limit. */
export class DeadlineError extends LlmemoError {
  constructor(what: string, milliseconds: number) {
    super('DEADLINE', `llmemo: ${what} took longer than ${milliseconds} ms.`)
  }
}

/**
 * What an error says of a value: its kind, and of numbers and the like the value. A text may be a password, a token, a URL with either, or
 * a prompt, however short it is, so it is never shown.
 */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value instanceof Description) return value.text
  if (typeof value === 'string') return value === '' ? 'an empty string' : `a string of ${value.length} characters`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'symbol') return 'a symbol'
  const name: unknown = Reflect.get(Object(Reflect.get(value, 'constructor')), 'name')
  return typeof name === 'string' && name !== 'Object' && /^[\p{ID_Start}_$][\p{ID_Continue}$]{0,39}$/u.test(name)
    ? `an instance of ${name}`
    : 'an object'
}

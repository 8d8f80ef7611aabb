/**
 * Lines that the log has once each: what its user should mend in the code or the configuration.
 * @module
 */
import { nameOf } from '../base/foreign-error.ts'
import { LlmemoError } from '../errors.ts'
import type { Logger } from './settings/logger.ts'
import type { OptionFault } from './settings/option-fault.ts'

/** Writes each kind of line once. */
export class Notices {
  readonly #logger: Logger
  readonly #told = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Writes `line` unless there was one of this kind before. */
  once(kind: string, line: string): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    this.#logger.warn(`llmemo: ${line}`)
  }

  /** A function of the user's own threw. */
  hookFailed(error: unknown): void {
    this.once('hook', `a function of yours failed (${nameOf(error)}); calls go on, and further such errors are only counted.`)
  }

  /** A function of the user's gave no value of the option that it stands for. */
  optionFailed({ option, line }: OptionFault): void {
    this.once(`option ${option}`, `${line} Calls go past the cache while that is so.`)
  }

  /** The user's policy threw, or promised its answer. */
  policyFailed(error: unknown): void {
    const what = LlmemoError.isInstance(error) ? error.message.replace(/^llmemo: /, '') : `the policy failed (${nameOf(error)}).`
    this.once('policy', `${what} No answer is stored while that is so.`)
  }

  /** Something in the store could not be used. Tells of it only if a person must mend the reason: the keys, or who may write there. */
  entryFailed(error: unknown): void {
    if (!LlmemoError.isInstance(error)) return
    if (/ was forged or copied /.test(error.message)) {
      this.once('forged', `${error.message.replace(/^llmemo: /, '')} It is not believed: a program without the key writes to the store.`)
      return
    }
    if (!/ is encrypted[ ,]|cannot be decrypted|is not encrypted,/.test(error.message)) return
    this.once(
      'key',
      `the encryption does not fit what is in the store: ${error.message.replace(/^llmemo: /, '')} Give all processes over one store the same keys, or a namespace of their own.`,
    )
  }
}

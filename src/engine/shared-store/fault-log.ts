/**
 * What the log says of a store's faults: one line at the first fault of a side, with its reason, and one when the store works again.
 * @module
 */
import { nameOf, systemReasonOf } from '../../base/foreign-error.ts'
import { LlmemoError } from '../../errors.ts'
import type { Logger } from '../settings/logger.ts'

/** The two sides of a store, which fail and recover by themselves. */
export type Side = 'read' | 'write'

/** What was logged of a side. */
interface SideLog {
  /** Faults since the line for one of them was logged, that one counted; 0 when none was. */
  faults: number
  lastReason: string
}

/** Logs the faults of one store. */
export class FaultLog {
  readonly #store: string
  readonly #logger: Logger
  /** Failures in a row after which the store is left out. */
  readonly #failures: number
  readonly #sides: Readonly<Record<Side, SideLog>> = { read: { faults: 0, lastReason: '' }, write: { faults: 0, lastReason: '' } }
  /** Whether the store itself has reported what to do about its faults, and has not worked since. */
  #isReported = false

  constructor(store: string, logger: Logger, failures: number) {
    this.#store = store
    this.#logger = logger
    this.#failures = failures
  }

  /** Logs what the store itself reports. @param cause the error that one of its methods is about to throw, if there is one */
  report(message: string, cause: unknown): void {
    if (LlmemoError.isInstance(cause)) this.#isReported = true
    this.#logger.warn(`llmemo: ${message}`)
  }

  /** Logs the first fault of this side. Later ones are only counted, until the store works again. */
  fault(side: Side, error: unknown): void {
    const log = this.#sides[side]
    log.lastReason = reasonOf(error)
    if (log.faults > 0) log.faults++
    else if (!this.#isReported) {
      log.faults = 1
      this.#warn(side, log.lastReason)
    }
  }

  /** Logs that the store is left out, unless the first of the faults in a row was logged already, or that it is used again. */
  changed(side: Side, usable: boolean): void {
    const log = this.#sides[side]
    if (usable) {
      log.faults = 0
      this.#isReported = false
      this.#logger.info(`llmemo: the store "${this.#store}" is ${doing(side)} again.`)
    } else if (log.faults === 0 || log.faults >= this.#failures) {
      log.faults = 1
      this.#warn(side, this.#isReported ? '' : log.lastReason)
    }
  }

  #warn(side: Side, reason: string): void {
    const shown = reason === '' ? '' : ` (${reason})`
    this.#logger.warn(`llmemo: the store "${this.#store}" is not ${doing(side)}${shown}; calls go on without it.`)
  }
}

function doing(side: Side): string {
  return side === 'read' ? 'answering' : 'taking writes'
}

/** Why a store failed. Errors of llmemo hold no secret. Of any other its name and what the system says: `Error, connect ECONNREFUSED …`. */
export function reasonOf(error: unknown): string {
  if (LlmemoError.isInstance(error)) return error.message.replace(/^llmemo: /, '').replace(/\.$/, '')
  const system = systemReasonOf(error)
  return system === '' ? nameOf(error) : `${nameOf(error)}, ${system}`
}

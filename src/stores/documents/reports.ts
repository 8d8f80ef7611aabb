/**
 * What a store of documents reports to its user: faults that a person has to mend, each one once until it has passed.
 * @module
 */
import { withoutContent } from '../../base/foreign-error.ts'
import { StoreError } from '../../errors.ts'

/** What a failure of a database means. */
export interface Explanation {
  /** What happened, without anything that was sent or received: `status 429`. */
  readonly reason: string
  /** What a person has to do, if the failure does not pass by itself. */
  readonly advice?: string
}

/** Explains a failure of a database. */
export type Explain = (error: unknown) => Explanation

/** The part of the store that a report is about. Each part is reported by itself. */
export type ReportedPart = 'database' | 'objects'

/** Passes a message on to the user's logger. */
type Report = (message: string, cause?: unknown) => void

/** Reports of one store. */
export class DocumentReports {
  readonly #what: string
  readonly #explain: Explain
  /** Parts that were reported and have not worked since. */
  readonly #reported = new Set<ReportedPart>()
  #report: Report = () => {}

  /** @param what what messages call the place: `the Firestore collection "answers"` */
  constructor(what: string, explain: Explain) {
    this.#what = what
    this.#explain = explain
  }

  /** Sends all later reports to `report`. Reports made before are lost. */
  sendTo(report: Report): void {
    this.#report = report
  }

  /**
   * Runs `work` on the database. Reports its failure when a person has to mend it.
   * @throws {StoreError} for every failure of `work`; the error holds nothing of what was sent or received
   */
  async attempt<Value>(verb: 'read' | 'written', work: () => Promise<Value>): Promise<Value> {
    try {
      const value = await work()
      this.passed('database')
      return value
    } catch (error) {
      if (error instanceof StoreError) throw error
      const { reason, advice } = this.#explain(error)
      const message = `${this.#what} could not be ${verb}: ${advice ?? `${reason}.`}`
      const failure = new StoreError(message, { cause: withoutContent(error, reason) })
      if (advice !== undefined) this.once('database', message, failure)
      throw failure
    }
  }

  /** Reports `message`, unless this part was reported before and has not worked since. */
  once(part: ReportedPart, message: string, cause: unknown): void {
    if (this.#reported.has(part)) return
    this.#reported.add(part)
    this.#report(message, cause)
  }

  /** Reports a setting of the database that a person should change. */
  advise(message: string): void {
    this.#report(message)
  }

  /** Notes that a part works. Its next fault is reported again. */
  passed(part: ReportedPart): void {
    this.#reported.delete(part)
  }
}

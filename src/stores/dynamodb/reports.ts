/**
 * What the store reports to its user: faults that a person has to mend, each one once until it has passed.
 * @module
 */
import { explainFailure, type TableNames } from './errors.ts'

/** Passes a message on to the user's logger. */
export type Report = (message: string, cause?: unknown) => void

/** The part of the store that a report is about. Each part is reported by itself. */
export type ReportedPart = 'table' | 'objects'

/** Reports of one store. */
export class Reports {
  readonly #names: TableNames
  /** Parts that were reported and have not worked since. */
  readonly #reported = new Set<ReportedPart>()
  #report: Report = () => {}

  constructor(names: TableNames) {
    this.#names = names
  }

  /** Sends all later reports to `report`. Reports made before are lost. */
  sendTo(report: Report): void {
    this.#report = report
  }

  /**
   * Runs `work` on the table. Reports its failure when a person has to mend it.
   * @throws {StoreError} for every failure of `work`; the error holds nothing of what was sent or received
   */
  async attempt<Value>(verb: 'read' | 'written', work: () => Promise<Value>): Promise<Value> {
    try {
      const value = await work()
      this.passed('table')
      return value
    } catch (error) {
      const failure = explainFailure(verb, error, this.#names)
      if (failure.advice !== undefined) this.once('table', failure.advice, failure.error)
      throw failure.error
    }
  }

  /** Reports `message`, unless this part was reported before and has not worked since. */
  once(part: ReportedPart, message: string, cause: unknown): void {
    if (this.#reported.has(part)) return
    this.#reported.add(part)
    this.#report(message, cause)
  }

  /** Notes that a part works. Its next fault is reported again. */
  passed(part: ReportedPart): void {
    this.#reported.delete(part)
  }

  /** Warns of a client that delays its own requests after it was throttled. Of 20 at a time, some were measured to wait for two minutes. */
  async checkClient(client: object): Promise<void> {
    const given: unknown = Reflect.get(Object(Reflect.get(client, 'config')), 'retryMode')
    try {
      const mode: unknown = typeof given === 'function' ? await given() : given
      if (mode !== 'adaptive') return
      this.#report('the DynamoDB client has retryMode "adaptive", which delays reads for longer than the cache waits; use "standard".')
    } catch {
      // The first request will report a configuration that cannot be read.
    }
  }
}

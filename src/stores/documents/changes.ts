/**
 * Changes of a document that depend on what is there: read, decide, and write if no other process was faster.
 * @module
 */
import { StoreError } from '../../errors.ts'
import type { TimeLimit } from '../../base/time-limit.ts'
import type { DocumentAccess, FoundDocument, WrittenDocument } from './access.ts'

/** What to do with what was found: write a document, or nothing; and what to tell then. */
export interface Decision<Result> {
  readonly write?: WrittenDocument
  readonly result: Result
}

/** Tries of one change. Processes seldom change the same document at once; within a process, changes wait for one another. */
const maxTries = 8
/** Milliseconds before the third try; doubled before each further one. */
const firstDelayMs = 10

/** Makes changes, one at a time for each document. */
export class DocumentChanges {
  readonly #access: DocumentAccess
  readonly #limit: TimeLimit
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(access: DocumentAccess, limit: TimeLimit) {
    this.#access = access
    this.#limit = limit
  }

  /**
   * Decides by the document under `id`, as often as another process changes it in between.
   * @returns the result of the decision that held
   * @throws {StoreError} when others were always faster
   */
  async change<Result>(id: string, decide: (found: FoundDocument | undefined) => Decision<Result>): Promise<Result> {
    return this.#inTurn(id, async () => {
      for (let tries = 0; tries < maxTries; tries++) {
        if (tries > 1) await this.#limit.backOff(firstDelayMs * 2 ** (tries - 2))
        const [found] = await this.#access.read([id])
        const { write, result } = decide(found)
        if (write === undefined || (await this.#access.writeIf(write, found?.version))) return result
      }
      throw new StoreError('a document was changed by other processes each time that it was to be changed; the change is dropped.')
    })
  }

  /** Runs `work` after all earlier work for `id`. */
  async #inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(id)
    const turn = (async (): Promise<Result> => {
      await before
      return work()
    })()
    // The next in turn waits for the end, whichever it is.
    const end = turn.catch(() => undefined)
    this.#last.set(id, end)
    try {
      return await turn
    } finally {
      if (this.#last.get(id) === end) this.#last.delete(id)
    }
  }
}

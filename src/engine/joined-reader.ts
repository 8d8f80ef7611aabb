/**
 * The reader of a call that joined another call's flight. If the flight breaks before it gave this call anything, the call asks for itself,
 * as it would have done without a cache.
 * @module
 */
import type { FlightReader } from './flight/upstream.ts'
import type { FlightHead, Joiner } from './seam.ts'

type Reader<Head, Item> = FlightReader<FlightHead<Head>, Item>

/** A call that joined a flight. */
export interface JoinedReaderOptions<Head, Item> {
  readonly reader: Reader<Head, Item>
  readonly joiner: Joiner
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  /** Joins or starts another flight. Rejects, or gives `undefined`, if that gives no answer either. */
  readonly askAgain: () => Promise<Reader<Head, Item> | undefined>
}

/** The reader of a call that joined a flight. */
export function joinedReader<Head, Item>({ reader, joiner, signal, askAgain }: JoinedReaderOptions<Head, Item>): Reader<Head, Item> {
  let current = reader
  let begun = false
  let left = false
  const first = async (): Promise<Item | undefined> => {
    begun = true
    try {
      // A broken flight still gives the beginning of its answer. A call that has nothing of it yet is better off with a whole answer.
      if (!reader.failed) {
        const item = await reader.next()
        joiner.given = true
        return item
      }
    } catch (error) {
      if (left || signal?.aborted === true) throw error
    }
    const other = await askAgain().catch(() => undefined)
    if (left) other?.leave()
    if (other !== undefined) current = other
    return current.next()
  }
  return {
    get failed() {
      return current.failed
    },
    head: () => reader.head(),
    next: () => (begun ? current.next() : first()),
    leave() {
      left = true
      current.leave()
    },
  }
}

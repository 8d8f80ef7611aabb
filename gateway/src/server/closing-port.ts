/**
 * How a port closes without a loss. The system completes connections by itself and queues them; those in the queue when the port closes are
 * reset, and their requests with them.
 * @module
 */
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from 'llmemo'

/** Turns of the event loop in which no connection came, after which the queue is empty. A turn takes one out of it. */
const quietTurns = 3

/** Milliseconds after which the port closes though connections still come. */
const longest = 250

/** Hands connections on, but for the moment before the port closes. */
export class ClosingPort {
  readonly #clock: Clock
  readonly #take: (socket: Socket) => void
  #held: Socket[] | undefined
  #quiet = 0

  /** @param take gets each connection */
  constructor(clock: Clock, take: (socket: Socket) => void) {
    this.#clock = clock
    this.#take = take
  }

  /** A connection came. */
  accept(socket: Socket): void {
    this.#quiet = 0
    if (this.#held === undefined) this.#take(socket)
    else this.#held.push(socket)
  }

  /**
   * Empties the queue. What comes is held meanwhile rather than worked on, so that the last turn before `close` is short.
   * @param close closes the port, at once
   */
  async end(close: () => void): Promise<void> {
    const held: Socket[] = []
    this.#held = held
    const end = this.#clock.monotonic() + longest
    for (this.#quiet = 0; this.#quiet < quietTurns && this.#clock.monotonic() < end; this.#quiet++) await nextTurn()
    close()
    this.#held = undefined
    held.forEach((socket) => this.#take(socket))
  }
}

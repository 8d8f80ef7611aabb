/**
 * How long reads and writes of a store take, told as events, and writes on the tracing channel `llmemo:store` too. Nothing is measured of
 * writes while nothing listens.
 * @module
 */
import { Tracing } from '../../base/tracing.ts'
import type { Clock } from '../../clock.ts'
import type { EventEmitter } from '../../events.ts'
import type { StoreWrite } from '../../store.ts'
import type { ReadListener } from './store-reader.ts'

/** What is told of a batch that is written to a store. */
export interface TracedWrite {
  /** The name of the store. */
  readonly store: string
  readonly entries: number
  /** Bytes of all values as stored. */
  readonly bytes: number
  /** Whether the store took them, once that is known. */
  written?: boolean
}

/** Tells of the reads and writes of one store. */
export class StoreTimes {
  readonly #source: string
  readonly #events: EventEmitter
  readonly #clock: Clock
  readonly #tracing = new Tracing<TracedWrite>('llmemo:store')

  constructor(source: string, events: EventEmitter, clock: Clock) {
    this.#source = source
    this.#events = events
    this.#clock = clock
  }

  /** Tells of a read that has ended. */
  readonly onRead: ReadListener = (keys, begun, answered) => {
    if (!this.#events.isHeard('read')) return
    this.#events.emit('read', { source: this.#source, keys, reads: 1, milliseconds: this.#clock.monotonic() - begun, answered })
  }

  /** Writes, and tells of it. */
  async write(writes: readonly StoreWrite[], work: () => Promise<boolean>): Promise<boolean> {
    const isTraced = this.#tracing.isHeard
    if (writes.length === 0 || !(isTraced || this.#events.isHeard('write'))) return work()
    const begun = this.#clock.monotonic()
    const bytes = writes.reduce((sum, { value }) => sum + value.byteLength, 0)
    const context = { store: this.#source, entries: writes.length, bytes }
    const written = await (isTraced ? this.#tracing.run<Promise<boolean>>(context, work, noteWritten) : work())
    const milliseconds = this.#clock.monotonic() - begun
    this.#events.emit('write', { source: this.#source, entries: writes.length, bytes, milliseconds, written })
    return written
  }
}

function noteWritten(context: TracedWrite, written: boolean): void {
  context.written = written
}

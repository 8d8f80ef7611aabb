/**
 * How long reads and writes of a store take, told as events. Nothing is measured of writes while nothing listens.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { EventEmitter } from '../../events.ts'
import type { StoreWrite } from '../../store.ts'
import type { ReadListener } from './store-reader.ts'

/** Tells of the reads and writes of one store. */
export class StoreTimes {
  readonly #source: string
  readonly #events: EventEmitter
  readonly #clock: Clock

  constructor(source: string, events: EventEmitter, clock: Clock) {
    this.#source = source
    this.#events = events
    this.#clock = clock
  }

  /** Tells of a read that has ended. */
  readonly onRead: ReadListener = (keys, begun, answered) => {
    if (!this.#events.isHeard('read')) return
    this.#events.emit('read', { source: this.#source, keys, milliseconds: this.#clock.monotonic() - begun, answered })
  }

  /** Writes, and tells of it. */
  async write(writes: readonly StoreWrite[], work: () => Promise<boolean>): Promise<boolean> {
    if (writes.length === 0 || !this.#events.isHeard('write')) return work()
    const begun = this.#clock.monotonic()
    const written = await work()
    const bytes = writes.reduce((sum, { value }) => sum + value.byteLength, 0)
    const milliseconds = this.#clock.monotonic() - begun
    this.#events.emit('write', { source: this.#source, entries: writes.length, bytes, milliseconds, written })
    return written
  }
}

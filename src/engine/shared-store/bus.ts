/**
 * What processes over one store info one another at once: what was declared outdated, and what was removed. InvalidationBus may be lost, repeated or
 * late, so that whoever hears some looks into the store again, which is what counts.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { EventEmitter, Fault } from '../../events.ts'
import type { Store } from '../../store.ts'
import { inTime } from './deadline.ts'
import { invalidationChannel } from '../../key/store-keys.ts'

/** What the bus need of the cache they belong to. */
export interface InvalidationBusOptions {
  readonly store: Store
  readonly clock: Clock
  readonly events: EventEmitter
  readonly namespace: string
}

/** Who hears the bus of other processes. Must not throw. */
export interface InvalidationListener {
  /** Something was declared outdated; the generationKey is the key of its generation in the store. */
  declared(generationKey: string, generation: string): void
  /** An entry was removed. */
  removed(storeKey: string): void
  /** There may have been bus that nobody heard here. */
  missed(): void
}

/** Kinds of bus, and what the two texts of each are. */
type Kind = 'declared' | 'removed'

/** Written into each message. Those of another version are not for us. */
const version = 1

/** Milliseconds that telling may take, of which nobody waits for more than what he declared outdated himself. */
const deadline = 1_000

/** What processes over one store info one another. A store that cannot pass it on is told nothing. */
export class InvalidationBus {
  readonly #store: Store
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #channel: string
  /** Tells our own messages, which come back, from others'. */
  readonly #sender = crypto.randomUUID()
  readonly #telling = new Set<Promise<void>>()
  #end: (() => void) | undefined
  #closed = false

  /** Begins to listen. */
  constructor({ store, clock, events, namespace }: InvalidationBusOptions, reader: InvalidationListener) {
    this.#store = store
    this.#clock = clock
    this.#events = events
    this.#channel = invalidationChannel(namespace)
    try {
      this.#end = store.subscribe?.(this.#channel, {
        heard: (message) => this.#read(message, reader),
        missed: () => reader.missed(),
      })
    } catch (error) {
      this.#fault('read', error)
    }
  }

  /** Tells that something was declared outdated, once the store knows of it. Never throws. */
  declared(generationKey: string, generation: string): Promise<void> {
    return this.#tell('declared', generationKey, generation)
  }

  /** Tells that an entry was removed, once the store has done so. Never throws. */
  removed(storeKey: string): Promise<void> {
    return this.#tell('removed', storeKey, '')
  }

  /** Ends the listening and the telling, when what is being told has been told or given up. Never throws. */
  async close(): Promise<void> {
    this.#closed = true
    try {
      this.#end?.()
    } catch (error) {
      this.#fault('read', error)
    }
    this.#end = undefined
    await Promise.all(this.#telling)
  }

  #tell(kind: Kind, what: string, detail: string): Promise<void> {
    if (this.#store.publish === undefined || this.#closed) return Promise.resolve()
    const told = this.#publish(kind, what, detail).finally(() => this.#telling.delete(told))
    this.#telling.add(told)
    return told
  }

  async #publish(kind: Kind, what: string, detail: string): Promise<void> {
    const message = JSON.stringify([version, this.#sender, kind, what, detail])
    try {
      await inTime(this.#clock, { what: 'telling other processes', deadline }, async () => this.#store.publish?.(this.#channel, message))
    } catch (error) {
      // Others find it out by looking. It says nothing of whether the store takes writes.
      this.#fault('write', error)
    }
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }

  #read(message: string, reader: InvalidationListener): void {
    const [form, sender, kind, what, detail] = textsIn(message)
    if (form !== version || sender === this.#sender || typeof what !== 'string' || typeof detail !== 'string') return
    if (kind === 'declared') reader.declared(what, detail)
    if (kind === 'removed') reader.removed(what)
  }
}

/** What others write into the channel may be anything. */
function textsIn(message: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(message)
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

/**
 * Messages between the processes over one store: what was declared outdated, and what was removed. A message may be lost, repeated or late.
 * So a process that gets one reads the store again, and goes by what it finds there. A message may also be false: it can cost a read, a copy
 * in memory, or once the storing of an answer that is on its way, which later calls do not wait for then.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { EventEmitter, Fault } from '../../events.ts'
import type { Store } from '../../store.ts'
import { inTime } from './deadline.ts'
import { invalidationChannel } from '../../key/store-keys.ts'

/** What a bus needs of the cache that it belongs to. */
export interface InvalidationBusOptions {
  readonly store: Store
  readonly clock: Clock
  readonly events: EventEmitter
  readonly namespace: string
}

/** Takes the messages of other processes. Must not throw. */
export interface InvalidationListener {
  /** A label was declared outdated; its new generation lies in the store under `generationKey`. */
  declared(generationKey: string, generation: string): void
  /** An entry was removed. */
  removed(storeKey: string): void
  /** Messages may have been lost. */
  missed(): void
}

/** Kinds of messages. */
type Kind = 'declared' | 'removed'

/** Stands in each message. Messages of another version are ignored. */
const version = 1

/** Longer messages are ignored. Only the key of a value can be long, and whatever is told of it is found out without the message too. */
const maxMessageLength = 65_536

/** Timeout of a publish, in milliseconds. Only `invalidate()` and `del()` wait for it. */
const deadline = 1_000

/** Sends and receives the messages of one process. Without a store that can pass them on, it does nothing. */
export class InvalidationBus {
  readonly #store: Store
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #channel: string
  /** Tells apart our own messages, which come back, and those of others. */
  readonly #sender = crypto.randomUUID()
  readonly #sending = new Set<Promise<void>>()
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

  /** Tells other processes that a label was declared outdated. Call it once the store knows. Never throws. */
  declared(generationKey: string, generation: string): Promise<void> {
    return this.#tell('declared', generationKey, generation)
  }

  /** Tells other processes that an entry was removed. Call it once the store has removed it. Never throws. */
  removed(storeKey: string): Promise<void> {
    return this.#tell('removed', storeKey, '')
  }

  /** Stops listening, and waits until the messages under way are sent or given up. Never throws. */
  async close(): Promise<void> {
    this.#closed = true
    try {
      this.#end?.()
    } catch (error) {
      this.#fault('read', error)
    }
    this.#end = undefined
    await Promise.all(this.#sending)
  }

  #tell(kind: Kind, what: string, detail: string): Promise<void> {
    if (this.#store.publish === undefined || this.#closed) return Promise.resolve()
    const sent = this.#publish(kind, what, detail).finally(() => this.#sending.delete(sent))
    this.#sending.add(sent)
    return sent
  }

  async #publish(kind: Kind, what: string, detail: string): Promise<void> {
    const message = JSON.stringify([version, this.#sender, kind, what, detail])
    try {
      await inTime(this.#clock, { what: 'telling other processes', deadline, awaited: true }, async () =>
        this.#store.publish?.(this.#channel, message),
      )
    } catch (error) {
      // Other processes find out when they read the store. The failure says nothing about whether the store takes writes.
      this.#fault('write', error)
    }
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }

  #read(message: string, reader: InvalidationListener): void {
    if (message.length > maxMessageLength) return
    const [form, sender, kind, what, detail] = textsIn(message)
    if (form !== version || sender === this.#sender || typeof what !== 'string' || typeof detail !== 'string') return
    if (kind === 'declared') reader.declared(what, detail)
    if (kind === 'removed') reader.removed(what)
  }
}

/** Other programs may write anything into the channel. */
function textsIn(message: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(message)
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

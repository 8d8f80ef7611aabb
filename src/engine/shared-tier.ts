/**
 * The shared tier: a store behind deadlines, breakers and a write queue, so that no fault of it reaches a caller or delays him for long.
 * @module
 */
import type { Clock } from '../clock.ts'
import { DeadlineError, StoreError } from '../errors.ts'
import type { EventEmitter, Fault } from '../events.ts'
import type { Store, StoreWrite } from '../store.ts'
import { Breaker } from './breaker.ts'
import type { Logger } from './options.ts'
import { type PendingWrite, WriteQueue } from './write-queue.ts'

/** What the shared tier needs of the cache it belongs to. */
export interface SharedTierOptions {
  readonly store: Store
  readonly clock: Clock
  readonly events: EventEmitter
  readonly logger: Logger | undefined
  /** Milliseconds that a read may take. */
  readonly readDeadline: number
}

/** Reads that go on at the same time; further ones wait, on their own deadline. */
const concurrentReads = 64
const breakerBounds = { failures: 5, pause: 1_000 }
const queueBounds = { maxWrites: 10_000, maxBytes: 64 * 2 ** 20, batch: 100 }
/** Milliseconds that a batch of writes may take. Nobody waits for it, but it must not hold up the queue for ever. */
const writeDeadline = 10_000

/** A store that answers in time or not at all. */
export class SharedTier {
  readonly #store: Store
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #logger: Logger | undefined
  readonly #deadline: number
  readonly #reads: Breaker
  readonly #writes: Breaker
  readonly #queue: WriteQueue
  readonly #waiting: (() => void)[] = []
  #reading = 0
  #closed = false

  constructor(options: SharedTierOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#events = options.events
    this.#logger = options.logger
    this.#deadline = options.readDeadline
    this.#reads = new Breaker(breakerBounds, options.clock, (usable) => this.#changed('read', usable))
    this.#writes = new Breaker(breakerBounds, options.clock, (usable) => this.#changed('write', usable))
    this.#queue = new WriteQueue(
      queueBounds,
      (writes) => this.#writeBatch(writes),
      (key) => this.#events.emit('drop', { key }),
      (error) => this.#fault('write', error),
    )
    options.store.onReport?.((message, cause) => {
      this.#logger?.warn(`llmemo: ${message}`)
      this.#events.emit('error', { doing: 'read', error: new StoreError(message, { cause }) })
    })
  }

  /** The store's name. */
  get name(): string {
    return this.#store.name
  }

  /** The values under `keys`, in their order, or `undefined` when the store could not say so in time. Never throws. */
  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[] | undefined> {
    if (this.#closed || !this.#reads.admits()) return undefined
    const controller = new AbortController()
    try {
      const values = await this.#inTime('reading the store', this.#deadline, () => this.#get(keys, controller.signal))
      if (values.length !== keys.length)
        throw new StoreError(`the store "${this.name}" answered ${values.length} values for ${keys.length} keys`)
      this.#reads.succeeded()
      return values
    } catch (error) {
      controller.abort(error)
      this.#reads.failed()
      this.#fault('read', error)
      return undefined
    }
  }

  /** Queues a write and returns at once. */
  write(write: PendingWrite): void {
    if (!this.#closed) this.#queue.push(write)
  }

  /** Writes at once and says whether it was done. Never throws. */
  async writeNow(write: StoreWrite): Promise<boolean> {
    if (this.#closed) return false
    try {
      await this.#inTime('writing to the store', writeDeadline, () => this.#store.set(write.key, write.value, { ttl: write.ttl }))
      this.#writes.succeeded()
      return true
    } catch (error) {
      this.#fault('write', error)
      return false
    }
  }

  /** Removes what is under `key`, and a write to it that still waits. Says whether it was done. Never throws. */
  async delete(key: string): Promise<boolean> {
    this.#queue.cancel(key)
    if (this.#closed) return false
    try {
      await this.#inTime('deleting from the store', writeDeadline, () => this.#store.delete(key))
      return true
    } catch (error) {
      this.#fault('delete', error)
      return false
    }
  }

  /**
   * The keys that begin with `prefix`.
   * @throws {StoreError} when the store cannot list keys, or fails to
   */
  async keys(prefix: string): Promise<string[]> {
    if (this.#store.keys === undefined) throw new StoreError(`the store "${this.name}" cannot list its keys, which patterns need`)
    try {
      await this.flush()
      const keys: string[] = []
      for await (const key of this.#store.keys(prefix)) keys.push(key)
      return keys
    } catch (error) {
      throw new StoreError(`the store "${this.name}" failed to list its keys`, { cause: error })
    }
  }

  /** Resolves when all queued writes were handed to the store, or given up. */
  flush(): Promise<void> {
    return this.#queue.settled()
  }

  /** Empties the queue and closes what the store itself opened. */
  async close(): Promise<void> {
    if (this.#closed) return
    await this.flush()
    this.#closed = true
    try {
      await this.#store.close?.()
    } catch (error) {
      this.#fault('write', error)
    }
  }

  async #get(keys: readonly string[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]> {
    if (this.#reading >= concurrentReads) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#reading++
    try {
      if (signal.aborted) throw signal.reason
      const [key] = keys
      if (keys.length === 1 && key !== undefined) return [await this.#store.get(key, { signal })]
      if (this.#store.getMany !== undefined) return await this.#store.getMany(keys, { signal })
      return await Promise.all(keys.map(async (each) => this.#store.get(each, { signal })))
    } finally {
      this.#reading--
      this.#waiting.shift()?.()
    }
  }

  async #writeBatch(writes: readonly StoreWrite[]): Promise<void> {
    if (writes.length === 0) return
    if (!this.#writes.admits()) {
      for (const { key } of writes) this.#events.emit('drop', { key })
      return
    }
    try {
      await this.#inTime('writing to the store', writeDeadline, async () => {
        if (this.#store.setMany !== undefined) await this.#store.setMany(writes)
        else for (const { key, value, ttl } of writes) await this.#store.set(key, value, { ttl })
      })
      this.#writes.succeeded()
    } catch (error) {
      this.#writes.failed()
      this.#fault('write', error)
    }
  }

  /** `work`, or a {@link DeadlineError}. A late outcome is dropped. */
  async #inTime<Value>(what: string, deadline: number, work: () => Promise<Value> | Value): Promise<Value> {
    let cancel: (() => void) | undefined
    try {
      const result = work()
      if (!(result instanceof Promise)) return result
      return await new Promise<Value>((resolve, reject) => {
        cancel = this.#clock.after(deadline, () => reject(new DeadlineError(what, deadline)))
        result.then(resolve, reject)
      })
    } finally {
      cancel?.()
    }
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }

  #changed(side: 'read' | 'write', usable: boolean): void {
    this.#events.emit('state', { store: this.name, side, usable })
    const what = side === 'read' ? 'answering' : 'taking writes'
    if (usable) this.#logger?.info(`llmemo: the store "${this.name}" is ${what} again.`)
    else this.#logger?.warn(`llmemo: the store "${this.name}" is not ${what}; calls go on without it.`)
  }
}

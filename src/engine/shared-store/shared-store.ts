/**
 * The shared tier: a store behind deadlines, breakers and a write queue, so that no fault of it reaches a caller or delays him for long.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import type { Clock } from '../../clock.ts'
import { DeadlineError, StoreError } from '../../errors.ts'
import type { EventEmitter, Fault } from '../../events.ts'
import type { ReadOptions, Store, StoreWrite } from '../../store.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { inTime } from './deadline.ts'
import type { Logger } from '../settings/logger.ts'
import { Semaphore } from './semaphore.ts'
import { type PendingWrite, WriteQueue } from './write-queue.ts'

/** What the shared tier needs of the cache it belongs to. */
export interface SharedTierOptions {
  readonly store: Store
  readonly clock: Clock
  readonly events: EventEmitter
  readonly logger: Logger
  /** Milliseconds that a read may take. */
  readonly readDeadline: number
}

/** Reads that go on at the same time; further ones wait, on their own deadline. */
const concurrentReads = 64
/** Keys that one read asks for at the same time, where the store cannot be asked for several at once. */
const getsAtOnce = 8
const breakerBounds = { failures: 5, pause: 1_000 }
const queueBounds = { maxWrites: 10_000, maxBytes: 64 * 2 ** 20, batch: 100 }
/** Milliseconds that a batch of writes may take. Nobody waits for it, but it must not hold up the queue for ever. */
const writeDeadline = 10_000
/** Milliseconds that closing may take; what could not be written by then is given up. */
const closeDeadline = 10_000

type Values = readonly (Uint8Array | undefined)[]

/** A store that answers in time or not at all. */
export class SharedStore {
  readonly #store: Store
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #logger: Logger
  readonly #deadline: number
  readonly #reads: CircuitBreaker
  readonly #writes: CircuitBreaker
  readonly #semaphore: Semaphore
  readonly #queue: WriteQueue
  /** Changes of the store that were begun, queued writes left out. */
  readonly #underWay = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(options: SharedTierOptions) {
    const { store, clock, events, logger } = options
    this.#store = store
    this.#clock = clock
    this.#events = events
    this.#logger = logger
    this.#deadline = options.readDeadline
    this.#reads = new CircuitBreaker(breakerBounds, clock, (usable) => this.#changed('read', usable))
    this.#writes = new CircuitBreaker(breakerBounds, clock, (usable) => this.#changed('write', usable))
    this.#semaphore = new Semaphore(concurrentReads, clock)
    this.#queue = new WriteQueue(
      queueBounds,
      (writes) => this.#writeBatch(writes),
      (key) => events.emit('drop', { key }),
      (error) => this.#fault('write', error),
    )
    store.onReport?.((message, cause) => {
      logger.warn(`llmemo: ${message}`)
      events.emit('error', { doing: 'read', error: new StoreError(message, { cause }) })
    })
  }

  /** The store's name. */
  get name(): string {
    return this.#store.name
  }

  /**
   * The values under the keys of `entries`, in their order, or `undefined` when the store could not say so in time. Never throws.
   * A value that is still on its way to the store counts as being there, as what lies there is older.
   * @param latest further keys, whose values follow; of these the store must not answer an older value than the last one written
   */
  async read(entries: readonly string[], latest: readonly string[] = []): Promise<Values | undefined> {
    if (this.#closing !== undefined) return undefined
    const keys = [...entries, ...latest]
    const queued = keys.map((key) => this.#queue.peek(key))
    const others = keys.filter((_, index) => queued[index] === undefined)
    const read = others.length === 0 ? [] : await this.#ask(others, new Set(latest))
    if (read === undefined || others.length === keys.length) return read
    const values = read.values()
    return queued.map((known) => (known === undefined ? values.next().value : known.value))
  }

  /** Queues a write and returns at once. */
  write(write: PendingWrite): void {
    if (this.#closing === undefined) this.#queue.push(write)
  }

  /** Writes at once and says whether it was done. Never throws. */
  writeNow({ key, value, ttl }: StoreWrite): Promise<boolean> {
    return this.#change('write', 'writing to the store', async () => this.#store.set(key, value, { ttl }))
  }

  /** Removes what is under `key`, and a write to it that still waits. Says whether it was done. Never throws. */
  delete(key: string): Promise<boolean> {
    return this.#change('delete', 'deleting from the store', async () => {
      await this.#queue.cancel(key)
      await this.#store.delete(key)
    })
  }

  /**
   * The keys that begin with `prefix`; none after `close`.
   * @throws {StoreError} when the store cannot list keys, or fails to
   */
  async keys(prefix: string): Promise<string[]> {
    if (this.#closing !== undefined) return []
    if (this.#store.keys === undefined) throw new StoreError(`the store "${this.name}" cannot list its keys, which patterns need`)
    try {
      await this.flush()
      return await inTime(this.#clock, 'listing the keys of the store', writeDeadline, () => this.#list(prefix))
    } catch (error) {
      throw new StoreError(`the store "${this.name}" failed to list its keys`, { cause: error })
    }
  }

  /**
   * Takes or prolongs a lease. Never throws, and takes no longer than a read may.
   * @returns the token that holds it now, or `undefined` where the store has no leases or does not answer
   */
  async lease(key: string, token: string, ttl: number): Promise<string | undefined> {
    // A store that did not answer just now is not waited for twice in one call.
    if (this.#closing !== undefined || this.#store.lease === undefined || this.#reads.hasRecentFailure) return undefined
    let holder: unknown
    const taken = await this.#try(
      'write',
      'taking a lease in the store',
      async () => {
        holder = await this.#store.lease?.(key, token, { ttl })
      },
      this.#deadline,
    )
    return taken === true && typeof holder === 'string' ? holder : undefined
  }

  /** Gives a lease back, once nothing waits any more to be written under `after`. Returns at once and never throws. */
  release(key: string, token: string, after: string): void {
    void this.#watched(this.#release(key, token, after))
  }

  async #release(key: string, token: string, after: string): Promise<void> {
    await this.#queue.written(after)
    // One that cannot be given back runs out.
    await this.#try('delete', 'giving back a lease', async () => this.#store.release?.(key, token))
  }

  /** Resolves when all that was to be changed was passed to the store, or given up. */
  async flush(): Promise<void> {
    await this.#queue.settled()
    await Promise.all(this.#underWay)
  }

  /** Writes what waits, within a deadline, and closes what the store itself opened. Never throws; a second call does nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await inTime(this.#clock, 'writing what waited', closeDeadline, () => this.flush())
    } catch (error) {
      this.#queue.clear()
      this.#fault('write', error)
    }
    try {
      await inTime(this.#clock, 'closing the store', closeDeadline, async () => this.#store.close?.())
    } catch (error) {
      this.#fault('write', error)
    }
  }

  async #ask(keys: readonly string[], latest: ReadonlySet<string>): Promise<Values | undefined> {
    const begun = this.#clock.monotonic()
    const entered = this.#semaphore.acquire(this.#deadline)
    const isQueued = entered !== true
    if (isQueued && !(await entered)) {
      // Our own queue was too long, which is no fault of the store and must not make it unusable.
      this.#fault('read', new DeadlineError('waiting to read the store', this.#deadline))
      return undefined
    }
    try {
      return this.#reads.tryAcquire() ? await this.#readInTime(keys, latest, isQueued ? this.#clock.monotonic() - begun : 0) : undefined
    } finally {
      // Given back even if the store never answers: that one read is lost, others need not be.
      this.#semaphore.release()
    }
  }

  async #readInTime(keys: readonly string[], latest: ReadonlySet<string>, waited: number): Promise<Values | undefined> {
    const controller = new AbortController()
    try {
      const left = Math.max(0, this.#deadline - waited)
      const options = { signal: controller.signal, latest }
      const values = this.#checked(await inTime(this.#clock, 'reading the store', left, () => this.#get(keys, options)), keys.length)
      this.#reads.succeeded()
      return values
    } catch (error) {
      controller.abort(error)
      // A store that was given less than its time has not failed.
      if (waited > 0 && error instanceof DeadlineError) this.#reads.withdrawn()
      else this.#reads.failed()
      this.#fault('read', error)
      return undefined
    }
  }

  async #get(keys: readonly string[], options: ReadOptions): Promise<unknown> {
    const [key] = keys
    if (keys.length === 1 && key !== undefined) return [await this.#store.get(key, options)]
    if (this.#store.getMany !== undefined) return this.#store.getMany(keys, options)
    return this.#getEach(keys, options)
  }

  /** Reads one by one, some at a time: a batch of embeddings may have thousands. */
  async #getEach(keys: readonly string[], options: ReadOptions): Promise<unknown[]> {
    const values: unknown[] = []
    const left = keys.entries()
    const work = async (): Promise<void> => {
      for (const [index, key] of left) {
        // Nobody waits for the rest.
        options.signal?.throwIfAborted()
        values[index] = await this.#store.get(key, options)
      }
    }
    await Promise.all(Array.from({ length: Math.min(getsAtOnce, keys.length) }, work))
    return values
  }

  /** What a store of the user's own returned, which may be anything at run time. */
  #checked(values: unknown, length: number): Values {
    if (!Array.isArray(values) || values.length !== length) throw new StoreError(`the store "${this.name}" did not answer ${length} values`)
    return values.map((value: unknown) => {
      if (value === undefined || value === null) return undefined
      if (isBytes(value)) return value
      throw new StoreError(`the store "${this.name}" answered something that is no Uint8Array`)
    })
  }

  async #list(prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const key of this.#store.keys?.(prefix) ?? []) keys.push(key)
    return keys
  }

  async #writeBatch(writes: readonly StoreWrite[]): Promise<void> {
    if (writes.length === 0) return
    const written = await this.#try('write', 'writing to the store', async () => {
      if (this.#store.setMany !== undefined) await this.#store.setMany(writes)
      else for (const { key, value, ttl } of writes) await this.#store.set(key, value, { ttl })
    })
    if (written === undefined) for (const { key } of writes) this.#events.emit('drop', { key })
  }

  async #change(doing: Fault, what: string, work: () => Promise<void>): Promise<boolean> {
    return this.#closing === undefined && (await this.#try(doing, what, work)) === true
  }

  /** Remembers a change until it is done, for who waits for all of them. It must not reject. */
  #watched<Result>(change: Promise<Result>): Promise<Result> {
    const done = change.finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
    return done
  }

  /** Changes something in the store. @returns whether it was done; `undefined` when it was not tried, as the breaker is open */
  #try(doing: Fault, what: string, work: () => Promise<void>, deadline = writeDeadline): Promise<boolean | undefined> {
    return this.#watched(this.#attempt(doing, what, work, deadline))
  }

  async #attempt(doing: Fault, what: string, work: () => Promise<void>, deadline: number): Promise<boolean | undefined> {
    if (!this.#writes.tryAcquire()) return undefined
    try {
      await inTime(this.#clock, what, deadline, work)
      this.#writes.succeeded()
      return true
    } catch (error) {
      this.#writes.failed()
      this.#fault(doing, error)
      return false
    }
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }

  #changed(side: 'read' | 'write', usable: boolean): void {
    this.#events.emit('state', { store: this.name, side, usable })
    const what = side === 'read' ? 'answering' : 'taking writes'
    if (usable) this.#logger.info(`llmemo: the store "${this.name}" is ${what} again.`)
    else this.#logger.warn(`llmemo: the store "${this.name}" is not ${what}; calls go on without it.`)
  }
}

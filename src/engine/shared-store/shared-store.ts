/**
 * A store made safe: deadlines, breakers and a write queue keep its faults from callers, and bound how long a caller waits.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError, StoreError } from '../../errors.ts'
import type { EventEmitter, Fault } from '../../events.ts'
import { setIfAbsent, type Store, type StoreWrite } from '../../store.ts'
import { type Change, Changes } from './changes.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { inTime, whileAwaited } from './deadline.ts'
import { FaultLog } from './fault-log.ts'
import { StoreListing } from './listing.ts'
import type { Logger } from '../settings/logger.ts'
import { bytesOf, noKeys, type ReadDetails, StoreReader, type Values } from './store-reader.ts'
import { UnreadyWrites } from './unready-writes.ts'
import { StoreTimes } from './store-times.ts'
import { type PendingWrite, willBe, WriteQueue } from './write-queue.ts'

/** What a shared store needs of the cache that it belongs to. */
export interface SharedStoreOptions {
  readonly store: Store
  readonly clock: Clock
  readonly events: EventEmitter
  readonly logger: Logger
  /** Milliseconds that a read may take. */
  readonly readDeadline: number
  /** Milliseconds that the first read may take, as it waits for the connection. @default those of any read */
  readonly firstReadDeadline?: number
}

const breakerBounds = { failures: 5, probeDelay: 1_000 }
const queueBounds = { maxWrites: 10_000, maxBytes: 64 * 2 ** 20, batchSize: 100 }
/** Milliseconds that a batch of writes may take. No caller waits for it, but it must not hold up the queue for ever. */
const writeDeadline = 10_000
/** Milliseconds that closing may take. Writes that are not done by then are given up. */
const closeDeadline = 10_000

/** How a read of the store failed. */
export type ReadFailure = 'store slow' | 'store broken'

type Sums = Readonly<Record<string, number>>

/** A store that answers in time or not at all. */
export class SharedStore {
  /** The store's name. */
  readonly name: string
  readonly #store: Store
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #log: FaultLog
  readonly #deadline: number
  readonly #reads: CircuitBreaker
  readonly #reader: StoreReader
  readonly #queue: WriteQueue
  readonly #unready = new UnreadyWrites(queueBounds, (write, isReady) => this.#push(write, isReady))
  /** Changes of the store that were begun, queued writes left out. */
  readonly #changes: Changes
  #closing: Promise<void> | undefined
  /** How many reads have failed, and the last one's error. */
  #readFaults = 0
  #readFault: unknown
  /** Whether the breaker lets reads through. */
  #isReadable = true
  /** Lists what is in the store. */
  readonly listing: StoreListing
  /** Whether the store adds up numbers for several processes. */
  readonly canAdd: boolean
  /** Whether nothing is written any more. */
  #isClosed = false

  constructor(options: SharedStoreOptions) {
    const { store, clock, events, logger, readDeadline, firstReadDeadline = readDeadline } = options
    this.#store = store
    this.name = store.name
    this.canAdd = store.add !== undefined
    this.#clock = clock
    this.#events = events
    this.#log = new FaultLog(store.name, logger, breakerBounds.failures)
    this.#deadline = readDeadline
    const times = new StoreTimes(store.name, events, clock)
    this.#reads = new CircuitBreaker(breakerBounds, clock, (usable) => this.#changed('read', usable))
    const writes = new CircuitBreaker(breakerBounds, clock, (usable) => this.#changed('write', usable))
    this.#changes = new Changes({ clock, breaker: writes, deadline: writeDeadline, onFault: (doing, error) => this.#fault(doing, error) })
    const reading = { store, clock, breaker: this.#reads, readDeadline, firstReadDeadline }
    this.#reader = new StoreReader({ ...reading, onFault: (error) => this.#fault('read', error), onRead: times.onRead })
    this.#queue = new WriteQueue(queueBounds, {
      write: (writes) => times.write(writes, () => this.#writeBatch(writes)),
      dropped: (key) => events.emit('drop', { key }),
      failed: (error) => this.#fault('write', error),
    })
    const prepare = async (): Promise<boolean> => {
      if (this.#closing === undefined) await this.flush()
      return this.#closing === undefined
    }
    this.listing = new StoreListing({ store, clock, deadline: writeDeadline, prepare })
    store.onReport?.((message, cause) => {
      this.#log.report(message, cause)
      events.emit('error', { doing: 'read', error: new StoreError(message, { cause }) })
    })
  }

  /** Notes from now on whether a read fails. @returns a function that says how, or `undefined` if none did */
  watchReads(): () => ReadFailure | undefined {
    const before = this.#readFaults
    return () => {
      if (this.#readFaults === before && this.#isReadable) return undefined
      return this.#readFault instanceof DeadlineError ? 'store slow' : 'store broken'
    }
  }

  /**
   * The values under the keys of `entries`, in their order, or `undefined` when the store could not say so in time. Never throws.
   * A value that is still on its way to the store counts as being there, as what lies there is older.
   */
  read(entries: readonly string[], { latest = [], current = [], begun }: ReadDetails = {}): Promise<Values | undefined> {
    if (this.#closing !== undefined) return Promise.resolve(undefined)
    const keys = latest.length === 0 ? entries : [...entries, ...latest]
    const exact = latest.length + current.length === 0 ? noKeys : new Set([...latest, ...current])
    if (this.#unready.size === 0 && this.#queue.isIdle) return this.#reader.read(keys, exact, begun)
    return this.#readBeside(keys, exact, begun)
  }

  /** Reads what is not on its way to the store. */
  async #readBeside(keys: readonly string[], latest: ReadonlySet<string>, begun: number | undefined): Promise<Values | undefined> {
    const queued = keys.map((key) => this.#onItsWay(key))
    const others = keys.filter((_, index) => queued[index] === undefined)
    const read = others.length === 0 ? [] : await this.#reader.read(others, latest, begun)
    if (read === undefined || others.length === keys.length) return read
    const values = read.values()
    return queued.map((known) => (known === undefined ? values.next().value : known.value))
  }

  /**
   * Waits for `work`, which other calls may have begun, for what is left of the read deadline of a call.
   * @param begun when the call's first read began, by the monotonic clock
   * @returns what it resolves to, or `undefined` if the time is over before. Rejects as `work` does
   */
  async withinDeadline<Value>(begun: number, work: Promise<Value>): Promise<Value | undefined> {
    let cancel: (() => void) | undefined
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#clock.after(this.#reader.left(begun), () => resolve(undefined), true)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      cancel?.()
    }
  }

  /** Milliseconds that a read of so many keys gets beyond the deadline of a call. */
  extraTime(keys: number): number {
    return this.#reader.extraTime(keys)
  }

  /**
   * Queues a write and returns at once.
   * @param ready whether it is of use; a promise if that is not known yet. It must not reject
   */
  write(write: PendingWrite, ready: boolean | Promise<boolean> = true): void {
    if (this.#closing !== undefined) return write.settled?.(false)
    if (ready instanceof Promise) return void this.#changes.watched(this.#unready.add(write, ready))
    this.#unready.cancel(write.key)
    this.#push(write, ready)
  }

  /** What will lie under `key` once the newest write to it is done. */
  #onItsWay(key: string): { readonly value: Uint8Array | undefined } | undefined {
    const unready = this.#unready.peek(key)
    return unready === undefined ? this.#queue.peek(key) : willBe(unready)
  }

  #push(write: PendingWrite, isReady: boolean): void {
    if (isReady && !this.#isClosed) return this.#queue.push(write)
    this.#events.emit('drop', { key: write.key })
    write.settled?.(false)
  }

  /** Writes at once and says whether it was done. Never throws. */
  writeNow({ key, value, ttl }: StoreWrite): Promise<boolean> {
    return this.#change({ doing: 'write', what: 'writing to the store' }, async () => this.#store.set(key, value, { ttl }))
  }

  /**
   * Keeps each of these values if there is none under its key. Never throws, and no caller waits for it.
   * @returns the values that are there now, in the order of `writes`; `undefined` for those of which the store did not say
   */
  async setIfAbsent(writes: readonly StoreWrite[]): Promise<readonly (Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = []
    await this.#change({ doing: 'write', what: 'writing to the store', awaited: false }, async () => {
      // One that fails must not leave the others going on by themselves.
      const results = await Promise.allSettled(writes.map(async (write) => bytesOf(await setIfAbsent(this.#store, write), this.name)))
      for (const result of results) found.push(result.status === 'fulfilled' ? result.value : undefined)
      for (const result of results) if (result.status === 'rejected') throw result.reason
    })
    return found
  }

  /** Adds to sums in the store. Never throws. @returns the sums that are there now, or `undefined` if it could not be done */
  async add(key: string, amounts: Sums, ttl: number): Promise<Sums | undefined> {
    let sums: Sums | undefined
    const add = async (): Promise<void> => void (sums = await this.#store.add?.(key, amounts, { ttl }))
    return (await this.#change({ doing: 'write', what: 'adding to sums in the store' }, add)) ? sums : undefined
  }

  /** Removes what is under `key`, and a write to it that still waits. Says whether it was done. Never throws. */
  delete(key: string): Promise<boolean> {
    return this.#change({ doing: 'delete', what: 'deleting from the store' }, async () => {
      this.#unready.cancel(key)
      await this.#queue.cancel(key)
      await this.#store.delete(key)
    })
  }

  /**
   * Takes or prolongs a lease. Never throws, and takes no longer than a read may.
   * @returns the token that holds it now, or `undefined` where the store has no leases or does not answer
   */
  async lease(key: string, token: string, ttl: number): Promise<string | undefined> {
    // If the store did not answer the last read, the same call must not wait for it a second time.
    if (this.#closing !== undefined || this.#store.lease === undefined || this.#reads.hasRecentFailure) return undefined
    let holder: unknown
    const taken = await this.#changes.try({ doing: 'write', what: 'taking a lease', deadline: this.#deadline, awaited: true }, async () => {
      holder = await this.#store.lease?.(key, token, { ttl })
    })
    return taken === true && typeof holder === 'string' ? holder : undefined
  }

  /** Gives a lease back, once nothing waits any more to be written under `after`. Returns at once and never throws. */
  release(key: string, token: string, after: string): void {
    void this.#changes.watched(this.#release(key, token, after))
  }

  async #release(key: string, token: string, after: string): Promise<void> {
    await this.#unready.ended(after)
    await this.#queue.written(after)
    // One that cannot be given back runs out.
    await this.#changes.try({ doing: 'delete', what: 'giving back a lease' }, async () => this.#store.release?.(key, token))
  }

  /** Resolves when all that was to be changed was passed to the store, or given up. */
  flush(): Promise<void> {
    return whileAwaited(this.#clock, 2 * closeDeadline, async () => {
      await this.#queue.settled()
      await this.#changes.settled()
      // Writes that had to wait for another change came into the queue meanwhile.
      await this.#queue.settled()
    })
  }

  /** Writes what waits, within a deadline, and closes what the store itself opened. Never throws; a second call does nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await inTime(this.#clock, { what: 'writing what waited', deadline: closeDeadline }, () => this.flush())
    } catch (error) {
      this.#queue.clear()
      this.#fault('write', error)
    }
    this.#isClosed = true
    try {
      await inTime(this.#clock, { what: 'closing the store', deadline: closeDeadline, awaited: true }, async () => this.#store.close?.())
    } catch (error) {
      this.#fault('write', error)
    }
  }

  async #writeBatch(writes: readonly StoreWrite[]): Promise<boolean> {
    if (writes.length === 0) return true
    const written = await this.#changes.try({ doing: 'write', what: 'writing to the store' }, async () => {
      if (this.#store.setMany !== undefined) await this.#store.setMany(writes)
      else for (const { key, value, ttl } of writes) await this.#store.set(key, value, { ttl })
    })
    if (written === undefined) for (const { key } of writes) this.#events.emit('drop', { key })
    return written === true
  }

  async #change(change: Change, work: () => Promise<void>): Promise<boolean> {
    return this.#closing === undefined && (await this.#changes.try({ awaited: true, ...change }, work)) === true
  }

  #fault(doing: Fault, error: unknown): void {
    this.#log.fault(doing === 'read' ? 'read' : 'write', error)
    if (doing === 'read') {
      this.#readFaults++
      this.#readFault = error
    }
    this.#events.emit('error', { doing, error })
  }

  #changed(side: 'read' | 'write', usable: boolean): void {
    if (side === 'read') this.#isReadable = usable
    this.#events.emit('state', { store: this.name, side, usable })
    this.#log.changed(side, usable)
  }
}

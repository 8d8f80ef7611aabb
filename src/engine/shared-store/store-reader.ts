/**
 * Reads of a store under one deadline, with a bound on how many run at a time and a breaker that stops them after failures.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import type { Clock } from '../../clock.ts'
import { DeadlineError, StoreError } from '../../errors.ts'
import type { ReadOptions, Store } from '../../store.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { inTime } from './deadline.ts'
import { Semaphore } from './semaphore.ts'

/** Reads that run at the same time. Further ones wait, within their own deadline. */
const concurrentReads = 64
/** Keys that one read asks for at the same time, if the store cannot be asked for several at once. */
const concurrentGets = 8

/** Values in the order of the keys they were asked for by. */
export type Values = readonly (Uint8Array | undefined)[]

/** What reads work with. */
export interface StoreReaderOptions {
  readonly store: Store
  readonly clock: Clock
  readonly breaker: CircuitBreaker
  /** Milliseconds that all reads of one call may take together. */
  readonly readDeadline: number
  /** Called with each failure. Must not throw. */
  readonly onFault: (error: unknown) => void
}

/** Reads a store in time or not at all. */
export class StoreReader {
  readonly #store: Store
  readonly #clock: Clock
  readonly #breaker: CircuitBreaker
  readonly #deadline: number
  readonly #onFault: (error: unknown) => void
  readonly #semaphore: Semaphore

  constructor({ store, clock, breaker, readDeadline, onFault }: StoreReaderOptions) {
    this.#store = store
    this.#clock = clock
    this.#breaker = breaker
    this.#deadline = readDeadline
    this.#onFault = onFault
    this.#semaphore = new Semaphore(concurrentReads, clock)
  }

  /** Milliseconds that are left to a call whose first read began at `begun`, by the monotonic clock. */
  left(begun: number): number {
    return Math.max(0, this.#deadline - (this.#clock.monotonic() - begun))
  }

  /**
   * The values under `keys`, in their order, or `undefined` if the store did not answer in time. Never throws.
   * @param latest those of the keys whose last written value the store must answer
   * @param begun when the call's first read began, if this is not the first
   */
  async read(keys: readonly string[], latest: ReadonlySet<string>, begun?: number): Promise<Values | undefined> {
    const from = begun ?? this.#clock.monotonic()
    const patience = begun === undefined ? this.#deadline : this.left(begun)
    // The call's earlier reads used up its time.
    if (patience <= 0) return undefined
    const acquired = this.#semaphore.acquire(patience)
    const isQueued = acquired !== true
    if (isQueued && !(await acquired)) {
      // Our own queue was too long. That is no fault of the store and must not open its breaker.
      this.#onFault(new DeadlineError('waiting to read the store', this.#deadline))
      return undefined
    }
    try {
      if (!this.#breaker.tryAcquire()) return undefined
      return await this.#readInTime(keys, latest, isQueued ? this.left(from) : patience)
    } finally {
      // Released even if the store never answers: that one read is lost, others need not be.
      this.#semaphore.release()
    }
  }

  async #readInTime(keys: readonly string[], latest: ReadonlySet<string>, deadline: number): Promise<Values | undefined> {
    const controller = new AbortController()
    const options = { signal: controller.signal, latest }
    try {
      const read = await inTime(this.#clock, { what: 'reading the store', deadline }, () => this.#get(keys, options))
      const values = this.#checked(read, keys.length)
      this.#breaker.succeeded()
      return values
    } catch (error) {
      controller.abort(error)
      // A store that had less than its full time has not failed.
      if (deadline < this.#deadline && error instanceof DeadlineError) this.#breaker.withdrawn()
      else this.#breaker.failed()
      this.#onFault(error)
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
    const entries = keys.entries()
    const work = async (): Promise<void> => {
      for (const [index, key] of entries) {
        // After the deadline the rest is not needed.
        options.signal?.throwIfAborted()
        values[index] = await this.#store.get(key, options)
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrentGets, keys.length) }, work))
    return values
  }

  /** Checks what a store of the user's own returned, which may be anything at run time. */
  #checked(values: unknown, length: number): Values {
    const { name } = this.#store
    if (!Array.isArray(values) || values.length !== length) throw new StoreError(`the store "${name}" did not answer ${length} values`)
    return values.map((value: unknown) => {
      if (value === undefined || value === null) return undefined
      if (isBytes(value)) return value
      throw new StoreError(`the store "${name}" answered something that is no Uint8Array`)
    })
  }
}

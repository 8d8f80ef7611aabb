/**
 * Reads of a store under one deadline, with a bound on how many run at a time and a breaker that stops them after failures.
 * @module
 */
import { isBytes } from '../../base/bytes.ts'
import { isThenable } from '../../base/thenable.ts'
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

/** Keys of one part of a large read. Parts that came in time count. DynamoDB answers so many in one request. */
const keysPerPart = 100
/** Parts that are read at the same time. */
const concurrentParts = 4
/** Keys that a read may have without more time than one of a single key. */
const keysWithinDeadline = 16
/** The share of the read deadline that each further key adds. */
const deadlinePerKey = 0.01

/** In place of a value that did not come in time. */
export const unread = Symbol('unread')

/** For reads whose keys need not have the latest value. */
export const noKeys: ReadonlySet<string> = new Set()

/** Values in the order of the keys they were asked for by. Those of the keys that need the latest value are never {@link unread}. */
export type Values = readonly (Uint8Array | typeof unread | undefined)[]

/** What a read of entries asks for besides them. */
export interface ReadDetails {
  /** Further keys, whose values follow. Of these the store must not answer an older value than the last one written. @default none */
  readonly latest?: readonly string[]
  /** Those of the entries of which that holds as well. @default none */
  readonly current?: readonly string[]
  /** When the call's first read began, by the monotonic clock: one deadline holds for all reads of a call. @default now */
  readonly begun?: number | undefined
}

/** What reads work with. */
export interface StoreReaderOptions {
  readonly store: Store
  readonly clock: Clock
  readonly breaker: CircuitBreaker
  /** Milliseconds that all reads of one call may take together. A read of many keys gets more. */
  readonly readDeadline: number
  /** Milliseconds that the first read may take, as it waits for the connection. */
  readonly firstReadDeadline: number
  /** Called with each failure. Must not throw. */
  readonly onFault: (error: unknown) => void
  /** Called after each read: for how many keys, when it began by the monotonic clock, and whether the store answered. Must not throw. */
  readonly onRead?: ReadListener
}

/** Called after each read of a store. */
export type ReadListener = (keys: number, begun: number, answered: boolean) => void

/** Reads a store in time or not at all. */
export class StoreReader {
  readonly #store: Store
  readonly #clock: Clock
  readonly #breaker: CircuitBreaker
  readonly #deadline: number
  readonly #firstDeadline: number
  readonly #onFault: (error: unknown) => void
  readonly #onRead: ReadListener | undefined
  readonly #semaphore: Semaphore
  /** The reads until one has ended: until when they may wait, and when the first one ended. */
  #first: { readonly until: number; endedAt: number } | undefined

  constructor({ store, clock, breaker, readDeadline, firstReadDeadline, onFault, onRead }: StoreReaderOptions) {
    this.#store = store
    this.#clock = clock
    this.#breaker = breaker
    this.#deadline = readDeadline
    this.#firstDeadline = firstReadDeadline
    this.#onFault = onFault
    this.#onRead = onRead
    this.#semaphore = new Semaphore(concurrentReads, clock)
  }

  /** Milliseconds that are left to a call whose first read began at `begun`, by the monotonic clock. */
  left(begun: number, now = this.#clock.monotonic()): number {
    const left = Math.max(0, this.#deadline - (now - begun))
    // A call that began before the connection was there may use the time that is left to wait for it.
    return this.#first !== undefined && begun < this.#first.endedAt ? Math.max(left, this.#first.until - now) : left
  }

  /** Milliseconds that a read of so many keys gets beyond the deadline: they take their time even where all is well. */
  extraTime(keys: number): number {
    return Math.max(0, keys - keysWithinDeadline) * deadlinePerKey * this.#deadline
  }

  /**
   * The values under `keys`, in their order, or `undefined` if the store did not answer in time. Never throws.
   * @param latest those of the keys whose last written value the store must answer
   * @param begun when the call's first read began, if this is not the first
   */
  async read(keys: readonly string[], latest: ReadonlySet<string>, begun?: number): Promise<Values | undefined> {
    const now = this.#clock.monotonic()
    const from = begun ?? now
    this.#first ??= { until: now + this.#firstDeadline, endedAt: Infinity }
    const extra = this.extraTime(keys.length)
    // A first read has the whole deadline, not a little less: only then is a late store a failed one.
    const patience = (begun === undefined ? this.left(from, from) : this.left(from)) + extra
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
      if (isQueued) return await this.#readInTime(keys, latest, { deadline: this.left(from) + extra, begun: this.#clock.monotonic() })
      return await this.#readInTime(keys, latest, { deadline: patience, begun: now })
    } finally {
      if (this.#first.endedAt === Infinity) this.#first.endedAt = this.#clock.monotonic()
      // Released even if the store never answers: that one read is lost, others need not be.
      this.#semaphore.release()
    }
  }

  async #readInTime(
    keys: readonly string[],
    latest: ReadonlySet<string>,
    { deadline, begun }: { readonly deadline: number; readonly begun: number },
  ): Promise<Values | undefined> {
    const abandonment = new Abandonment()
    const options = optionsOf(abandonment, latest)
    const parts = keys.length > keysPerPart + latest.size ? new PartialRead(keys, latest) : undefined
    try {
      const values = await inTime(this.#clock, { what: 'reading the store', deadline, awaited: true }, () =>
        parts === undefined ? this.#get(keys, options) : this.#readParts(parts, options),
      )
      this.#breaker.succeeded()
      this.#onRead?.(keys.length, begun, true)
      return values
    } catch (error) {
      abandonment.abort(error)
      this.#onRead?.(keys.length, begun, false)
      const isLate = error instanceof DeadlineError
      const isPartly = isLate && parts?.hasLatest === true
      if (isPartly) this.#breaker.succeeded()
      // A store that had less than its full time has not failed.
      else if (isLate && deadline < this.#deadline) this.#breaker.withdrawn()
      else this.#breaker.failed()
      this.#onFault(error)
      return isPartly ? [...parts.values] : undefined
    }
  }

  async #readParts(parts: PartialRead, options: ReadOptions): Promise<Values> {
    const work = async (): Promise<void> => {
      for (let part = parts.next(); part !== undefined; part = parts.next()) {
        options.signal?.throwIfAborted()
        part.take(await this.#get(part.keys, options))
      }
    }
    // A store without getMany is asked for some keys of one part at a time.
    await Promise.all(Array.from({ length: this.#store.getMany === undefined ? 1 : concurrentParts }, work))
    return parts.values
  }

  /** What the store has under these keys. At once, if the store answers at once. */
  #get(keys: readonly string[], options: ReadOptions): Values | PromiseLike<Values> {
    const [key] = keys
    if (keys.length === 1 && key !== undefined) {
      const value: unknown = this.#store.get(key, options)
      return isThenable(value) ? value.then((found) => [this.#checkedValue(found)]) : [this.#checkedValue(value)]
    }
    const values: unknown = this.#store.getMany === undefined ? this.#getEach(keys, options) : this.#store.getMany(keys, options)
    return isThenable(values) ? values.then((found) => this.#checked(found, keys.length)) : this.#checked(values, keys.length)
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
    return values.map((value: unknown) => this.#checkedValue(value))
  }

  #checkedValue(value: unknown): Uint8Array | undefined {
    return value === undefined || value === null ? undefined : bytesOf(value, this.#store.name)
  }
}

/**
 * Checks bytes that a store of the user's own returned, which may be anything at run time.
 * @throws {StoreError} for anything else
 */
export function bytesOf(value: unknown, store: string): Uint8Array {
  if (isBytes(value)) return value
  throw new StoreError(`the store "${store}" answered something that is no Uint8Array`)
}

/** The end of a read that no caller waits for any more. Its signal is made only for a store that looks at it. */
class Abandonment {
  #controller: AbortController | undefined
  #reason: { readonly error: unknown } | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error)
    }
    return this.#controller.signal
  }

  abort(error: unknown): void {
    this.#reason = { error }
    this.#controller?.abort(error)
  }
}

/** The options of a read. The signal is a member of its own, so that a store may copy them. */
function optionsOf(abandonment: Abandonment, latest: ReadonlySet<string>): ReadOptions {
  return {
    latest,
    get signal() {
      return abandonment.signal
    },
  }
}

/** A part of a read. */
interface Part {
  readonly keys: readonly string[]
  take(values: Values): void
}

/** A read of many keys in parts. The first part has the keys that need the latest value, without which the others are of no use. */
class PartialRead {
  readonly values: Values[number][]
  readonly #keys: readonly string[]
  readonly #parts: readonly (readonly number[])[]
  #next = 0
  #hasLatest = false

  constructor(keys: readonly string[], latest: ReadonlySet<string>) {
    this.#keys = keys
    this.values = keys.map(() => unread)
    const first: number[] = []
    const others: number[] = []
    keys.forEach((key, index) => (latest.has(key) ? first : others).push(index))
    first.push(...others.splice(0, keysPerPart))
    const count = Math.ceil(others.length / keysPerPart)
    this.#parts = [first, ...Array.from({ length: count }, (_, index) => others.slice(index * keysPerPart, (index + 1) * keysPerPart))]
  }

  /** Whether the first part has come. */
  get hasLatest(): boolean {
    return this.#hasLatest
  }

  /** The next part to be read. */
  next(): Part | undefined {
    const number = this.#next++
    const indices = this.#parts[number]
    if (indices === undefined) return undefined
    return {
      keys: indices.map((index) => this.#keys[index] ?? ''),
      take: (values) => {
        indices.forEach((index, at) => (this.values[index] = values[at]))
        if (number === 0) this.#hasLatest = true
      },
    }
  }
}

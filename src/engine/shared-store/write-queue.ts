/**
 * Writes in the background: a bounded queue that batches, drops the oldest write when it is full, and can be waited for.
 * @module
 */
import { soon } from '../../base/runtime.ts'
import type { StoreWrite } from '../../store.ts'

/** A write whose bytes are made when its turn comes, so that the caller does not wait for the encoding either. */
export interface PendingWrite {
  readonly key: string
  /** The body's size, as a measure of what waits. */
  readonly bytes: number
  /** Makes the bytes. */
  make(): StoreWrite
  /** Whether the value's time is over. It is written even so, as it must take the place of what is older. */
  isOver(): boolean
  /** Called once it is known whether the store took it. Not called if a newer write took its place, or its key was deleted. */
  settled?(written: boolean): void
}

/** Bounds of the queue. */
export interface WriteQueueBounds {
  readonly maxWrites: number
  readonly maxBytes: number
  /** How many writes the store gets at once. */
  readonly batchSize: number
}

/** Where a queue passes its writes. */
export interface WriteQueueOutputs {
  /** Hands a batch to the store, and says whether the store took it. Never rejects. */
  readonly write: (writes: readonly StoreWrite[]) => Promise<boolean>
  /** Called with the key of each write that was given up because too many were waiting. */
  readonly dropped: (key: string) => void
  /** Called with the error of each write whose bytes could not be made. */
  readonly failed: (error: unknown) => void
}

/** A write whose turn has come. */
interface Taken {
  readonly pending: PendingWrite
  readonly write: StoreWrite
}

/** What will lie under a write's key once it is done; `undefined` if its bytes cannot be made. */
export function willBe(write: PendingWrite): { readonly value: Uint8Array | undefined } | undefined {
  if (write.isOver()) return { value: undefined }
  try {
    return { value: write.make().value }
  } catch {
    // Reported when its turn comes.
    return undefined
  }
}

/** A bounded queue of writes. */
export class WriteQueue {
  readonly #bounds: WriteQueueBounds
  readonly #write: (writes: readonly StoreWrite[]) => Promise<boolean>
  readonly #dropped: (key: string) => void
  readonly #failed: (error: unknown) => void
  readonly #waiting = new Map<string, PendingWrite>()
  #bytes = 0
  #working: Promise<void> | undefined
  /** Settles when the work begins. */
  #started: Promise<void> = Promise.resolve()
  /** Begins the work now. */
  #start: () => void = () => {}
  /** What is being written just now. */
  #batch: { readonly writes: readonly Taken[]; readonly written: Promise<boolean> } | undefined

  constructor(bounds: WriteQueueBounds, { write, dropped, failed }: WriteQueueOutputs) {
    this.#bounds = bounds
    this.#write = write
    this.#dropped = dropped
    this.#failed = failed
  }

  /** Whether nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#batch === undefined
  }

  /** Queues a write in place of an earlier one to the same key, and returns at once. */
  push(write: PendingWrite): void {
    this.#remove(write.key)
    this.#waiting.set(write.key, write)
    this.#bytes += write.bytes
    for (const key of this.#waiting.keys()) {
      if (this.#waiting.size <= this.#bounds.maxWrites && this.#bytes <= this.#bounds.maxBytes) break
      this.#drop(key)
    }
    this.#working ??= this.#work()
  }

  /**
   * What will lie under `key` once everything is written: a value, or nothing as its time is over.
   * @returns `undefined` when no write to this key waits or is under way
   */
  peek(key: string): { readonly value: Uint8Array | undefined } | undefined {
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) return willBe(waiting)
    const taken = this.#taken(key)
    return taken && (taken.pending.isOver() ? { value: undefined } : { value: taken.write.value })
  }

  /** Gives up a write that waits, if there is one. Resolves when no earlier write to this key is under way any more. */
  async cancel(key: string): Promise<void> {
    this.#remove(key)
    if (this.#taken(key) !== undefined) await this.#batch?.written
  }

  /** Resolves when no write to `key` waits or is under way. */
  async written(key: string): Promise<void> {
    while (this.#waiting.has(key) || this.#taken(key) !== undefined) {
      await (this.#batch?.written ?? this.#started)
    }
  }

  /** Gives up everything that waits. */
  clear(): void {
    for (const key of this.#waiting.keys()) this.#drop(key)
  }

  /** Resolves when nothing waits any more. Begins at once, as a timer of the runtime may be a fake one, which never fires. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) {
      this.#start()
      await this.#working
    }
  }

  #drop(key: string): void {
    const write = this.#waiting.get(key)
    this.#remove(key)
    this.#dropped(key)
    write?.settled?.(false)
  }

  #remove(key: string): void {
    const write = this.#waiting.get(key)
    if (write === undefined) return
    this.#waiting.delete(key)
    this.#bytes -= write.bytes
  }

  async #work(): Promise<void> {
    // The caller's own continuation comes first.
    this.#started = new Promise((resolve) => {
      this.#start = resolve
      soon(resolve)
    })
    await this.#started
    while (this.#waiting.size > 0) {
      const writes = this.#take()
      const written = this.#write(writes.map(({ write }) => write))
      this.#batch = { writes, written }
      const done = await written
      this.#batch = undefined
      for (const { pending } of writes) pending.settled?.(done)
    }
    this.#working = undefined
  }

  #take(): Taken[] {
    const batch: Taken[] = []
    for (const [key, pending] of this.#waiting) {
      if (batch.length >= this.#bounds.batchSize) break
      this.#remove(key)
      try {
        batch.push({ pending, write: pending.make() })
      } catch (error) {
        this.#failed(error)
        pending.settled?.(false)
      }
    }
    return batch
  }

  #taken(key: string): Taken | undefined {
    return this.#batch?.writes.find(({ pending }) => pending.key === key)
  }
}

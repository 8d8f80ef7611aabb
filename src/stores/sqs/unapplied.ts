/**
 * Changes that are on their way through the queue, so that a process sees its own before they are applied. Nothing says when that is, so
 * each is remembered for a while.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { BoundedMemory } from '../../memory/bounded-memory.ts'
import type { ReadOptions, StoreWrite } from '../../store.ts'

/** A change on its way; without a value it is a removal. */
interface Unapplied {
  readonly value?: Uint8Array
}

/** What this process changed a short while ago. */
export class UnappliedChanges {
  readonly #memory: BoundedMemory<Unapplied>
  readonly #lag: number

  /** @param lag milliseconds for which a change is remembered */
  constructor(clock: Clock, { lag, maxBytes }: { readonly lag: number; readonly maxBytes: number }) {
    this.#memory = new BoundedMemory({ maxBytes, clock })
    this.#lag = lag
  }

  /** Remembers a value that is on its way. */
  wrote({ key, value, ttl }: StoreWrite): void {
    this.#memory.set(key, { value: new Uint8Array(value) }, { bytes: value.byteLength, ttl: Math.min(ttl, this.#lag) })
  }

  /** Remembers a removal that is on its way. */
  removed(key: string): void {
    this.#memory.set(key, {}, { bytes: 0, ttl: this.#lag })
  }

  /** There is nothing on its way any more. */
  forget(key: string): void {
    this.#memory.delete(key)
  }

  /**
   * What a read answers of a key.
   * @param found what lies in the store. Of keys whose latest value is needed it goes first, as another process may have changed them since
   */
  seen(key: string, found: Uint8Array | undefined, { latest }: ReadOptions): Uint8Array | undefined {
    const own = this.#memory.get(key)
    if (own === undefined || (found !== undefined && own.value !== undefined && latest?.has(key) === true)) return found
    return own.value && new Uint8Array(own.value)
  }
}

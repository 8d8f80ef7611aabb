/**
 * The hot tier: copies of entries in memory, within a bound of bytes.
 * @module
 */
import { utf8Length } from '../../base/text-bytes.ts'
import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { EventEmitter } from '../../events.ts'
import { BoundedMemory } from '../../memory/bounded-memory.ts'
import { everything } from '../invalidation/labels.ts'
import { type HotCopy, isDue } from './hot-copy.ts'

/** How much memory holds, and for how long without asking the store. */
export interface HotTierOptions {
  readonly clock: Clock
  /** Bytes; 0 for no memory at all. */
  readonly maxBytes: number
  /** Entries, whatever their size. @default as many as there is room for */
  readonly maxEntries?: number
  /** Milliseconds for which a copy is served without asking the store. */
  readonly maxTtl: number
  /** Told of each entry that had to make room, and how long each read took. */
  readonly events: EventEmitter
}

/** Of so many reads one is timed: to look at the clock takes longer than to look into memory. */
const readsPerEvent = 16

/** Copies of entries in memory. */
export class HotTier {
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #maxTtl: number
  readonly #events: EventEmitter
  readonly #memory: BoundedMemory<HotCopy> | undefined
  /** Copies that were compared with the store by then must be compared again. */
  #revalidateBefore = -Infinity
  #puts = 0
  /** Reads since something listens to them. */
  #untold = 0

  constructor({ clock, maxBytes, maxEntries, maxTtl, events }: HotTierOptions) {
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#maxTtl = maxTtl
    this.#events = events
    const onEvict = (_: string, { entry }: HotCopy): void => events.emit('evict', { key: entry.head.key })
    if (maxBytes > 0) this.#memory = new BoundedMemory<HotCopy>({ maxBytes, maxEntries, clock, onEvict })
    // Nothing that is held is of use any more, and it may be private.
    events.on('invalidate', ({ label }) => {
      if (label === everything) this.#memory?.clear()
    })
  }

  /** How many copies were put here until now. */
  get puts(): number {
    return this.#puts
  }

  /** The copy at `storeKey`, which counts as used now. @param now the monotonic time, if the caller has just asked the clock */
  get(storeKey: string, now?: number): HotCopy | undefined {
    if (!this.#events.isHeard('read') || this.#untold++ % readsPerEvent !== 0) return this.#memory?.get(storeKey, now)
    const reads = this.#untold === 1 ? 1 : readsPerEvent
    const begun = this.#clock.monotonic()
    const held = this.#memory?.get(storeKey)
    const milliseconds = this.#clock.monotonic() - begun
    this.#events.emit('read', { source: 'memory', keys: 1, reads, milliseconds, answered: true })
    return held
  }

  /** The copy at `storeKey`. Does not count as a use. */
  peek(storeKey: string): HotCopy | undefined {
    return this.#memory?.peek(storeKey)
  }

  /** Keeps a copy. @returns whether there was room for it */
  put(storeKey: string, held: HotCopy): boolean {
    const { head } = held.entry
    this.#puts++
    return (
      this.#memory?.set(storeKey, held, { bytes: sizeOf(held.entry), ttl: head.ttl + head.stale - held.ageThen, owner: head.scope }) ===
      true
    )
  }

  /** Drops the copy at `storeKey`. */
  delete(storeKey: string): void {
    this.#memory?.delete(storeKey)
  }

  /** Whether the store is to be asked before this copy is served. */
  isDue(held: HotCopy, now = this.#clock.monotonic()): boolean {
    return isDue(held, { now, maxTtl: this.#maxTtl, revalidateBefore: this.#revalidateBefore })
  }

  /** Every copy must be compared with the store before it is served again. */
  mustRevalidate(): void {
    this.#revalidateBefore = this.#clock.monotonic()
  }

  /** The keys of all copies. */
  keys(): string[] {
    return this.#memory?.keys() ?? []
  }

  /** Bytes and entries now, and the bound of the bytes. */
  size(): { readonly bytes: number; readonly entries: number; readonly maxBytes: number } {
    return { bytes: this.#memory?.bytes ?? 0, entries: this.#memory?.count ?? 0, maxBytes: this.#maxBytes }
  }
}

/** What an entry takes in memory, estimated to the high side. */
export function sizeOf({ head, body }: Entry): number {
  // Texts beyond ASCII may take two bytes a character; a head takes about a kilobyte with its objects.
  const bytes = typeof body === 'string' ? (utf8Length(body) === body.length ? body.length : 2 * body.length) : body.byteLength
  const names = 2 * (head.scope.length + head.operation.length + head.model.length)
  const texts = [...head.tags, ...Object.keys(head.generations)]
  return texts.reduce((sum, text) => sum + 2 * text.length + 50, bytes + names + 1_000)
}

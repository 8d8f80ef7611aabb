/**
 * The hot tier: copies of entries in memory, within a bound of bytes.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import { BoundedMemory } from '../../memory/bounded-memory.ts'
import { type HotCopy, isDue } from './hot-copy.ts'

/** How much memory holds, and for how long unasked. */
export interface HotTierOptions {
  readonly clock: Clock
  /** Bytes; 0 for no memory at all. */
  readonly maxBytes: number
  /** Milliseconds for which a copy is served without asking the store. */
  readonly maxTtl: number
  /** Told of the key of each entry that had to make room. */
  readonly onEvict: (key: string) => void
}

/** Copies of entries in memory. */
export class HotTier {
  readonly #clock: Clock
  readonly #maxTtl: number
  readonly #memory: BoundedMemory<HotCopy> | undefined
  /** What was last known to be in the store by then may be there no more. */
  #revalidateBefore = -Infinity
  #puts = 0

  constructor({ clock, maxBytes, maxTtl, onEvict }: HotTierOptions) {
    this.#clock = clock
    this.#maxTtl = maxTtl
    if (maxBytes > 0) this.#memory = new BoundedMemory<HotCopy>({ maxBytes, clock, onEvict: (_, { entry }) => onEvict(entry.head.key) })
  }

  /** How many copies were put here until now. */
  get puts(): number {
    return this.#puts
  }

  /** The copy at `storeKey`, which counts as used now. */
  get(storeKey: string): HotCopy | undefined {
    return this.#memory?.get(storeKey)
  }

  /** The copy at `storeKey`, for one who only looks. */
  peek(storeKey: string): HotCopy | undefined {
    return this.#memory?.peek(storeKey)
  }

  /** Takes a copy in. */
  put(storeKey: string, held: HotCopy): void {
    const { head } = held.entry
    this.#puts++
    this.#memory?.set(storeKey, held, { bytes: sizeOf(held.entry), ttl: head.ttl + head.stale - held.ageThen, owner: head.scope })
  }

  /** Lets the copy at `storeKey` go. */
  delete(storeKey: string): void {
    this.#memory?.delete(storeKey)
  }

  /** Whether the store is to be asked before this copy is served. */
  isDue(held: HotCopy): boolean {
    return isDue(held, this.#clock.monotonic(), this.#maxTtl, this.#revalidateBefore)
  }

  /** Has every copy compared with the store before it is served again. */
  mustRevalidate(): void {
    this.#revalidateBefore = this.#clock.monotonic()
  }

  /** The places of which there are copies. */
  keys(): string[] {
    return this.#memory?.keys() ?? []
  }

  /** Bytes and entries now. */
  size(): { readonly bytes: number; readonly entries: number } {
    return { bytes: this.#memory?.bytes ?? 0, entries: this.#memory?.count ?? 0 }
  }
}

/** What an entry takes in memory, estimated to the high side. */
export function sizeOf({ head, body }: Entry): number {
  // Texts beyond ASCII may take two bytes a character; a head takes about a kilobyte with its objects.
  const bytes = typeof body === 'string' ? (Buffer.byteLength(body) === body.length ? body.length : 2 * body.length) : body.byteLength
  const texts = [...head.tags, ...Object.keys(head.generations)]
  return texts.reduce((sum, text) => sum + 2 * text.length + 50, bytes + 1_000)
}

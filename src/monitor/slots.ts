/**
 * A ring of slots of time: what is older than the retention is let go, a slot at a time.
 * @module
 */
import type { Clock } from '../clock.ts'

/** Slots of one length. */
export interface SlotOptions<Content> {
  readonly clock: Clock
  /** Milliseconds that one slot covers. */
  readonly length: number
  /** Milliseconds for which a slot is kept after its end. */
  readonly retention: number
  /** Makes the content of a new slot. */
  readonly empty: () => Content
}

/** One slot: what happened from `start` on, in milliseconds since the epoch. */
export interface Slot<Content> {
  readonly start: number
  readonly content: Content
}

/** The slots of the retention, the newest last. A time without events has none. */
export class Slots<Content> {
  readonly #options: SlotOptions<Content>
  #slots: (Slot<Content> & { readonly begun: number })[] = []
  /** The content of the slot of now, until its time is over. */
  #recent: Content | undefined
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: SlotOptions<Content>) {
    this.#options = options
  }

  /** The content of the slot of now, by a timer: to ask the clock takes as long as all else that is done for a hit. */
  get recent(): Content {
    return this.#recent ?? this.current
  }

  /** The content of the slot of now. */
  get current(): Content {
    const { clock, length, empty } = this.#options
    // By the clock that never goes back: a wall clock that is put right must not lose a slot.
    const now = clock.monotonic()
    const last = this.#slots.at(-1)
    if (last !== undefined && now - last.begun < length) return (this.#recent = last.content)
    const begun = now - (now % length)
    const slot = { begun, start: clock.now() - (now - begun), content: empty() }
    this.#drop(now)
    this.#slots.push(slot)
    this.#cancel?.()
    if (!this.#isClosed) this.#cancel = clock.after(begun + length - now, () => (this.#recent = undefined))
    return (this.#recent = slot.content)
  }

  /** Ends the timer. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  /** The slots that hold anything of the last `milliseconds`. */
  within(milliseconds: number): readonly Slot<Content>[] {
    const { clock, length } = this.#options
    const now = clock.monotonic()
    this.#drop(now)
    return this.#slots.filter(({ begun }) => begun + length > now - milliseconds)
  }

  #drop(now: number): void {
    const { length, retention } = this.#options
    this.#slots = this.#slots.filter(({ begun }) => begun + length > now - retention)
  }
}

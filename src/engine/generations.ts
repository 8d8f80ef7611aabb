/**
 * Invalidation in constant time: each label (a tag, an operation, a model, a scope, everything) has a generation, and an entry is good only
 * while the generations of all its labels are those of the time when its fill began. To invalidate a label is to give it a new one.
 * Comparing generations rather than times makes clocks that disagree harmless.
 * @module
 */
import type { Clock } from '../clock.ts'

/** Labels to generations; `''` for a label that was never invalidated. */
export type Marks = Readonly<Record<string, string>>

/** Labels that are remembered at the most. Beyond that everything is invalidated once, which is safe, and the rest forgotten. */
const most = 50_000

interface Known {
  generation: string
  /** When it was last compared with the store, by the monotonic clock. */
  checkedAt: number
  /** The turn in which this process saw it change; 0 for never. */
  changedIn: number
}

/** The label that every entry of a namespace has. */
export const everything = 'all'

/** What this process knows of the generations. */
export class Generations {
  readonly #known = new Map<string, Known>()
  readonly #clock: Clock
  readonly #shared: boolean
  readonly #delay: number
  #turn = 0

  /**
   * @param shared whether other processes may invalidate as well, through the store
   * @param delay milliseconds for which a generation read from the store is good
   */
  constructor(clock: Clock, shared: boolean, delay: number) {
    this.#clock = clock
    this.#shared = shared
    this.#delay = delay
  }

  /** A number that grows with each change that this process sees. */
  get turn(): number {
    return this.#turn
  }

  /** Those of `labels` whose generations must be read from the store before they are relied on. */
  outdated(labels: readonly string[]): string[] {
    if (!this.#shared) return []
    const since = this.#clock.monotonic() - this.#delay
    return labels.filter((label) => {
      const known = this.#known.get(label)
      return known === undefined || known.checkedAt < since
    })
  }

  /** Takes note of a generation: read from the store, or made here. `undefined` means that the label has none. */
  learn(label: string, generation: string | undefined): void {
    const known = this.#known.get(label)
    const current = generation ?? ''
    const changed = known !== undefined && known.generation !== current
    if (changed) this.#turn++
    this.#known.delete(label)
    this.#known.set(label, {
      generation: current,
      checkedAt: this.#clock.monotonic(),
      changedIn: changed ? this.#turn : (known?.changedIn ?? 0),
    })
    if (this.#known.size > most) this.#forget()
  }

  /** The new generation of a label that is invalidated by this process. */
  advance(label: string, generation: string): void {
    if (!this.#known.has(label)) this.learn(label, undefined)
    this.learn(label, generation)
  }

  /** The generations in force. */
  marks(labels: readonly string[]): Marks {
    return Object.fromEntries(labels.map((label) => [label, this.#current(label)]))
  }

  /** Whether an entry that was filled under `marks` is still good. */
  agree(marks: Marks): boolean {
    for (const label in marks) if (this.#current(label) !== marks[label]) return false
    return true
  }

  /** Whether this process saw any of `labels` change after `turn`. */
  changedSince(labels: readonly string[], turn: number): boolean {
    return this.#turn > turn && labels.some((label) => (this.#known.get(label)?.changedIn ?? 0) > turn)
  }

  #current(label: string): string {
    return this.#known.get(label)?.generation ?? ''
  }

  #forget(): void {
    const all = this.#known.get(everything)
    if (this.#shared) {
      // The store still knows them; they are read again when they are needed.
      for (const label of this.#known.keys()) {
        if (this.#known.size <= most / 2) break
        if (label !== everything) this.#known.delete(label)
      }
      return
    }
    this.#known.clear()
    this.#turn++
    this.#known.set(everything, { generation: `${all?.generation ?? ''}+`, checkedAt: this.#clock.monotonic(), changedIn: this.#turn })
  }
}

/**
 * Invalidation in constant time: each label (a tag, an operation, a model, a scope, everything) has a generation, and an entry is good only
 * while the generations of all its labels are those of the time when its fill began. To invalidate a label is to give it a new one.
 * Comparing generations rather than times makes clocks that disagree harmless.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { everything } from './labels.ts'

/** Labels to generations; `''` for a label that was never invalidated. */
export type GenerationByLabel = Readonly<Record<string, string>>

/** What was in force when a fill began, to be compared with when its answer arrives. */
export interface GenerationSnapshot {
  readonly sequence: number
  readonly generations: GenerationByLabel
}

/** How many labels are remembered. Beyond that, everything is invalidated once, which is safe, and the rest is forgotten. */
const maxLabels = 50_000

/** What was the case when a reading of the store began: what it brings is no newer than that. */
export interface Reading {
  readonly sequence: number
  /** By the monotonic clock. */
  readonly at: number
}

interface Known {
  readonly generation: string
  /** The generation that another process says there is, until that is read from the store. */
  readonly heard?: string
  /** When the reading began by which it was last compared with the store, by the monotonic clock. */
  readonly checkedAt: number
  /** The sequence in which this process saw it change; 0 for never. */
  readonly changedIn: number
  /** The sequence from which on the store can know of it: what was read earlier is older than this. */
  readonly believedFrom: number
  /** What the store had before. */
  readonly replaced: string | undefined
}

/** What is known of a label beside its new generation. */
interface Noted {
  /** What was known before. */
  readonly known: Known | undefined
  /** When the store was read, by the monotonic clock. @default now */
  readonly checkedAt?: number
  /** What the store had before. @default what was known of that */
  readonly replaced?: string | undefined
}

/** A write of an invalidation to the store. */
export interface Publication {
  /** The generation that the invalidation was made with. */
  readonly generation: string
  /** The generation that was written. */
  readonly written: string
  /** The moment when the write began: other processes may have written another generation since. */
  readonly writing: Reading
}

/** An invalidation that the store does not know of yet. */
interface Unpublished {
  readonly generation: string
  /** What the store had in its place, when that was last read; `undefined` where it was not. */
  readonly stored: string | undefined
}

/** What this process knows of the generations. */
export class Generations {
  readonly #known = new Map<string, Known>()
  /** Labels that this process invalidated and the store does not know of yet. */
  readonly #unpublished = new Map<string, Unpublished>()
  readonly #clock: Clock
  readonly #shared: boolean
  readonly #delay: number
  #sequence = 0

  /**
   * @param shared whether other processes may invalidate as well, through the store
   * @param delay milliseconds for which a generation read from the store is good
   */
  constructor(clock: Clock, shared: boolean, delay: number) {
    this.#clock = clock
    this.#shared = shared
    this.#delay = delay
  }

  /** What is the case now, for a reading of the store that begins. */
  read(): Reading {
    return { sequence: this.#sequence, at: this.#clock.monotonic() }
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

  /**
   * Takes note of a generation that was read from the store; `undefined` means that the label has none there.
   * @param reading the moment when it began: what this process itself did since then, or learnt by a later one, is not undone by it
   */
  learn(label: string, generation = '', { sequence, at }: Reading): void {
    const known = this.#known.get(label)
    if (sequence < (known?.believedFrom ?? 0) || at < (known?.checkedAt ?? 0)) return
    const own = this.#unpublished.get(label)
    // A store that lost one generation may have lost others, which cannot be known. What was outdated must not become good again.
    const isLost = generation === '' && known !== undefined && known.generation !== ''
    // A client that lost its connection sends a write again which was done already, and by now another one has been.
    const isBack = generation !== '' && generation === known?.replaced
    const replaced = generation === known?.generation ? known.replaced : known?.generation
    if (own === undefined && !isLost && !isBack) this.#note(label, generation, { known, checkedAt: at, replaced })
    // Another process invalidated the label after this one did, or may have.
    else if (own?.stored !== generation) this.advance(label, crypto.randomUUID(), generation)
    else if (known !== undefined) this.#known.set(label, { ...known, checkedAt: at })
  }

  /**
   * Another process says that it invalidated `label`. That holds at once, until the label is read from the store, which is done before it is
   * relied on again: messages may be out of order, or come from another program.
   */
  onDeclared(label: string, generation: string): void {
    const known = this.#known.get(label) ?? { generation: '', replaced: undefined }
    if (known.generation === generation) return
    const sequence = ++this.#sequence
    // What is being read just now may be older.
    this.#known.set(label, { ...known, heard: generation, changedIn: sequence, checkedAt: -Infinity, believedFrom: sequence })
    if (this.#known.size > maxLabels) this.#forget()
  }

  /** Messages of other processes may have been lost: every label is read from the store before it is relied on again. */
  mustRevalidate(): void {
    const believedFrom = ++this.#sequence
    for (const [label, known] of this.#known) this.#known.set(label, { ...known, checkedAt: -Infinity, believedFrom })
  }

  /**
   * The new generation of a label that is invalidated by this process. If there is a store, it holds until the store knows it.
   * @param stored what the store has in its place
   */
  advance(label: string, generation: string, stored = this.#stored(label)): void {
    const known = this.#known.get(label)
    this.#note(label, generation, { known: known ?? { generation: '', checkedAt: 0, changedIn: 0, believedFrom: 0, replaced: undefined } })
    if (!this.#shared) return
    this.#unpublished.set(label, { generation, stored })
    if (this.#unpublished.size <= maxLabels / 2) return
    this.#unpublished.clear()
    this.advance(everything, generation)
  }

  /**
   * The store knows of the invalidation that `generation` was made for. From now on `written` holds, which is another generation: other
   * processes may have invalidated the label since, and what was filled under `generation` must not become good again by a late write.
   */
  published(label: string, { generation, written, writing: { at } }: Publication): void {
    const known = this.#known.get(label)
    const own = this.#unpublished.get(label)
    if (own?.generation !== generation || known === undefined) return
    this.#unpublished.delete(label)
    this.#note(label, written, { known: { ...known, believedFrom: ++this.#sequence }, checkedAt: at, replaced: own.stored })
  }

  /** Those of `labels` that the store does not know of yet, with their generations. */
  unpublished(labels: readonly string[]): (readonly [label: string, generation: string])[] {
    if (this.#unpublished.size === 0) return []
    return labels.flatMap((label) => {
      const own = this.#unpublished.get(label)
      return own === undefined ? [] : [[label, own.generation] as const]
    })
  }

  /** What is in force. */
  snapshot(labels: readonly string[]): GenerationSnapshot {
    return { sequence: this.#sequence, generations: Object.fromEntries(labels.map((label) => [label, this.#current(label)])) }
  }

  /** Whether an entry that was filled under `generations` is still good. */
  matches(generations: GenerationByLabel): boolean {
    return Object.entries(generations).every(([label, generation]) => this.#current(label) === generation)
  }

  /** Whether all of `labels` have been read, so that having no generation means something. */
  knows(labels: readonly string[]): boolean {
    return !this.#shared || labels.every((label) => this.#known.has(label))
  }

  /** Whether this process saw any of `labels` change after `sequence`. */
  haveChangedSince(labels: readonly string[], sequence: number): boolean {
    return this.#sequence > sequence && labels.some((label) => (this.#known.get(label)?.changedIn ?? 0) > sequence)
  }

  #note(label: string, generation: string, { known, checkedAt = this.#clock.monotonic(), replaced = known?.replaced }: Noted): void {
    const changed = known !== undefined && known.generation !== generation
    if (changed) this.#sequence++
    this.#known.delete(label)
    this.#known.set(label, {
      generation,
      checkedAt,
      changedIn: changed ? this.#sequence : (known?.changedIn ?? 0),
      believedFrom: known?.believedFrom ?? 0,
      replaced,
    })
    if (this.#known.size > maxLabels) this.#forget()
  }

  /** What the store had for this label when it was last read. */
  #stored(label: string): string | undefined {
    const own = this.#unpublished.get(label)
    return own === undefined ? this.#known.get(label)?.generation : own.stored
  }

  #current(label: string): string {
    const known = this.#known.get(label)
    return known?.heard ?? known?.generation ?? ''
  }

  #forget(): void {
    const all = this.#known.get(everything)
    if (this.#shared) {
      // The store still knows them; they are read again when they are needed.
      for (const label of this.#known.keys()) {
        if (this.#known.size <= maxLabels / 2) break
        if (label !== everything && !this.#unpublished.has(label)) this.#known.delete(label)
      }
      return
    }
    this.#known.clear()
    this.#sequence++
    const generation = `${all?.generation ?? ''}+`
    this.#known.set(everything, {
      generation,
      checkedAt: this.#clock.monotonic(),
      changedIn: this.#sequence,
      believedFrom: 0,
      replaced: undefined,
    })
  }
}

/**
 * The labels of which a process knows something: a bounded table.
 * @module
 */
import { RecentMap } from '../../base/recent-map.ts'
import type { GenerationByLabel } from './generation.ts'
import type { KnownLabel } from './known-label.ts'
import { removals } from './labels.ts'

/** How many labels are remembered. Beyond that the oldest are forgotten. */
export const maxLabels = 50_000
/** How many labels are looked at to find one that can be forgotten. With a slow store, all of them may be under way. */
const maxLooks = 100

/** What is known of labels. */
export class LabelTable {
  /** The label that was noted longest ago first. */
  #known = new RecentMap<KnownLabel>()
  readonly #mustKeep: (label: string, known: KnownLabel) => boolean

  /** @param mustKeep whether a label must not be forgotten */
  constructor(mustKeep: (label: string, known: KnownLabel) => boolean) {
    this.#mustKeep = mustKeep
  }

  /** Whether there are too many. */
  get isFull(): boolean {
    return this.#known.size > maxLabels
  }

  /** What is known of `label`. */
  get(label: string): KnownLabel | undefined {
    return this.#known.get(label)
  }

  /** Notes what is known of `label`. */
  set(label: string, known: KnownLabel): void {
    this.#known.set(label, known)
  }

  /** Whether the store has these generations, as far as this process knows. If not, an entry with them is of no use there. */
  areStored(generations: GenerationByLabel): boolean {
    return Object.entries(generations).every(([label, generation]) => {
      // Without this one, the entry's removal label decides.
      if (label === removals) return true
      const known = this.get(label)
      return known === undefined || (known.proposal === undefined && (known.generation === generation || known.alias === generation))
    })
  }

  /** The generations as the store has them, for an entry that is written there. */
  stored(generations: GenerationByLabel): GenerationByLabel {
    return Object.fromEntries(
      Object.entries(generations).map(([label, generation]) => {
        const known = this.get(label)
        return [label, known?.alias === generation ? known.generation : generation]
      }),
    )
  }

  /** Forgets the oldest that can be forgotten, until there are not too many. */
  forgetOldest(): void {
    for (let looks = 0; this.isFull && looks < maxLooks; looks++) {
      const { oldest } = this.#known
      if (oldest === undefined) return
      const { key: label, value: known } = oldest
      if (this.#mustKeep(label, known)) this.#known.set(label, known)
      else this.#known.delete(label)
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#known = new RecentMap()
  }
}

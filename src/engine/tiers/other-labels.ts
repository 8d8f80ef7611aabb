/**
 * Labels of stored answers that could not serve a call, as they lacked a label of it. What is fetched for that call bears the labels of both:
 * otherwise calls with different labels would replace each other's answers for ever.
 * @module
 */
import type { Entry } from '../../entry.ts'

/** The labels that an answer takes over from the one before. */
export interface LabelSet {
  readonly labels: readonly string[]
  readonly tags: readonly string[]
}

/** How many answers' labels are remembered. */
const maxRemembered = 1_000
/** Characters of all remembered tags and names together, and of those of one answer. Tags may be as long as their callers like. */
const maxCharacters = 2 ** 20
const maxCharactersOfOne = maxCharacters / 8
/** Labels that an answer may have to bear. With more of them, it takes none over, so that answers do not grow without end. */
const maxLabels = 64

const none: LabelSet = { labels: [], tags: [] }

/** Whether an invalidation of any of `labels` reaches this entry. */
export function bears({ head: { generations } }: Entry, labels: readonly string[]): boolean {
  for (const label of labels) if (generations[label] === undefined) return false
  return true
}

/** The labels of the answers that are about to be replaced. */
export class OtherLabels {
  readonly #byStoreKey = new Map<string, LabelSet>()
  /** How many characters were noted since the table was empty; rather too many than too few. */
  #characters = 0

  /** Takes note of an answer that lacks a label of a call. */
  note(storeKey: string, { head }: Entry): void {
    const labels = Object.keys(head.generations)
    const characters = [storeKey, ...labels, ...head.tags].reduce((sum, text) => sum + text.length, 0)
    if (labels.length > maxLabels || characters > maxCharactersOfOne) return
    this.#characters += characters
    if (this.#byStoreKey.size >= maxRemembered || this.#characters > maxCharacters) {
      this.#byStoreKey.clear()
      this.#characters = characters
    }
    this.#byStoreKey.set(storeKey, { labels, tags: head.tags })
  }

  /** The labels of the answer that lies at `storeKey` now. */
  of(storeKey: string): LabelSet {
    return this.#byStoreKey.get(storeKey) ?? none
  }

  /** The answer at `storeKey` was replaced. */
  delete(storeKey: string): void {
    this.#byStoreKey.delete(storeKey)
  }
}

/** The members of both, each once. Gives the first list itself if the second adds nothing. */
export function union(first: readonly string[], second: readonly string[]): readonly string[] {
  return second.every((each) => first.includes(each)) ? first : [...new Set([...first, ...second])]
}

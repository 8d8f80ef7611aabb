/**
 * Which entries were removed by their keys a short while ago. A value that was on its way when its key was removed must not come back.
 * @module
 */
import { shortName } from '../../base/short-name.ts'
import { RecentMap } from '../../base/recent-map.ts'

/** How many removals are remembered one by one, of this process and of others each. */
const maxRemembered = 10_000
/** How many removals by a pattern are remembered. Each of them is compared with the key of every answer that is stored. */
const maxPatterns = 100

/** Keys of entries: those that begin with `prefix` and match. */
export interface KeyPattern {
  readonly prefix: string
  readonly matches: (key: string) => boolean
}

/** The removals of one cache. */
export class Tombstones {
  /** Keys to the number of their removal, the oldest first. */
  readonly #numbers = new RecentMap<number>()
  /** The same for removals by other processes, as they say. */
  readonly #heard = new RecentMap<number>()
  /** Those by a pattern, the oldest first. */
  readonly #patterns: (KeyPattern & { readonly number: number })[] = []
  /** The last one by a pattern that is not remembered any more. */
  #forgottenPattern: { readonly prefix: string; readonly number: number } | undefined
  /** Keys whose last answer was given up because of a message. */
  readonly #spared = new Set<string>()
  #count = 0
  /** The number of the last removal by this process that is not remembered any more. */
  #forgotten = 0

  /** How many there were until now. */
  get count(): number {
    return this.#count
  }

  /** Takes note of one. */
  note(key: string): void {
    this.#numbers.set(shortName(key), ++this.#count)
    const { oldest } = this.#numbers
    if (this.#numbers.size <= maxRemembered || oldest === undefined) return
    this.#numbers.delete(oldest.key)
    this.#forgotten = oldest.value
  }

  /** Takes note of one of all entries whose keys match. */
  noteMatching(pattern: KeyPattern): void {
    this.#patterns.push({ ...pattern, number: ++this.#count })
    if (this.#patterns.length > maxPatterns) this.#forgottenPattern = this.#patterns.shift()
  }

  /** Takes note of one of which the key is not known. @returns its number */
  noteUnknown(): number {
    return ++this.#count
  }

  /**
   * The number of the last removal that concerns `key`, by this process or, as it says, by another one. Calls from before and after it must
   * not get one answer.
   */
  last(key: string): number {
    return Math.max(this.#own(key), this.#heard.get(shortName(key)) ?? 0)
  }

  /** Another process says that it removed `key`. That may be false, so it counts for less than a removal by this process. */
  hear(key: string): void {
    this.#heard.set(shortName(key), ++this.#count)
    if (this.#heard.size > maxRemembered) this.#heard.delete(this.#heard.oldest?.key ?? '')
  }

  /** Whether this process removed `key` since there were `count` removals. After very many the answer is yes, as it may have. */
  since(key: string, count: number): boolean {
    return Math.max(this.#own(key), this.#forgotten, this.#forgottenFor(key)) > count
  }

  /**
   * Whether an answer must not be stored whose call began when there were `count` removals. What another process says stops one answer under
   * a key, and not the next as well: or else false messages could stop all storing.
   */
  outdates(key: string, count: number): boolean {
    if (this.since(key, count)) return true
    const name = shortName(key)
    const isHeard = (this.#heard.get(name) ?? 0) > count
    if (this.#spared.delete(name) || !isHeard) return false
    if (this.#spared.size >= maxRemembered) this.#spared.clear()
    this.#spared.add(name)
    return true
  }

  /** The number of the last removal of `key` by this process that is remembered. */
  #own(key: string): number {
    const pattern = this.#patterns.findLast(({ prefix, matches }) => key.startsWith(prefix) && matches(key))
    return Math.max(this.#numbers.get(shortName(key)) ?? 0, pattern?.number ?? 0)
  }

  #forgottenFor(key: string): number {
    return this.#forgottenPattern !== undefined && key.startsWith(this.#forgottenPattern.prefix) ? this.#forgottenPattern.number : 0
  }
}

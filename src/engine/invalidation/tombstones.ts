/**
 * Which entries were removed by their keys a short while ago. A value that was on its way when its key was removed must not come back.
 * @module
 */
import { RecentMap } from '../../memory/recent-map.ts'

/** How many removals are remembered one by one. */
const maxRemembered = 10_000

/** The removals of one cache. */
export class Tombstones {
  /** Keys to the number of their removal, the oldest first. */
  readonly #numbers = new RecentMap<number>()
  #count = 0

  /** How many there were until now. */
  get count(): number {
    return this.#count
  }

  /** Takes note of one. */
  note(key: string): void {
    this.#numbers.set(key, ++this.#count)
    if (this.#numbers.size > maxRemembered) this.#numbers.delete(this.#numbers.oldest?.key ?? '')
  }

  /** Whether `key` was removed since there were `count` removals. After very many removals the answer is yes, as it may have been. */
  since(key: string, count: number): boolean {
    const number = this.#numbers.get(key)
    return number === undefined ? this.#count - count > maxRemembered : number > count
  }
}

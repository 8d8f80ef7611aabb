/**
 * Which entries were removed by their keys a short while ago. A value that was on its way when its key was removed must not come back.
 * @module
 */
import { shortName } from '../../base/short-name.ts'

/** How many removals are remembered one by one. */
const maxRemembered = 10_000

/** The removals of one cache. */
export class Tombstones {
  /** Keys to the number of their removal, the oldest first. */
  readonly #numbers = new Map<string, number>()
  #count = 0

  /** How many there were until now. */
  get count(): number {
    return this.#count
  }

  /** Takes note of one. */
  note(key: string): void {
    const name = shortName(key)
    this.#numbers.delete(name)
    this.#numbers.set(name, ++this.#count)
    if (this.#numbers.size <= maxRemembered) return
    const [oldest] = this.#numbers.keys()
    if (oldest !== undefined) this.#numbers.delete(oldest)
  }

  /** Whether `key` was removed since there were `count` removals. After very many removals the answer is yes, as it may have been. */
  since(key: string, count: number): boolean {
    const number = this.#numbers.get(shortName(key))
    return number === undefined ? this.#count - count > maxRemembered : number > count
  }
}

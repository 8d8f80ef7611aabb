/**
 * Which entries were removed by their keys of late: a value that was on its way when its key was removed is not to come back.
 * @module
 */

/** Tombstones that are remembered one by one, at the most. */
const remembered = 10_000

/** Which entries were removed by their keys of late. */
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
    this.#numbers.delete(key)
    this.#numbers.set(key, ++this.#count)
    if (this.#numbers.size <= remembered) return
    const [oldest] = this.#numbers.keys()
    if (oldest !== undefined) this.#numbers.delete(oldest)
  }

  /** Whether `key` was removed since there were `count` removals. After very many it may have been, which is answered with yes. */
  since(key: string, count: number): boolean {
    const number = this.#numbers.get(key)
    return number === undefined ? this.#count - count > remembered : number > count
  }
}

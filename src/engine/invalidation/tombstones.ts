/**
 * Which entries were removed by their keys a short while ago. A value that was on its way when its key was removed must not come back.
 * @module
 */
import { shortName } from '../../base/short-name.ts'
import { RecentMap } from '../../base/recent-map.ts'

/** How many removals are remembered one by one, of this process and of others each. */
const maxRemembered = 10_000

/** The removals of one cache. */
export class Tombstones {
  /** Keys to the number of their removal, the oldest first. */
  readonly #numbers = new RecentMap<number>()
  /** The same for removals by other processes, as they say. */
  readonly #heard = new RecentMap<number>()
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

  /** Another process says that it removed `key`. That may be false, so it counts for less than a removal by this process. */
  hear(key: string): void {
    this.#heard.set(shortName(key), ++this.#count)
    if (this.#heard.size > maxRemembered) this.#heard.delete(this.#heard.oldest?.key ?? '')
  }

  /** Whether this process removed `key` since there were `count` removals. After very many the answer is yes, as it may have. */
  since(key: string, count: number): boolean {
    return (this.#numbers.get(shortName(key)) ?? this.#forgotten) > count
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
}

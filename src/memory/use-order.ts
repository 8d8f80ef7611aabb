/**
 * Things in the order in which they were last used: a doubly linked list through the things themselves.
 * A `Set` from which a thing is deleted to be added anew would do the same, but V8 keeps what was deleted in its chains until the next
 * rehash: one key that is used again and again makes each use slower than the one before.
 * @module
 */

/** A thing that can stand in a {@link UseOrder}, and in one at a time. */
export interface Used<Thing> {
  older: Thing | undefined
  newer: Thing | undefined
}

/** The order of use. Everything in it takes constant time. */
export class UseOrder<Thing extends Used<Thing>> {
  #oldest: Thing | undefined
  #newest: Thing | undefined

  /** The least recently used, or `undefined` when there is none. */
  get oldest(): Thing | undefined {
    return this.#oldest
  }

  /** Puts `thing`, which stands nowhere, at the newest end. */
  add(thing: Thing): void {
    thing.older = this.#newest
    thing.newer = undefined
    if (this.#newest === undefined) this.#oldest = thing
    else this.#newest.newer = thing
    this.#newest = thing
  }

  /** Takes `thing`, which stands here, out. */
  remove(thing: Thing): void {
    const { older, newer } = thing
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    thing.older = undefined
    thing.newer = undefined
  }

  /** Puts `thing`, which stands here, at the newest end. */
  use(thing: Thing): void {
    if (this.#newest === thing) return
    this.remove(thing)
    this.add(thing)
  }
}

/**
 * Things in the order of their last use, as a doubly linked list through the things themselves.
 * A `Set` with delete and add would do the same. But V8 keeps deleted elements in its hash chains until the next rehash. A key that is used
 * again and again would make each use slower than the last.
 * @module
 */

/** A thing that can be in one {@link UseOrder} at a time. */
export interface Used<Thing> {
  older: Thing | undefined
  newer: Thing | undefined
}

/** The order of use. Every operation takes constant time. */
export class UseOrder<Thing extends Used<Thing>> {
  #oldest: Thing | undefined
  #newest: Thing | undefined

  /** The least recently used, or `undefined` when there is none. */
  get oldest(): Thing | undefined {
    return this.#oldest
  }

  /** Adds `thing`, which must be in no order yet, as the newest. */
  add(thing: Thing): void {
    thing.older = this.#newest
    thing.newer = undefined
    if (this.#newest === undefined) this.#oldest = thing
    else this.#newest.newer = thing
    this.#newest = thing
  }

  /** Removes `thing`, which must be in this order. */
  remove(thing: Thing): void {
    const { older, newer } = thing
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    thing.older = undefined
    thing.newer = undefined
  }

  /** Moves `thing`, which must be in this order, to the newest end. */
  use(thing: Thing): void {
    if (this.#newest === thing) return
    this.remove(thing)
    this.add(thing)
  }
}

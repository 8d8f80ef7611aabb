/**
 * Tables whose names come from callers and providers, and which must not grow without end.
 * @module
 */

/** How many names a table holds, and how long a name may be. */
const namesLimit = 1_000
const nameLength = 200

/** The name under which a table counts `name`, if it has room. */
export function countedName(name: string): string {
  return name.length > nameLength ? 'other' : name
}

/** A table by name that does not grow without end: what has no room is counted under `other`. */
export class BoundedTable<T> {
  // A Map, because an object would take the name `__proto__` for its prototype.
  readonly #rows = new Map<string, T>()
  readonly #empty: () => T

  constructor(empty: () => T) {
    this.#empty = empty
  }

  /** The row of this name, made when it is new. */
  row(name: string): T {
    const found = this.#rows.get(name)
    if (found !== undefined) return found
    const full = this.#rows.size >= namesLimit || countedName(name) !== name
    if (full && name !== 'other') return this.row('other')
    const row = this.#empty()
    this.#rows.set(name, row)
    return row
  }

  /** Removes all rows. */
  clear(): void {
    this.#rows.clear()
  }

  /** As an object of copied rows. `Object.fromEntries` defines members and sets none, so that `__proto__` is a name like any other. */
  copy<Copied>(copied: (row: T) => Copied): Record<string, Copied> {
    return Object.fromEntries(Array.from(this.#rows, ([name, row]) => [name, copied(row)]))
  }
}

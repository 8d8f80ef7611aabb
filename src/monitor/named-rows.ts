/**
 * Rows by names that callers choose, of which there must not be ever more.
 * @module
 */

/** How many names a table holds; further ones are counted together. */
const maxNames = 200

/** The name under which rows without room are counted. */
export const otherNames = 'other'

/** Rows by name, within a bound. */
export class NamedRows<Row> {
  readonly #rows = new Map<string, Row>()
  readonly #empty: () => Row

  constructor(empty: () => Row) {
    this.#empty = empty
  }

  /** The row of this name, made when it is new. */
  row(name: string): Row {
    const found = this.#rows.get(name)
    if (found !== undefined) return found
    if (this.#rows.size >= maxNames && name !== otherNames) return this.row(otherNames)
    const row = this.#empty()
    this.#rows.set(name, row)
    return row
  }

  /** The names and rows, in the order in which they came. */
  entries(): Iterable<readonly [string, Row]> {
    return this.#rows.entries()
  }

  /** How many names there are. */
  get size(): number {
    return this.#rows.size
  }
}

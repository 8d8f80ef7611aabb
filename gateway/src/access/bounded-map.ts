/**
 * A map that holds so many at the most, and lets go of the one that was put in first.
 * @module
 */

/** A map with a bound, so that an attack by many names takes no memory. */
export class BoundedMap<Value> {
  readonly #most: number
  readonly #values = new Map<string, Value>()

  /** @param most how many it holds */
  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#values.size
  }

  get(name: string): Value | undefined {
    return this.#values.get(name)
  }

  /** Puts a value in, as the newest. */
  set(name: string, value: Value): void {
    this.#values.delete(name)
    this.#values.set(name, value)
    if (this.#values.size <= this.#most) return
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest)
      return
    }
  }

  delete(name: string): void {
    this.#values.delete(name)
  }
}

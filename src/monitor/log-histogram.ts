/**
 * A histogram for runtimes that have none of their own, such as workerd: buckets that grow by two per cent.
 * @module
 */

/** Whole numbers from 1, as a histogram of Node.js keeps them. */
export interface Histogram {
  readonly max: number
  record(value: number): void
  /** Adds what another one of the same kind holds. */
  add(other: Histogram): void
  /** The value that so many per cent of all are not above. */
  percentile(percent: number): number
}

/** By how much a bucket is wider than the one before it. Its middle is within one per cent of all in it. */
const growth = Math.log(1.02)

/** Counts values in buckets. Only buckets that hold something take room. */
export class LogHistogram implements Histogram {
  readonly #buckets = new Map<number, number>()
  #count = 0
  #max = 0

  get max(): number {
    return this.#max
  }

  record(value: number): void {
    this.#put(Math.floor(Math.log(value) / growth), 1)
    this.#max = Math.max(this.#max, value)
  }

  add(other: Histogram): void {
    // A runtime has one kind or the other, so there is nothing else to add.
    if (!(other instanceof LogHistogram)) return
    for (const [bucket, count] of other.#buckets) this.#put(bucket, count)
    this.#max = Math.max(this.#max, other.#max)
  }

  percentile(percent: number): number {
    let left = Math.max(1, Math.ceil((this.#count * percent) / 100))
    for (const bucket of [...this.#buckets.keys()].toSorted((first, second) => first - second)) {
      left -= this.#buckets.get(bucket) ?? 0
      if (left <= 0) return Math.min(this.#max, Math.exp((bucket + 0.5) * growth))
    }
    return this.#max
  }

  #put(bucket: number, count: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count)
    this.#count += count
  }
}

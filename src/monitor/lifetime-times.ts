/**
 * Times summed up since the monitor was made: what collectors make rates of must never become less.
 * @module
 */
import { NamedRows } from './named-rows.ts'

/** What takes time. */
export type TimeKind = 'reads' | 'writes' | 'providers' | 'keys'

/** How often, and how many milliseconds in all. */
interface SummedTimes {
  count: number
  total: number
}

/** Counts and sums of times, by kind and name. */
export class LifetimeTimes {
  readonly #rows: Readonly<Record<TimeKind, NamedRows<SummedTimes>>> = {
    reads: noRows(),
    writes: noRows(),
    providers: noRows(),
    keys: noRows(),
  }

  /** Adds one time, in milliseconds. */
  add(kind: TimeKind, name: string, milliseconds: number, times = 1): void {
    const row = this.#rows[kind].row(name)
    row.count += times
    row.total += milliseconds * times
  }

  /** Those under one name. */
  of(kind: TimeKind, name: string): Readonly<SummedTimes> {
    return this.#rows[kind].row(name)
  }
}

function noRows(): NamedRows<SummedTimes> {
  return new NamedRows(() => ({ count: 0, total: 0 }))
}

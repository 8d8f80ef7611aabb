/**
 * What must hold of the answers that were served in a soak.
 *
 * An answer is outdated, and must not have been served, when one of these is so, where an answer's fill began no later than its origin was asked:
 * - it was served to a call that began after its own process had called `invalidate()` for one of its labels, whatever that resolved to,
 *   and its origin was asked before;
 * - it was served to a call that began more than `invalidationDelay` after `invalidate()` had resolved to `true` in any process, and its
 *   origin was asked before that was called; unless Redis had lost its data in between, or the calling process could not read Redis during
 *   the call and was not told to require it;
 * - it was past its TTL.
 * @module
 */
import { type Declared, invalidationDelay, readDeadline, type Served, ttl } from './messages.ts'

/** What one process did. */
export interface Deeds {
  readonly served: readonly Served[]
  readonly declared: readonly Declared[]
}

/** What was found. */
export interface Verdict {
  /** Answers that must not have been served, one line each. */
  readonly outdated: readonly string[]
  /** Calls that waited longer than they should, one line each. */
  readonly late: readonly string[]
  /** Answers that were outdated, and served by a process that could not read Redis, and did not require it. */
  readonly unknowing: number
}

/** Milliseconds by which a busy machine may be late with a call. */
export const usualAllowance = 3_000

/** What the judge must know besides what the processes did. */
export interface Circumstances {
  /** The labels of a question's answers. */
  readonly labelsOf: (question: number) => readonly string[]
  /** When Redis lost its data. */
  readonly losses: readonly number[]
  /** Whether no process may serve what it cannot ask Redis about. @default false */
  readonly requireStore?: boolean
  /** Milliseconds by which the machine may be late with a call. @default {@link usualAllowance} */
  readonly allowance?: number
}

/** Judges what the processes of a soak did. */
export function judge(
  processes: readonly Deeds[],
  { labelsOf, losses, requireStore = false, allowance = usualAllowance }: Circumstances,
): Verdict {
  const anywhere = new Cuts(
    processes.flatMap(({ declared }) => declared.filter(({ known }) => known)),
    (each) => each.ended + invalidationDelay,
  )
  const outdated: string[] = []
  const late: string[] = []
  let unknowing = 0
  for (const [index, { served, declared }] of processes.entries()) {
    const own = new Cuts(declared, (each) => each.begun)
    for (const each of served) {
      const { question, source, made, begun, ended, origin, blind } = each
      const about = `process ${index}, question ${question}, from ${source}, asked at ${ms(begun)}, made at ${ms(made)}`
      const lost = Math.max(...losses.filter((loss) => loss <= ended), 0)
      for (const label of labelsOf(question)) {
        const cut = own.last(label, begun)
        if (cut > made) outdated.push(`${about}: ${label} was declared outdated at ${ms(cut)} by itself`)
        const shared = anywhere.last(label, begun, lost)
        if (shared <= made) continue
        if (blind && !requireStore) unknowing++
        else outdated.push(`${about}: ${label} was declared outdated at ${ms(shared)}`)
      }
      if (begun - made > ttl + origin + allowance) outdated.push(`${about}: its TTL was over`)
      if (ended - begun > origin + readDeadline + allowance) late.push(`${about}: took ${ms(ended - begun)}, of which the origin ${origin}`)
    }
  }
  return { outdated, late, unknowing }
}

interface Cut {
  /** From when on it is to be heeded. */
  readonly from: number
  /** When it was known to be done. */
  readonly ended: number
  readonly begun: number
}

/** For each label, from when on answers must have been made when. */
class Cuts {
  readonly #byLabel = new Map<string, Cut[]>()

  constructor(declared: readonly Declared[], from: (each: Declared) => number) {
    for (const each of declared.toSorted((first, second) => from(first) - from(second))) {
      const cuts = this.#byLabel.get(each.label) ?? []
      cuts.push({ from: from(each), ended: each.ended, begun: each.begun })
      this.#byLabel.set(each.label, cuts)
    }
  }

  /** The time before which no answer may have been made that a call gets which begins at `now`. @param lost what was done before it counts no more */
  last(label: string, now: number, lost = 0): number {
    let last = 0
    for (const cut of this.#byLabel.get(label) ?? []) {
      if (cut.from >= now) break
      if (cut.ended >= lost) last = Math.max(last, cut.begun)
    }
    return last
  }
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`
}

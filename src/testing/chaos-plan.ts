/**
 * The faults that a chaos store makes, and when.
 * @module
 */
import { InvalidOptionError } from '../errors.ts'
import { wholeNumber } from '../base/option-checks.ts'

/**
 * A kind of fault.
 * - `throws`: throws at once instead of returning a promise.
 * - `rejects`: returns a promise that rejects.
 * - `delays`: does its work later.
 * - `tells late`: does its work at once and answers later.
 * - `never settles`: neither works nor answers.
 * - `settles twice`: answers, answers again and then fails.
 *
 * Of reads only:
 * - `random bytes`: instead of every value, missing ones included.
 * - `truncates`: a value loses its end.
 * - `swaps`: the value of another key.
 * - `mistypes`: something that is not bytes.
 */
export type ChaosKind =
  | 'throws'
  | 'rejects'
  | 'delays'
  | 'tells late'
  | 'never settles'
  | 'settles twice'
  | 'random bytes'
  | 'truncates'
  | 'swaps'
  | 'mistypes'

/** An operation of a store. Batches of reads and writes count as `get` and `set`; the release of a lease counts as `lease`. */
export type ChaosOperation = 'get' | 'set' | 'delete' | 'keys' | 'publish' | 'lease'

/** When a fault happens: always, at the next operations, or with a probability from 0 to 1. */
export type ChaosSchedule = 'always' | { readonly next: number } | { readonly probability: number }

/** Where a fault happens. */
export interface ChaosScope {
  /** @default every operation that can have this fault */
  readonly on?: readonly ChaosOperation[]
  /** Only if this returns true for one of the keys. @default any key */
  readonly keys?: (key: string) => boolean
}

const exceptLists = ['get', 'set', 'delete', 'publish', 'lease'] as const
const everywhere = [...exceptLists, 'keys'] as const

/** Every kind of fault, with the operations that can have it. */
export const chaosKinds: Readonly<Record<ChaosKind, readonly ChaosOperation[]>> = {
  throws: everywhere,
  rejects: everywhere,
  delays: everywhere,
  'tells late': exceptLists,
  'never settles': everywhere,
  'settles twice': exceptLists,
  'random bytes': ['get'],
  truncates: ['get'],
  swaps: ['get'],
  mistypes: ['get'],
}

interface Rule {
  readonly kind: ChaosKind
  readonly on: readonly ChaosOperation[]
  readonly keys: (key: string) => boolean
  readonly probability: number
  left: number
}

/** The rules for faults, in the order in which they were added. */
export class ChaosPlan {
  readonly #random: () => number
  readonly #struck = new Map<ChaosKind, number>()
  #rules: Rule[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * Adds a rule. If several rules apply, the first one is used.
   * @throws {InvalidOptionError} for an invalid kind or schedule
   */
  add(kind: ChaosKind, schedule: ChaosSchedule, { on = chaosKinds[kind], keys = () => true }: ChaosScope): void {
    if (!Object.hasOwn(chaosKinds, kind)) throw new InvalidOptionError('kind', kind, Object.keys(chaosKinds))
    this.#rules.push({ kind, on: on.filter((each) => chaosKinds[kind].includes(each)), keys, ...readSchedule(schedule) })
  }

  /** Removes all rules. */
  clear(): void {
    this.#rules = []
  }

  /** How often a fault of this kind happened. */
  count(kind: ChaosKind): number {
    return this.#struck.get(kind) ?? 0
  }

  /** The fault for this operation, or `undefined` for none. Counts it. */
  strike(operation: ChaosOperation, keys: readonly string[]): ChaosKind | undefined {
    const rule = this.#rules.find((each) => {
      if (each.left <= 0 || !each.on.includes(operation) || !keys.some((key) => each.keys(key))) return false
      return each.probability >= 1 || this.#random() < each.probability
    })
    if (rule === undefined) return undefined
    rule.left--
    this.#struck.set(rule.kind, this.count(rule.kind) + 1)
    return rule.kind
  }
}

function readSchedule(schedule: ChaosSchedule): Pick<Rule, 'probability' | 'left'> {
  if (schedule === 'always') return { probability: 1, left: Infinity }
  if ('next' in schedule) return { probability: 1, left: wholeNumber('next', schedule.next, { least: 0 }) }
  const { probability } = schedule
  if (!(probability >= 0 && probability <= 1)) throw new InvalidOptionError('probability', probability, 'a number from 0 to 1')
  return { probability, left: Infinity }
}

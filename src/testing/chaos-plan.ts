/**
 * What a store is to do wrong, and when.
 * @module
 */
import { InvalidOptionError } from '../errors.ts'
import { wholeNumber } from '../base/option-checks.ts'

/**
 * A way to go wrong. `throws`: at once, in place of a promise. `rejects`. `delays`: does its work later. `tells late`: does its work at
 * once and says so later. `never settles`: neither works nor answers. `settles twice`: answers, answers again and then fails.
 * Of reads only, `random bytes`: in place of every value, missing ones too. `truncates`: a value loses its end. `swaps`: the value of
 * another key. `mistypes`: something that is no bytes.
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

/** What is done with a store. Reading and writing many is `get` and `set` as well; giving a lease back is `lease`. */
export type ChaosOperation = 'get' | 'set' | 'delete' | 'keys' | 'publish' | 'lease'

/** When it goes wrong: always, the next so many times, or with a probability from 0 to 1. */
export type ChaosSchedule = 'always' | { readonly next: number } | { readonly probability: number }

/** Where it goes wrong. */
export interface ChaosScope {
  /** @default every operation that can go wrong so */
  readonly on?: readonly ChaosOperation[]
  /** Only where one of the keys is such. @default any */
  readonly keys?: (key: string) => boolean
}

const exceptLists = ['get', 'set', 'delete', 'publish', 'lease'] as const
const everywhere = [...exceptLists, 'keys'] as const

/** Every way to go wrong, with the operations that can. */
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

/** What a store is to do wrong. */
export class ChaosPlan {
  readonly #random: () => number
  readonly #struck = new Map<ChaosKind, number>()
  #rules: Rule[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * Adds a rule; of several that apply, the first one strikes.
   * @throws {InvalidOptionError} for a kind or a schedule that cannot be
   */
  add(kind: ChaosKind, schedule: ChaosSchedule, { on = chaosKinds[kind], keys = () => true }: ChaosScope): void {
    if (!Object.hasOwn(chaosKinds, kind)) throw new InvalidOptionError('kind', kind, Object.keys(chaosKinds).join(', '))
    this.#rules.push({ kind, on: on.filter((each) => chaosKinds[kind].includes(each)), keys, ...readSchedule(schedule) })
  }

  /** Forgets every rule. */
  clear(): void {
    this.#rules = []
  }

  /** How often this kind has struck. */
  count(kind: ChaosKind): number {
    return this.#struck.get(kind) ?? 0
  }

  /** What goes wrong with this operation; `undefined` when nothing does. */
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

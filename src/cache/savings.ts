/**
 * The savings of a cache, as its user asks for them.
 * @module
 */
import { assertKnown, wholeNumber } from '../base/option-checks.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { Savings, SavingsBy } from '../engine/ledger.ts'

/** Which savings are told. */
export interface SavingsOptions {
  /** What they are told by. @default 'day' */
  readonly by?: SavingsBy
  /** Days up to today, from 1 to 400. @default 30 */
  readonly days?: number
}

const ways: readonly SavingsBy[] = ['day', 'scope', 'operation', 'model']

/** The savings of the last days. @throws {InvalidOptionError} if the cache does not keep savings, or an option cannot be */
export function savings({ ledger, settings }: Engine, options: SavingsOptions): Promise<Savings> {
  assertKnown('', options, ['by', 'days'])
  const { by = 'day', days = 30 } = options
  if (!ways.includes(by)) throw new InvalidOptionError('by', by, ways)
  wholeNumber('days', days, { least: 1, most: 400 })
  if (ledger === undefined) throw new InvalidOptionError('savings', settings.savings, 'true on createCache(), which then keeps a ledger')
  return ledger.read(by, days)
}

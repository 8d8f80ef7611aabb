/**
 * What a row gives back: tables to print, figures to keep, and how it stands with the budgets.
 * @module
 */
import { digits, formatTable, type Table } from './table.ts'
import type { Effort } from './measure.ts'

/** What a row is run with. */
export interface Run {
  readonly effort: Effort
  /** More rounds, for what a budget hangs on. */
  readonly careful: Effort
  readonly isQuick: boolean
  /** Where a Redis of our own is. */
  readonly redis: string
}

/** What a path may cost, and what it cost in this run. */
export interface Budget {
  /** The path, the case, and what it is compared with: `hit in memory, OpenAI, 2 KB, × floor`. No two budgets have the same. */
  readonly what: string
  readonly measured: number
  /** `undefined` for a figure that is shown beside the budgets and has no limit. */
  readonly limit: number | undefined
  /** `×` for a ratio, else what is counted: `µs`, `calls`. */
  readonly unit: string
}

/** What came out of a row. */
export interface Outcome {
  readonly tables: readonly CaptionedTable[]
  /** Short notes on how to read the tables. */
  readonly notes?: readonly string[]
  readonly budgets?: readonly Budget[]
  /** As it is kept in `results/`. */
  readonly figures: unknown
}

/** A table and what it shows. */
export interface CaptionedTable {
  readonly caption: string
  readonly table: Table
  /** Columns of text, aligned to the left. @default the first */
  readonly left?: readonly number[]
}

/** One subject of the benchmark. */
export interface Row {
  /** For `--rows` and the results: `engine-hit`. */
  readonly name: string
  readonly title: string
  run(run: Run): Promise<Outcome>
}

/** How a budget stands: a figure that could not be measured is missed. */
export function standing({ measured, limit }: Budget): 'met' | 'missed' | 'no limit' {
  if (limit === undefined) return 'no limit'
  return measured <= limit ? 'met' : 'missed'
}

/** How many budgets are met and missed. Figures without a limit are in neither. */
export function tally(budgets: readonly Budget[]): { readonly met: number; readonly missed: number } {
  const count = (wanted: string): number => budgets.filter((budget) => standing(budget) === wanted).length
  return { met: count('met'), missed: count('missed') }
}

/** The budgets as a table. */
export function budgetTable(budgets: readonly Budget[]): Table {
  return {
    header: ['budget', 'measured', 'at most', ''],
    rows: budgets.map((budget) => [
      budget.what,
      `${digits(budget.measured)} ${budget.unit}`,
      budget.limit === undefined ? '–' : `${digits(budget.limit)} ${budget.unit}`,
      standing(budget) === 'missed' ? '**missed**' : standing(budget),
    ]),
  }
}

/** Prints what came out of a row. */
export function print({ title }: Row, { tables, notes = [] }: Outcome): void {
  console.log(`\n## ${title}`)
  for (const { caption, table, left } of tables) console.log(`\n${caption}\n\n${formatTable(table, left)}`)
  if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join('\n')}`)
}

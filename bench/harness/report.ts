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

/** A promise of DESIGN.md and how it was kept. */
export interface Budget {
  readonly what: string
  readonly measured: number
  readonly limit: number
  /** `×` for a ratio, else what is counted: `ms`, `calls`. */
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
  /** For `--only` and the results: `engine-hit`. */
  readonly name: string
  readonly title: string
  run(run: Run): Promise<Outcome>
}

/** Whether a budget is met. */
export function isMet({ measured, limit }: Budget): boolean {
  return measured <= limit
}

/** The budgets as a table. */
export function budgetTable(budgets: readonly Budget[]): Table {
  return {
    header: ['budget', 'measured', 'at most', 'met'],
    rows: budgets.map((budget) => [
      budget.what,
      `${digits(budget.measured)} ${budget.unit}`,
      `${digits(budget.limit)} ${budget.unit}`,
      isMet(budget) ? 'yes' : '**MISSED**',
    ]),
  }
}

/** Prints what came out of a row. */
export function print({ title }: Row, { tables, notes = [] }: Outcome): void {
  console.log(`\n## ${title}`)
  for (const { caption, table, left } of tables) console.log(`\n${caption}\n\n${formatTable(table, left)}`)
  if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join('\n')}`)
}

/**
 * Keeps the figures of a run in `results/`, and shows what is kept there.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { round } from './harness/by-size.ts'
import type { Machine } from './harness/machine.ts'
import { type Budget, standing } from './harness/report.ts'
import { everyone } from './others/index.ts'
import { draw, type Drawn } from './plots.ts'
import { rowNames } from './rows/index.ts'
import { type Summed, summary } from './summary.ts'

const results = join(import.meta.dirname, 'results')

/** What a row measured. */
export interface Measured {
  readonly row: string
  readonly budgets: readonly Budget[]
  readonly figures: unknown
}

/** Writes down what some rows measured, beside what is kept of the others; draws when all of them are there. */
export function keep(kind: 'quick' | 'full', machine: Machine, versions: object, measured: readonly Measured[]): void {
  const path = join(results, `${kind}.json`)
  const isWhole = rowNames.every((name) => measured.some(({ row }) => row === name))
  const before: { readonly budgets?: unknown; readonly rows?: unknown } =
    existsSync(path) && !isWhole ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const others = membersOf(before.budgets).filter((each) => !measured.some(({ row }) => row === Reflect.get(Object(each), 'row')))
  const budgets = measured.flatMap(({ row, budgets: own }) =>
    own.map((budget) => ({ row, ...budget, measured: round(budget.measured), standing: standing(budget) })),
  )
  const rows: object = { ...Object(before.rows), ...Object.fromEntries(measured.map(({ row, figures }) => [row, figures])) }
  writeFileSync(path, `${JSON.stringify({ machine, versions, budgets: [...others, ...budgets], rows }, undefined, 1)}\n`)
  if (rowNames.every((name) => name in rows)) show(kind)
}

/** Draws what was kept, and writes its summary. */
export function show(kind: 'quick' | 'full'): void {
  // As JSON they are what their rows have made of them; which members are needed of each is told in plots.ts and summary.ts.
  const kept: { machine: Machine; rows: Drawn & Summed } = JSON.parse(readFileSync(join(results, `${kind}.json`), 'utf8'))
  const { cpu, cores, node } = kept.machine
  draw(kept.rows, `${cpu}, ${cores} cores, Node.js ${node}`, results)
  writeFileSync(join(results, 'summary.md'), summary(kept.rows, everyone))
}

function membersOf(list: unknown): unknown[] {
  return Array.isArray(list) ? list : []
}

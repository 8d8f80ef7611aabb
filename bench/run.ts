/**
 * Runs the rows, prints their tables and keeps their figures.
 * @module
 */
import { parseArgs } from 'node:util'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { round } from './harness/by-size.ts'
import { type Machine, machine, versions } from './harness/machine.ts'
import { quick, thorough } from './harness/measure.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { type Budget, budgetTable, isMet, type Outcome, print, type Row } from './harness/report.ts'
import { digits, formatTable } from './harness/table.ts'
import { draw, type Drawn } from './plots.ts'
import { everyone } from './others/index.ts'
import { type Summed, summary } from './summary.ts'
import { abilities } from './rows/abilities.ts'
import { clientHit } from './rows/client-hit.ts'
import { coalescing } from './rows/coalescing.ts'
import { codec } from './rows/codec.ts'
import { dynamodbHit } from './rows/dynamodb-hit.ts'
import { engineHit } from './rows/engine-hit.ts'
import { growth } from './rows/growth.ts'
import { importAndSize } from './rows/import-and-size.ts'
import { key } from './rows/key.ts'
import { memory } from './rows/memory.ts'
import { missAndBypass } from './rows/miss-and-bypass.ts'
import { processesRow } from './rows/processes.ts'
import { redisHit } from './rows/redis-hit.ts'
import { sqliteHit } from './rows/sqlite-hit.ts'
import { streamHit } from './rows/stream-hit.ts'
import { workload } from './rows/workload.ts'

/** In the order in which they are printed. */
const rows: readonly Row[] = [
  abilities,
  engineHit,
  clientHit,
  key,
  codec,
  redisHit,
  dynamodbHit,
  sqliteHit,
  missAndBypass,
  streamHit,
  coalescing,
  processesRow,
  memory,
  importAndSize,
  growth,
  workload,
]

const results = join(import.meta.dirname, 'results')

/** Runs what the command line asks for: `--quick`, `--only name,name`, `--keep`; or `--draw`, which only draws what was kept. */
export async function bench(parameters: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      quick: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      draw: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  })
  if (values.draw) return show(join(results, 'full.json'))
  const begun = performance.now()
  const wanted = values.only?.split(',')
  const unknown = wanted?.find((name) => rows.every((row) => row.name !== name))
  if (unknown !== undefined) throw new RangeError(`There is no row ${unknown}; there are ${rows.map(({ name }) => name).join(', ')}.`)
  const chosen = rows.filter(({ name }) => wanted?.includes(name) ?? true)
  const here = machine()
  const installed = versions()
  console.log(`# llmemo's benchmark${values.quick ? ', a quick look' : ''}\n`)
  console.log(`${here.cpu}, ${here.cores} cores, ${here.memory} GiB, ${here.platform}; Node.js ${here.node}, Redis ${here.redis}.`)
  console.log(
    Object.entries(installed)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  )
  console.log('\nTimes are the median of the rounds and the 99th percentile of the calls; × is the median of the ratios of each round.')
  const effort = values.quick ? quick : thorough
  const careful = { ...effort, rounds: effort.rounds * 2 + 1, warmUp: effort.warmUp * 4 }
  const redis = await startRedis()
  const outcomes: { row: Row; outcome: Outcome; seconds: number }[] = []
  try {
    for (const row of chosen) {
      const start = performance.now()
      try {
        const outcome = await row.run({ effort, careful, isQuick: values.quick, redis: `redis://${redis.host}:${redis.port}` })
        outcomes.push({ row, outcome, seconds: (performance.now() - start) / 1_000 })
        print(row, outcome)
      } catch (error) {
        // The others can still be measured.
        console.log(`\n## ${row.title}\n\nFAILED:`, error)
        process.exitCode = 1
      }
    }
  } finally {
    await redis.stop()
  }
  const budgets = outcomes.flatMap(({ outcome }) => outcome.budgets ?? [])
  console.log(`\n## Budgets\n\n${formatTable(budgetTable(budgets))}`)
  const missed = budgets.filter((budget) => !isMet(budget)).length
  const seconds = (performance.now() - begun) / 1_000
  console.log(`\n${missed === 0 ? 'All budgets are met.' : `${missed} of ${budgets.length} budgets MISSED.`} ${digits(seconds)} seconds.`)
  console.log(outcomes.map((each) => `${each.row.name} ${each.seconds.toFixed(1)} s`).join(', '))
  if (values.keep || (!values.quick && wanted === undefined)) {
    keep(values.quick ? 'quick' : 'full', {
      machine: here,
      versions: installed,
      budgets: budgets.map((budget) => ({ ...budget, measured: round(budget.measured), met: isMet(budget) })),
      rows: Object.fromEntries(outcomes.map(({ row, outcome }) => [row.name, outcome.figures])),
    })
  }
}

interface Figures {
  readonly machine: Machine
  readonly versions: object
  readonly budgets: readonly Budget[]
  readonly rows: Readonly<Record<string, unknown>>
}

/** Writes the figures down, and shows them when they are all there. */
function keep(kind: string, figures: Figures): void {
  const path = join(results, `${kind}.json`)
  const before: Partial<Record<keyof typeof figures, unknown>> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  // Of a run of some rows the others' figures stay.
  const all = {
    ...figures,
    budgets: [
      ...membersOf(before.budgets).filter((each) => !figures.budgets.some(({ what }) => what === Reflect.get(Object(each), 'what'))),
      ...figures.budgets,
    ],
    rows: { ...Object(before.rows), ...figures.rows },
  }
  writeFileSync(path, `${JSON.stringify(all, undefined, 1)}\n`)
  if (rows.every(({ name }) => name in all.rows)) show(path)
}

/** Draws what was kept, and writes its summary. */
function show(path: string): void {
  // As JSON they are what their rows have made of them; which members are needed of each is told in plots.ts and summary.ts.
  const kept: { machine: Machine; rows: Drawn & Summed } = JSON.parse(readFileSync(path, 'utf8'))
  const { cpu, cores, node } = kept.machine
  draw(kept.rows, `${cpu}, ${cores} cores, Node.js ${node}`, results)
  writeFileSync(join(results, 'summary.md'), summary(kept.rows, everyone))
}

function membersOf(list: unknown): unknown[] {
  return Array.isArray(list) ? list : []
}

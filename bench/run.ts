/**
 * Runs the rows, and prints their tables and how the budgets stand.
 * @module
 */
import { parseArgs } from 'node:util'
import { machine, versions } from './harness/machine.ts'
import { cpuTime } from './harness/clock.ts'
import { quick, thorough } from './harness/measure.ts'
import { budgetTable, type Outcome, print, tally } from './harness/report.ts'
import { digits, formatTable } from './harness/table.ts'
import { keep, show } from './keep.ts'
import { rowsNamed } from './rows/index.ts'
import { startRedis } from '../test/support/redis-server.ts'

interface Ran {
  readonly row: string
  readonly outcome: Outcome
  readonly seconds: number
}

/**
 * Runs what the command line asks for: `--quick`, `--rows name,name` (or `--only`, which means the same), `--keep`, `--cpu`; or
 * `--draw`, which only draws what was kept.
 */
export async function bench(parameters: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      quick: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      draw: { type: 'boolean', default: false },
      cpu: { type: 'boolean', default: false },
      rows: { type: 'string' },
      only: { type: 'string' },
    },
  })
  if (values.draw) return show('full')
  if (values.cpu && values.keep) throw new RangeError('Time of the processor (--cpu) is for a look and is not kept: leave out --keep.')
  const wanted = (values.rows ?? values.only)?.split(',')
  const chosen = rowsNamed(wanted)
  const begun = performance.now()
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
  if (values.cpu)
    console.log('By --cpu, rounds are timed by this process’s time of the processor: for a busy machine. Waiting costs nothing.')
  const effort = { ...(values.quick ? quick : thorough), ...(values.cpu && { timer: cpuTime }) }
  const careful = { ...effort, rounds: effort.rounds * 2 + 1, warmUp: effort.warmUp * 3 }
  const redis = await startRedis()
  const run = { effort, careful, isQuick: values.quick, redis: `redis://${redis.host}:${redis.port}` }
  const ran: Ran[] = []
  try {
    for (const row of chosen) {
      const start = performance.now()
      try {
        const outcome = await row.run(run)
        ran.push({ row: row.name, outcome, seconds: (performance.now() - start) / 1_000 })
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
  printBudgets(ran, (performance.now() - begun) / 1_000)
  if (values.keep || (!values.quick && !values.cpu && wanted === undefined)) {
    const measured = ran.map(({ row, outcome }) => ({ row, budgets: outcome.budgets ?? [], figures: outcome.figures }))
    keep(values.quick ? 'quick' : 'full', here, installed, measured)
  }
}

function printBudgets(ran: readonly Ran[], seconds: number): void {
  const budgets = ran.flatMap(({ outcome }) => outcome.budgets ?? [])
  const { met, missed } = tally(budgets)
  console.log(`\n## Budgets\n\n${formatTable(budgetTable(budgets))}`)
  console.log(
    `\n${missed === 0 ? `All ${met} budgets are met.` : `${met} budgets are met, ${missed} are missed.`} ${digits(seconds)} seconds.`,
  )
  console.log(ran.map((each) => `${each.row} ${each.seconds.toFixed(1)} s`).join(', '))
}

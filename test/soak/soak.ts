/**
 * `npm run soak`: four processes over one Redis for a minute, while Redis is killed and the network is cut; then the same with `requireStore`,
 * where memory must serve nothing that Redis cannot be asked about. It ends with code 1 when a call failed, or an answer was wrong or
 * outdated. `npm run soak -- --seed 7` repeats the plan of an earlier one, and `--seconds 300` makes it longer. `--allowance 20000` is for a
 * machine that is busy with other work: it may be late with a call by so many milliseconds.
 * @module
 */
import { parseArgs } from 'node:util'
import { wholeNumber } from '../../src/base/option-checks.ts'
import { usualAllowance } from './judge.ts'
import { tableOf, verdictOf } from './report.ts'
import { soak, type Soaked } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    allowance: { type: 'string', default: String(usualAllowance) },
  },
})
const seed = wholeNumber('--seed', Number(values.seed ?? Math.floor(Math.random() * 1_000_000)), { least: 0, of: 'any kind' })
const seconds = wholeNumber('--seconds', Number(values.seconds), { least: 5, of: 'seconds' })
const allowance = wholeNumber('--allowance', Number(values.allowance), { least: 0, of: 'milliseconds' })

const begun = performance.now()
const say = (line: string): void => console.log(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(6)}  ${line}`)

// Its processes end when this one does, and Redis with it.
process.once('SIGINT', () => process.exit(130))

/** One soak, and what must not be in it. @returns the faults by their kinds */
async function once(requireStore: boolean): Promise<Pick<Soaked, 'failed' | 'wrong' | 'outdated'>> {
  console.log(`Soaking for ${seconds} s of load, seed ${seed}, ${requireStore ? 'with' : 'without'} requireStore. Times are seconds.`)
  const soaked = await soak(
    { seed, seconds, processes: 4, callers: 64, kills: 3, cuts: Math.round(seconds / 6), allowance, requireStore },
    say,
  )
  console.log(`\n${tableOf(soaked)}\n`)
  for (const [name, lines] of Object.entries({ failed: soaked.failed, wrong: soaked.wrong, outdated: soaked.outdated })) {
    for (const line of lines.slice(0, 10)) console.log(`${name}: ${line}`)
    if (lines.length > 10) console.log(`${name}: and ${lines.length - 10} more`)
  }
  return soaked
}

const [lenient, strict] = [await once(false), await once(true)]
const failed = [...lenient.failed, ...strict.failed]
const wrong = [...lenient.wrong, ...strict.wrong]
const outdated = [...lenient.outdated, ...strict.outdated]
console.log(verdictOf({ failed, wrong, outdated }))
if (failed.length + wrong.length + outdated.length > 0) {
  console.log(`The same plan again: npm run soak -- --seed ${seed} --seconds ${seconds}`)
  process.exitCode = 1
}

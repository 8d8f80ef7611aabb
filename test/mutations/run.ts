/**
 * `npm run test:mutations`: takes the rules of the fault ids away, one at a time, and demands that the tests of the id fail then. Ids as
 * arguments choose some: `npm run test:mutations -- G07 G13`. It changes a copy of the tree, never the tree itself.
 * @module
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { mutations } from './all.ts'
import { mutated, namesOf, type Mutation } from './mutation.ts'
import { verdict, type Report, type Verdict } from './verdict.ts'

const top = join(import.meta.dirname, '../..')

// Longer than any test of an id takes. One that waits for what a mutation took away ends by it.
const testTimeout = 60_000
// Of a test that is known to hang without its rule, after it has passed with it.
const hangTimeout = 15_000

/** What the copy has no need of, or has as a link. */
const left = new Set(['.git', 'bench', 'coverage', 'dist', 'node_modules'])
const linked = ['node_modules', 'dist', 'gateway/node_modules', 'gateway/dist']

const asked = process.argv.slice(2)
const chosen = mutations.filter(({ id }) => asked.length === 0 || asked.includes(id))
const unknown = asked.filter((id) => !mutations.some((each) => each.id === id))
if (unknown.length > 0) throw new Error(`No mutation has the id ${unknown.join(', ')}`)

/** The tree in a folder of its own. What is large and never changed is linked. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-mutations-'))
  cpSync(top, folder, { recursive: true, preserveTimestamps: true, filter: (path) => !left.has(basename(path)) })
  for (const name of linked) if (existsSync(join(top, name))) symlinkSync(join(top, name), join(folder, name), 'junction')
  return folder
}

/** Runs the tests of one file whose titles fit the pattern. */
async function run(folder: string, test: string, pattern: string, timeout = testTimeout): Promise<Report> {
  const file = join(folder, 'report.json')
  rmSync(file, { force: true })
  const words = ['run', test, '-t', pattern, '--reporter=json', `--outputFile=${file}`, `--testTimeout=${timeout}`]
  const child = spawn(process.execPath, [join(folder, 'node_modules/vitest/vitest.mjs'), ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  if (!existsSync(file)) throw new Error(`${test} was not run: ${output}`)
  // Not checked: Vitest wrote it.
  const report: Report = JSON.parse(readFileSync(file, 'utf8'))
  return report
}

/** Takes the rule away, runs its tests, and puts the rule back. */
async function judge(folder: string, mutation: Mutation): Promise<Verdict> {
  const path = join(folder, mutation.file)
  const source = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, mutated(source, mutation))
    const { id, test, hangs } = mutation
    const report = await run(folder, test, namesOf(mutation), hangs === true ? hangTimeout : testTimeout)
    return verdict(report, { ids: [id], hangs })
  } catch (error) {
    return { outcome: 'error', detail: String(error) }
  } finally {
    writeFileSync(path, source)
  }
}

/** Whether the tests of a file pass as long as nothing is taken away. Else their failing would prove nothing. */
async function sound(folder: string, test: string, its: readonly Mutation[]): Promise<Verdict | undefined> {
  const report = await run(folder, test, its.map((each) => `(?:${namesOf(each)})`).join('|'))
  const { outcome, detail } = verdict(report, { ids: its.map(({ id }) => id) })
  return outcome === 'survived' ? undefined : { outcome: 'error', detail: `without a mutation: ${detail}` }
}

const begun = performance.now()
const width = Math.max(...chosen.map(({ file }) => file.length))
const counts = { killed: 0, survived: 0, error: 0 }
const folder = copy()
try {
  for (const [test, its] of Map.groupBy(chosen, (each) => each.test)) {
    const unsound = await sound(folder, test, its)
    for (const mutation of its) {
      const since = performance.now()
      const { outcome, detail } = unsound ?? (await judge(folder, mutation))
      counts[outcome]++
      const seconds = `${((performance.now() - since) / 1_000).toFixed(1).padStart(5)} s`
      const name = (outcome === 'killed' ? outcome : outcome.toUpperCase()).padEnd(8)
      console.log(`${name}  ${mutation.id}  ${seconds}  ${mutation.file.padEnd(width)}  ${mutation.breaks} (${detail})`)
    }
  }
} finally {
  // The links go first, as what they lead to is not of the copy.
  for (const name of linked) rmSync(join(folder, name), { force: true })
  rmSync(folder, { recursive: true })
}
const seconds = ((performance.now() - begun) / 1_000).toFixed(0)
console.log(`\n${counts.killed} killed, ${counts.survived} survived, ${counts.error} in error; ${seconds} s`)
if (counts.survived + counts.error > 0) process.exitCode = 1

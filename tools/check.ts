/**
 * The quick checks while you work: format, lint, types, the rules of layers, and the tests of the files that you have changed.
 * `npm test` checks everything else too.
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, posix } from 'node:path'

const top = join(import.meta.dirname, '..')

/** Tests that need a build, start many processes or take long. */
const heavy = /^test\/(?:soak|types)\/|^test\/(?:api|bench|examples|faults\/process|faults\/process-stores|package|readme|soak)\.test\.ts$/

const bin = (name: string): string => join(top, 'node_modules/.bin', process.platform === 'win32' ? `${name}.cmd` : name)

function git(...words: string[]): string[] {
  try {
    const output = execFileSync('git', words, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return output.split('\n').filter((line) => line !== '')
  } catch {
    // There is no such branch, or no git.
    return []
  }
}

/** The files that differ from where this branch left the main one, committed or not. */
function changedFiles(): string[] {
  const [base = 'HEAD'] = ['origin/main', 'main'].flatMap((branch) => git('merge-base', 'HEAD', branch))
  return [...git('diff', '--name-only', '--relative', base), ...git('ls-files', '--others', '--exclude-standard')]
}

/** The tests of a file: itself, the one at the same place below `test`, or else all of the folder there. */
function testsOf(file: string): string[] {
  if (/^test\/.*\.test\.ts$/.test(file)) return [file]
  if (!/^src\/.*\.ts$/.test(file)) return []
  const own = file.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
  return existsSync(join(top, own))
    ? [own]
    : globSync(`${posix.dirname(own)}/*.test.ts`, { cwd: top }).filter((path) => path.split('/').length > 2)
}

/** Runs a check and prints its output when it has ended, so that two checks do not mix. */
async function run(name: string, command: string, words: readonly string[]): Promise<boolean> {
  const begun = performance.now()
  const child = spawn(command, words, { cwd: top, shell: process.platform === 'win32', stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(8)} ${seconds.padStart(5)} s`)
  if (code !== 0) console.log(output.trimEnd())
  return code === 0
}

const begun = performance.now()
const found = [...new Set(changedFiles().flatMap(testsOf))].filter((file) => existsSync(join(top, file)))
const left = found.filter((file) => heavy.test(file))
const tests = ['test/layers.test.ts', ...found.filter((file) => !heavy.test(file) && file !== 'test/layers.test.ts')]

// Lint takes longest and uses one core, so the others run beside it, one after the other.
const results = await Promise.all([
  run('lint', bin('oxlint'), ['--type-aware', '--deny-warnings']),
  (async () => [
    await run('format', bin('oxfmt'), ['--check']),
    await run('types', bin('tsc'), ['-p', '.']),
    await run('tests', bin('vitest'), ['run', ...tests]),
  ])(),
])

console.log(
  `\n${tests.length} test ${tests.length === 1 ? 'file' : 'files'}: ${tests.slice(0, 6).join(', ')}${tests.length > 6 ? ', …' : ''}`,
)
if (left.length > 0) console.log(`Left to npm test: ${left.join(', ')}`)
console.log(`${((performance.now() - begun) / 1_000).toFixed(1)} s`)
if (results.flat().includes(false)) process.exitCode = 1

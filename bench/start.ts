/**
 * `npm run bench`: installs what is measured beside llmemo, checks the types, and runs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const top = join(here, '..')
const installed = join(here, 'node_modules', '.llmemo-lock')
const lock = createHash('sha256')
  .update(readFileSync(join(here, 'package-lock.json')))
  .digest('hex')

if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  console.log('Installing what llmemo is measured beside …')
  must('npm', ['ci', '--no-audit', '--no-fund'], here)
  writeFileSync(installed, lock)
}
must(process.execPath, [join(top, 'node_modules/typescript/bin/tsc'), '-p', here], top)
// The repository's own lint leaves this folder out, as it needs what is installed here.
if (!process.argv.includes('--quick')) {
  must(process.execPath, [join(top, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', '--quiet'], here)
}

// Only now, as it imports what has just been installed.
const { bench } = await import('./run.ts')
await bench(process.argv.slice(2))

function must(command: string, parameters: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, parameters, { cwd, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/**
 * `npm run test:jest`: the cassettes of `llmemo/testing` under the real Jest, with the package as it is built. Jest has a lock file of its
 * own and is installed at the first run.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { strict as assert } from 'node:assert'

const here = import.meta.dirname
const top = join(here, '../..')
const runner = join(here, 'runner')
const jest = join(runner, 'node_modules/jest/bin/jest.js')

if (!existsSync(jest)) {
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: runner, stdio: 'inherit' })
  assert.equal(status, 0, `Jest could not be installed: run "npm ci --ignore-scripts" in ${runner}`)
}

const project = mkdtempSync(join(here, '.run-'))
try {
  for (const name of ['answers.test.cjs', 'modules.test.mjs', 'plain.test.cjs', 'cassettes.cjs'])
    cpSync(join(here, name), join(project, name))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(top, join(project, 'node_modules/llmemo'), 'junction')
  for (const file of ['answers.test.cjs', 'modules.test.mjs']) check(file)
  const plain = run('plain.test.cjs', {})
  assert.equal(plain.status, 0, plain.text)
} finally {
  rmSync(project, { recursive: true })
}
console.log('The cassettes under Jest are as they should be.')

/** Records a test file, replays it, and replays it without one of its tests. */
function check(file: string): void {
  const folder = join(project, '__cassettes__', file.replace(/\.[cm]js$/, ''))
  const recorded = run(file, { LLMEMO_MODE: 'record', EXPECTED_FOLDER: folder })
  assert.equal(recorded.status, 0, recorded.text)
  const cassettes = readdirSync(folder).toSorted()
  assert.deepEqual(
    cassettes.map((name) => name.replace(/-[0-9a-f]{8}\.json$/, '')),
    ['chat-first', 'chat-second'],
  )
  const replayed = run(file, { LLMEMO_MODE: 'replay', EXPECTED_FOLDER: folder })
  assert.equal(replayed.status, 0, replayed.text)
  assert.ok(!replayed.text.includes('no test asked for'), replayed.text)
  const fewer = run(file, { LLMEMO_MODE: 'replay', EXPECTED_FOLDER: folder, WITHOUT_SECOND: '1' })
  assert.equal(fewer.status, 0, fewer.text)
  assert.match(fewer.text, /no test asked for one cassette[^]*chat-second-/)
  const chosen = run(file, { LLMEMO_MODE: 'replay', EXPECTED_FOLDER: folder }, '-t', 'answer again')
  assert.equal(chosen.status, 0, chosen.text)
  assert.ok(!chosen.text.includes('no test asked for'), chosen.text)
}

function run(file: string, environment: Readonly<Record<string, string>>, ...more: readonly string[]) {
  const config = JSON.stringify({ rootDir: project, testMatch: [`<rootDir>/${file}`], testEnvironment: 'node', transform: {} })
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', jest, '--config', config, '--no-cache', ...more],
    {
      cwd: project,
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    },
  )
  return { status, text: stdout + stderr }
}

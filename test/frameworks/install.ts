/**
 * Makes sure of the frameworks, before any test of their suite runs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { frameworks } from './packages.ts'

/** Installs them where they are not there. */
export default function installFrameworks(): void {
  if (existsSync(join(frameworks, 'node_modules/@llamaindex/openai'))) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: frameworks, stdio: 'inherit' })
  if (status !== 0) throw new Error(`The frameworks could not be installed: run "npm ci --ignore-scripts" in ${frameworks}`)
}

/**
 * Makes sure of the runtimes, before any test of their suite runs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Installs them where they are not there: some 370 MB, by their lock file, without their install scripts. */
export default function installRuntimes(): void {
  const folder = import.meta.dirname
  if (existsSync(join(folder, 'node_modules/miniflare'))) return
  console.log('Installing Bun, Deno, workerd and the edge runtime (about 370 MB) …')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`The runtimes could not be installed: run "npm ci --ignore-scripts" in ${folder}`)
}

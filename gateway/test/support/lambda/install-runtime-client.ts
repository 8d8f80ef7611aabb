/**
 * Makes sure of Lambda's runtime client, before any test runs. It has a lock file of its own, as its install script must not run.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'runtime-client')

/** The runtime client's package. */
export const runtimeClient = join(folder, 'node_modules/aws-lambda-ric')

/** Installs it where it is not there. */
export default function installRuntimeClient(): void {
  if (existsSync(runtimeClient)) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`Lambda's runtime client could not be installed: run "npm ci --ignore-scripts" in ${folder}`)
}

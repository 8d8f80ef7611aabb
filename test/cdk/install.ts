/**
 * Makes sure of the CDK and osls, before any test of their suite runs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The folder that has the CDK and osls in it. */
export const tools = import.meta.dirname

/** Installs them where they are not there: 280 MB, by their lock file, without their install scripts. */
export default function installTools(): void {
  if (existsSync(join(tools, 'node_modules/aws-cdk-lib'))) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tools, stdio: 'inherit' })
  if (status !== 0) throw new Error(`The CDK and osls could not be installed: run "npm ci --ignore-scripts" in ${tools}`)
}

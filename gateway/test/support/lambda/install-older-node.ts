/**
 * Makes sure of the older Node.js that Lambda runs: 50 MB, which only the tests of Lambda's runtimes need.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'older-node')

/** Installs it where it is not there. @returns the path of its program; `undefined` on a system that Lambda is not made of */
export function installOlderNode(): string | undefined {
  const path = join(folder, `node_modules/node-${platform()}-${arch()}/bin/node`)
  if (platform() !== 'linux') return undefined
  if (!existsSync(path)) spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  if (!existsSync(path)) throw new Error(`Node.js 22 could not be installed: run "npm ci --ignore-scripts" in ${folder}`)
  return path
}

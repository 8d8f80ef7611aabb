/**
 * Makes sure of promtool, the checker of Prometheus, before any test runs.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { installProgram, isThere } from './install-package.ts'

const advice =
  'The tests of metrics need promtool on the PATH. Debian and Ubuntu: apt-get install prometheus. macOS: brew install prometheus.'
const prometheus = { command: 'promtool', package: 'prometheus', advice }

/** Whether there is a promtool on the PATH. */
export function isPromtoolThere(): boolean {
  return isThere(prometheus)
}

/** What promtool says, and its exit code: 0 if it has nothing against what it was given. */
export function promtool(parameters: readonly string[], input = ''): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', parameters, { input, encoding: 'utf8' })
  return { code: status, output: `${stdout}${stderr}` }
}

/** Installs promtool where that needs no consent. Elsewhere the message says what to do. */
export default function installPromtool(): void {
  if (!installProgram(prometheus)) console.warn(`${advice}\nThe tests that need it are skipped.`)
}

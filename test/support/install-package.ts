/**
 * Installs a program that tests need, where that takes no consent: on a Debian whose user is root.
 * @module
 */
import { spawnSync } from 'node:child_process'

/** A program, and the package that has it. */
export interface Program {
  readonly command: string
  readonly package: string
  /** What to do on a machine that lacks it. */
  readonly advice: string
}

/** Whether the program is on the PATH. */
export function isThere({ command }: Pick<Program, 'command'>): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Installs the program unless it is there. @returns whether it is there now */
export function installProgram(program: Program): boolean {
  if (isThere(program)) return true
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0) {
    console.log(`${program.command} is missing; installing it by apt-get …`)
    // Its own service is not wanted.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    spawnSync('apt-get', ['update'], { stdio: 'ignore', env })
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', program.package], { stdio: 'ignore', env })
  }
  return isThere(program)
}

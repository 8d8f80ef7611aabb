/**
 * Makes sure of a redis-server before any test runs: once, as several at a time would be in each other's way.
 * @module
 */
import { spawnSync } from 'node:child_process'

/** What a machine without redis-server lacks, and how it gets it. */
export const advice =
  'This needs redis-server on the PATH. Debian and Ubuntu: apt-get install redis-server. macOS: brew install redis. ' +
  'Elsewhere: https://redis.io/docs/latest/operate/oss_and_stack/install/'

/** Whether there is a redis-server on the PATH. */
export function isRedisThere(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
}

/** Installs redis-server where that needs no consent: on a Debian whose user is root. Elsewhere the message says what to do. */
export default function installRedis(): void {
  if (isRedisThere()) return
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0) {
    console.log('redis-server is missing; installing it by apt-get …')
    // Its own service is not wanted.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    spawnSync('apt-get', ['update'], { stdio: 'ignore', env })
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { stdio: 'ignore', env })
  }
  if (!isRedisThere()) console.warn(`${advice}\nEvery test over Redis will fail.`)
}

/**
 * Makes sure of a redis-server before any test runs: once, as several at a time would be in each other's way.
 * @module
 */
import { installProgram, isThere } from './install-package.ts'

/** What a machine without redis-server lacks, and how it gets it. */
export const advice =
  'This needs redis-server on the PATH. Debian and Ubuntu: apt-get install redis-server. macOS: brew install redis. ' +
  'Elsewhere: https://redis.io/docs/latest/operate/oss_and_stack/install/'

const redis = { command: 'redis-server', package: 'redis-server', advice }

/** Whether there is a redis-server on the PATH. */
export function isRedisThere(): boolean {
  return isThere(redis)
}

/** Installs redis-server where that needs no consent. Elsewhere the message says what to do. */
export default function installRedis(): void {
  if (!installProgram(redis)) console.warn(`${advice}\nEvery test over Redis will fail.`)
}

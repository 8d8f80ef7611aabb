/**
 * Makes sure of nats-server, over which the gateway tells its events, before any test runs.
 * @module
 */
import { installProgram, isThere } from './install-package.ts'

const advice =
  'The tests of events over NATS need nats-server on the PATH. Debian and Ubuntu: apt-get install nats-server. Elsewhere: https://nats.io/download/'
const nats = { command: 'nats-server', package: 'nats-server', advice }

/** Whether there is a nats-server on the PATH. */
export function isNatsThere(): boolean {
  return isThere(nats)
}

/** Installs nats-server where that needs no consent. Elsewhere the message says what to do. */
export default function installNats(): void {
  if (!installProgram(nats)) console.warn(`${advice}\nSKIPPED: the tests that need it.`)
}

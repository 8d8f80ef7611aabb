/**
 * Makes sure of chromium, in which the page of the gateway is tested, before any test runs.
 * @module
 */
import { installProgram, isThere } from './install-package.ts'

const advice =
  "The tests of the gateway's page need chromium on the PATH. Debian: apt-get install chromium. Elsewhere: https://www.chromium.org/getting-involved/download-chromium/"
const chromium = { command: 'chromium', package: 'chromium', advice }

/** Whether there is a chromium on the PATH. */
export function isChromiumThere(): boolean {
  return isThere(chromium)
}

/** Installs chromium where that needs no consent. Elsewhere the message says what to do. */
export default function installChromium(): void {
  if (!installProgram(chromium)) console.warn(`${advice}\nThe tests that need it are skipped.`)
}

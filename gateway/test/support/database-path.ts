import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** The path of a database in a new folder, which is removed at the end of the test. */
export function databasePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'cache.db')
}

/**
 * All commands by name.
 * @module
 */
import { invalidate, prune } from './change.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { ls, show, stats } from './look.ts'
import { savings } from './savings.ts'
import { exported, imported } from './transfer.ts'

/** All commands by name. */
export const commands: Readonly<Record<string, Command>> = {
  stats,
  ls,
  show,
  explain,
  savings,
  invalidate,
  prune,
  export: exported,
  import: imported,
  doctor,
}

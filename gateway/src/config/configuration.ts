/**
 * All that the program is told, as one: flags before variables, variables before the file, and every mistake in one error.
 * @module
 */
import { readFileSync } from 'node:fs'
import { GatewayOptionsError } from '../errors.ts'
import type { Arguments } from './arguments.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { withGivenName } from './option-names.ts'
import { checkOptions, type GatewaySettings } from './settings.ts'

/**
 * The settings of the program.
 * @throws {GatewayOptionsError} with every mistake, and none of the values
 */
export function configure(given: Arguments, env: Environment): GatewaySettings {
  const mistakes = [...given.mistakes]
  const file = given.file === undefined ? {} : readFile(given.file, mistakes)
  const checked = checkOptions(merged(merged(file, readEnvironment(env, mistakes)), given.data))
  if ('mistakes' in checked) mistakes.push(...checked.mistakes.map((mistake) => withGivenName(mistake, { flags: given.data, env })))
  if (mistakes.length > 0 || 'mistakes' in checked) throw new GatewayOptionsError(mistakes)
  return checked.settings
}

function readFile(path: string, mistakes: string[]): Record<string, unknown> {
  try {
    // Editors of Windows begin a file with a mark, which JSON.parse does not take.
    const read: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''))
    if (isRecord(read)) return read
  } catch {
    // The message of JSON.parse shows a piece of the file, which may hold a secret.
  }
  mistakes.push('--config: must be the path of a file that holds a JSON object')
  return {}
}

/** `over` laid upon `under`, groups member by member. */
function merged(under: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...under }
  for (const [name, value] of Object.entries(over)) {
    const below = Object.hasOwn(result, name) ? result[name] : undefined
    result[name] = isRecord(below) && isRecord(value) ? merged(below, value) : value
  }
  return result
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

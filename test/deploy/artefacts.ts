/**
 * What all checks of examples/deploy know: the files, the variables that programs read, and the handlers that were built.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'

const top = new URL('../../', import.meta.url).pathname

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(`${top}${path}`, 'utf8')

/** The path of a file of the repository. */
export const inRepository = (path: string): string => `${top}${path}`

/** The text of a file in examples/deploy. */
export const deploy = (path: string): string => read(`examples/deploy/${path}`)

/** Names that the program, the gateway or the platform reads. */
const known = new Set(
  [read('docs/environment.md'), read('docs/gateway.md'), read('gateway/src/config/environment.ts')]
    .flatMap((text) => [...text.matchAll(/[`'](?:([A-Z][A-Z_]+)(?:<OPERATION>)?)[`']/g)].map(([, name = '']) => name))
    .concat('NODE_ENV'),
)

/** The variables that a text sets and no program reads. */
export function unknownVariables(names: readonly string[]): string[] {
  return names.filter((name) => !known.has(name))
}

/** A text with one mistake in it. */
export function planted(text: string, right: string, wrong: string): string {
  expect(text).toContain(right)
  return text.replace(right, wrong)
}

/** Whether a handler of Lambda, as it lies beside its `node_modules`, was built. */
export function isHandler(handler: string): boolean {
  const [, file = '', name = ''] = /^node_modules\/llmemo-gateway\/(.+)\.(\w+)$/.exec(handler) ?? []
  const path = `${top}gateway/${file}.mjs`
  return existsSync(path) && new RegExp(`export \\{[^}]*\\b${name}\\b`).test(readFileSync(path, 'utf8'))
}

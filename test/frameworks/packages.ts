/**
 * The packages of a suite of its own, `npm run test:frameworks`: all of them take more than 200 MB.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { top } from '../support/packed.ts'

/** The folder in which they are installed. */
export const frameworks = join(top, 'test/frameworks')

function dependencies(folder: string): Readonly<Record<string, string>> {
  const manifest: { dependencies?: Record<string, string>; devDependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  return { ...manifest.dependencies, ...manifest.devDependencies }
}

const everywhere = dependencies(top)
const names = Object.keys(dependencies(frameworks)).filter((name) => everywhere[name] === undefined)

/** Whether a module imports a package that only this suite installs. */
export function needsFrameworks(text: string): boolean {
  return names.some((name) => text.includes(` from '${name}'`) || text.includes(` from '${name}/`))
}

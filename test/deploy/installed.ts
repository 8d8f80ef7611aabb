/**
 * What an installation of a package without the development's consists of, by the lock file of this repository.
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRepository } from './artefacts.ts'

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** An installed package. */
export interface InstalledPackage {
  /** Where it would lie: `node_modules/llmemo-gateway/node_modules/zod`. */
  readonly name: string
  /** Where it lies here. */
  readonly folder: string
}

/** Our own packages, by their folders here. */
const own: Readonly<Record<string, string>> = { llmemo: '', 'llmemo-gateway': 'gateway' }

/** Packages of this repository, and all that they need. */
export function packagesOf(...names: readonly string[]): InstalledPackage[] {
  const { packages }: { packages: Readonly<Record<string, Locked>> } = JSON.parse(readFileSync(inRepository('package-lock.json'), 'utf8'))
  const found = new Set<string>()
  const visit = (path: string): void => {
    const { dependencies, optionalDependencies } = packages[path] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = placeOf(name, path, packages)
      if (place === undefined || found.has(place)) continue
      found.add(place)
      visit(place)
    }
  }
  for (const name of names) visit(own[name] ?? name)
  const needed = [...found].map((place) => ({
    name: place.startsWith('gateway/') ? place.replace('gateway/', 'node_modules/llmemo-gateway/') : place,
    folder: inRepository(place),
  }))
  // Of our own packages, only what is packed.
  const packed = names.flatMap((name) =>
    ['dist', 'package.json'].map((part) => ({ name: `node_modules/${name}/${part}`, folder: inRepository(join(own[name] ?? '', part)) })),
  )
  return [...packed, ...needed].filter(({ folder }) => existsSync(folder))
}

/** Where a package lies that another one asks for: beside it, or beside one that it lies within. */
function placeOf(name: string, from: string, packages: Readonly<Record<string, Locked>>): string | undefined {
  const within = `/${from}`.split('/node_modules/')
  const folders = within.map((_, index) =>
    within
      .slice(0, within.length - index)
      .join('/node_modules/')
      .slice(1),
  )
  return [...folders, ''].map((folder) => join(folder, 'node_modules', name)).find((place) => packages[place] !== undefined)
}

/** Bytes of a folder or file, without packages within it. */
export function sizeOf(path: string, isKept: (path: string) => boolean = () => true): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return isKept(path) ? stat.size : 0
  const names = readdirSync(path).filter((name) => name !== 'node_modules')
  return names.reduce((sum, name) => sum + sizeOf(join(path, name), isKept), 0)
}

/**
 * The package as its users get it: packed by npm and unpacked into a project of its own.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The top of the repository. */
export const top = join(import.meta.dirname, '../..')

/** The part of package.json that the tests read. */
export interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

/** A project outside the repository that has llmemo, its dependencies and Node's types installed, and nothing else. */
export interface Project {
  readonly folder: string
  /** The folder of the unpacked llmemo. */
  readonly package: string
  /** Links a package of the repository's own `node_modules` into the project. */
  link(name: string): void
  /** Runs a module of this text with `flags` of Node and returns what it printed. */
  run(source: string, ...flags: string[]): string
  /** Compiles a module of this text with strict settings, and returns the errors and the declaration. */
  compile(source: string): { errors: string; declaration: string }
  remove(): void
}

/** The repository's package.json. */
export function manifest(): Manifest {
  // Not checked: npm itself has read the file before.
  const parsed: Manifest = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))
  return parsed
}

/** The subpaths that a user can import: `llmemo`, `llmemo/sqlite`. */
export function subpaths(): string[] {
  return Object.keys(manifest().exports)
    .filter((path) => path !== './package.json')
    .map((path) => join('llmemo', path))
}

/** @throws if `dist` is missing or older than its sources; the message says what to do */
export function assertBuilt(): void {
  const built = globSync('dist/*.{mjs,cjs,d.mts,d.cts}', { cwd: top }).map(time)
  const sources = [...globSync('src/**/*.ts', { cwd: top }), 'tsdown.config.ts'].map(time)
  if (built.length === 0 || Math.max(...sources) > Math.min(...built))
    throw new Error('dist is missing or older than src: run "npm run build" first')
}

function time(path: string): number {
  return statSync(join(top, path)).mtimeMs
}

/** Runs the compiler in `folder` and returns its errors. */
export function typecheck(folder: string): string {
  const compiler = join(top, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' }).stdout
}

/** Packs the built package and installs it in a new project. */
export function install(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-'))
  const packed = join(folder, 'node_modules/llmemo')
  const link = (name: string): void => {
    const target = join(folder, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(top, 'node_modules', name), target, 'junction')
  }
  mkdirSync(packed, { recursive: true })
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: top })
  const [tarball = ''] = globSync('*.tgz', { cwd: folder })
  execFileSync('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', packed])
  for (const name of [...Object.keys(manifest().dependencies), '@types/node']) link(name)
  return {
    folder,
    package: packed,
    link,
    run(source, ...flags) {
      writeFileSync(join(folder, 'run.mjs'), source)
      return execFileSync(process.execPath, [...flags, 'run.mjs'], { cwd: folder, encoding: 'utf8' })
    },
    compile(source) {
      rmSync(join(folder, 'out'), { recursive: true, force: true })
      writeFileSync(join(folder, 'consumer.mts'), source)
      const types = { types: ['node'], declaration: true, emitDeclarationOnly: true, outDir: 'out' }
      const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, skipLibCheck: false, ...types }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }))
      const errors = typecheck(folder)
      const declaration = join(folder, 'out/consumer.d.mts')
      return { errors, declaration: existsSync(declaration) ? readFileSync(declaration, 'utf8') : '' }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  const { version }: { readonly version?: unknown } = JSON.parse(readFileSync(join(top, 'node_modules', name, 'package.json'), 'utf8'))
  return String(version)
}

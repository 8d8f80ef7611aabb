/**
 * The pages of the project as a test reads them: their TypeScript, their links, and the paths and scripts that they name.
 * @module
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { top, typecheck } from '../support/packed.ts'

/** A page, by its path from the top of the repository. */
export function page(path: string): string {
  return readFileSync(join(top, path), 'utf8')
}

/** A page's TypeScript as modules: a block that imports begins a module, and a block that does not goes on with the one before. */
export function modulesIn(text: string): string[] {
  const modules: string[] = []
  for (const [, block = ''] of text.matchAll(/^```ts\n([^]*?)^```$/gm)) {
    if (modules.length === 0 || /^import /m.test(block)) modules.push(block)
    else modules.push(`${modules.pop() ?? ''}${block}`)
  }
  return modules
}

/** A page's TypeScript as modules, by the names of their files, which their first lines say. */
export function namedModulesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(modulesIn(text).map((text) => [/^\/\/ (\S+)$/m.exec(text)?.[1] ?? '', text]))
}

/** The scripts of package.json that the text tells to run. */
export function scriptsIn(text: string): string[] {
  const named = [...text.matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name = '']) => name)
  return /\bnpm (?:test|t)\b/.test(text) ? [...named, 'test'] : named
}

/** The targets of the links and images that are no addresses of the web. */
export function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))
}

/** The files and folders of this repository that the text names in code font, such as `src/key/key.ts` and `test/faults/`. */
export function pathsIn(text: string): string[] {
  const named = [...text.matchAll(/`((?:src|test|docs|examples|bench|tools)\/[\w./-]*)`/g)]
  return [...new Set(named.map(([, path = '']) => path))]
}

/** Writes modules into a folder of their own, where `llmemo` is the source. @returns the paths of the files */
export function writeModules(name: string, modules: readonly string[]): string[] {
  const folder = folderOf(name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return modules.map((text, index) => {
    const path = join(folder, `block-${index + 1}.mts`)
    writeFileSync(path, `${text}\nexport {}\n`)
    return path
  })
}

/** What the compiler has against these modules, with the repository's own settings and `llmemo` being the source. */
export function errorsIn(name: string, modules: readonly string[]): string {
  const files = writeModules(name, modules)
  // A reader of a page may declare a name that only the next paragraph uses.
  const compilerOptions = { noUnusedLocals: false }
  const config = { extends: '../../../tsconfig.json', compilerOptions, include: [], files }
  writeFileSync(join(folderOf(name), 'tsconfig.json'), JSON.stringify(config))
  return typecheck(folderOf(name))
}

function folderOf(name: string): string {
  return join(top, 'node_modules/.cache', `llmemo-${name}`)
}

/**
 * Writes a page's modules into a folder in which a test can import them: not below `node_modules`, where Node.js strips no types.
 * @param name the name of the folder
 * @param modules the texts by their paths in it
 * @param withSource whether the folder is to have a copy of `src`, for modules that import it by relative paths
 * @param root the folder whose installed packages the modules use
 */
export function writeTree(name: string, modules: Readonly<Record<string, string>>, withSource = false, root: string = top): string {
  const folder = join(root, 'coverage', `pages-${name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  if (withSource) cpSync(join(top, 'src'), join(folder, 'src'), { recursive: true })
  for (const [path, text] of Object.entries(modules)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const files = Object.keys(modules)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(top, 'tsconfig.json'), include: [], files }))
  return folder
}

/** A command line that a page shows, and what it says that it prints. */
export interface ShownCommand {
  /** What follows `npx llmemo`. */
  readonly command: string
  readonly output: string
  readonly code: number
}

/** The runs of `npx llmemo` in a page. One that ends with another exit code than 0 is followed by `$ echo $?` and the code. */
export function commandsIn(text: string): ShownCommand[] {
  return [...text.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/^\$ npx llmemo /m)
      .slice(1)
      .map((each) => {
        const [first = '', ...lines] = each.trimEnd().split('\n')
        const end = lines.indexOf('$ echo $?')
        const output = end === -1 ? lines : lines.slice(0, end)
        return { command: first, output: output.join('\n'), code: end === -1 ? 0 : Number(lines[end + 1]) }
      }),
  )
}

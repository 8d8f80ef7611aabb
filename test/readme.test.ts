import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { manifest, top, typecheck } from './support/packed.ts'

/** The README's TypeScript as modules: a block that imports begins a module, and a block that does not goes on with the one before. */
function modulesIn(text: string): string[] {
  const modules: string[] = []
  for (const [, block = ''] of text.matchAll(/^```ts\n([^]*?)^```$/gm)) {
    if (modules.length === 0 || /^import /m.test(block)) modules.push(block)
    else modules.push(`${modules.pop() ?? ''}${block}`)
  }
  return modules
}

/** The scripts of package.json that the text tells to run. */
function scriptsIn(text: string): string[] {
  const named = [...text.matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name = '']) => name)
  return /\bnpm (?:test|t)\b/.test(text) ? [...named, 'test'] : named
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** What the compiler has against these modules, with the repository's own settings and `llmemo` being the source. */
function errorsIn(modules: readonly string[]): string {
  // In the repository, so that its packages are found; a folder of its own, so that two runs at once do not share one.
  const caches = join(top, 'node_modules/.cache')
  mkdirSync(caches, { recursive: true })
  const folder = mkdtempSync(join(caches, 'llmemo-readme-'))
  folders.push(folder)
  const files = modules.map((_, index) => `block-${index + 1}.mts`)
  for (const [index, text] of modules.entries()) writeFileSync(join(folder, files[index] ?? ''), `${text}\nexport {}\n`)
  // A reader of the README may declare a name that only the next paragraph uses.
  const compilerOptions = { noUnusedLocals: false }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions, include: [], files }))
  return typecheck(folder)
}

function readme(): string {
  return readFileSync(join(top, 'README.md'), 'utf8')
}

describe('README.md', () => {
  it('is read in one go: fewer than 200 lines', () => {
    expect(readme().trimEnd().split('\n').length).toBeLessThan(200)
  })

  it('names only npm scripts that there are', () => {
    expect(scriptsIn(readme())).toContain('test')
    expect(Object.keys(manifest().scripts)).toEqual(expect.arrayContaining(scriptsIn(readme())))
  })

  it('shows TypeScript that compiles', () => {
    const modules = modulesIn(readme())
    expect(modules).not.toEqual([])
    expect(errorsIn(modules)).toBe('')
  })
})

describe('the checks of the README', () => {
  it('put blocks together that belong together', () => {
    const text = "```ts\nimport 'a'\n```\ntext\n```ts\nb()\n```\n```sh\nnpm ci\n```\n```ts\nimport 'c'\n```\n"
    expect(modulesIn(text)).toEqual(["import 'a'\nb()\n", "import 'c'\n"])
  })

  it('find a script', () => {
    expect(scriptsIn('`npm ci && npm test`, then npm run quickstart or npm run -s check:package')).toEqual([
      'quickstart',
      'check:package',
      'test',
    ])
  })

  it('find a mistake', () => {
    expect(errorsIn(["import { LlmemoError } from 'llmemo'\nexport const text: string = LlmemoError"])).toContain('error TS2322')
  })
})
